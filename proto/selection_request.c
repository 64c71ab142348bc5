/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/selection_request.h"

#include "common/buf.h"
#include "common/memfd.h"
#include "proto/field_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANY_TEXT(k, m) TEXT(selection_request, k, m, 0, UINT32_MAX), .optional = true
#define A_FILE(k, m)   STRUCT(selection_request, k, m, option_file, file), .optional = true

/* A file is written as an array of its name and its text. */
static const struct field file_fields[] = {
    {TEXT(option_file, "name", name, 0, UINT32_MAX)},
    {SLICE(option_file, "text", text, len, UINT32_MAX)},
};
static const struct record file = TUPLE(option_file, file_fields);

static const struct field request_fields[] = {
    {ANY_TEXT("regions", regions)},
    {ANY_TEXT("targets", targets)},
    {ANY_TEXT("samples", samples)},
    {ANY_TEXT("include", include)},
    {ANY_TEXT("exclude", exclude)},
    {ANY_TEXT("types", include_types)},
    {ANY_TEXT("exclude_types", exclude_types)},
    {ANY_TEXT("regions_format", regions_format)},
    {ANY_TEXT("targets_format", targets_format)},
    {A_FILE("regions_file", regions_file)},
    {A_FILE("targets_file", targets_file)},
    {A_FILE("samples_file", samples_file)},
    {BOOL(selection_request, "force_samples", force_samples), .optional = true},
    {LIST(selection_request, "files", files, struct option_file, nfiles, 1, OF_STRUCTS(file)),
     .optional = true},
};
static const struct record request_record = RECORD(selection_request, request_fields);

const struct record *selection_request_record(void)
{
    return &request_record;
}

bool selection_request_is_empty(const struct selection_request *request)
{
    return record_is_nothing(&request_record, request);
}

int selection_request_pack(const struct selection_request *request, struct err *err)
{
    const struct record_report report = {"selection", "", NULL, ERR_USAGE, err};
    struct buf buf = {0};
    int fd = -1;

    if (record_check(&request_record, request, &report) != 0)
        return -1;
    record_pack(&request_record, request, NULL, &buf);
    if (buf.failed)
        err_nomem(err, "the selection");
    else if (buf.len > SELECTION_NBYTES_MAX)
        err_set(err, ERR_USAGE,
                "the options and files that select samples and variants take %zu "
                "bytes; at most %" PRIu64 " are read",
                buf.len, SELECTION_NBYTES_MAX);
    else
        fd = memfd_of("vczfs-selection", buf.data, buf.len, "the selection", err);
    buf_free(&buf);
    return fd;
}

struct selection_memory {
    uint8_t *bytes; /* owned */
    char *strings;  /* owned; as long as the packet, but pages are used only as needed */
    size_t len;
};

void selection_memory_free(struct selection_memory *memory)
{
    if (memory == NULL)
        return;
    free(memory->bytes);
    free(memory->strings);
    free(memory);
}

const uint8_t *selection_memory_bytes(const struct selection_memory *memory, size_t *len)
{
    *len = memory->len;
    return memory->bytes;
}

/* Reads a copy of it all, so that the sender cannot change it while it is used, whatever seals it
 * has. */
static int read_all(int fd, struct selection_memory *memory, struct err *err)
{
    const uint8_t *map;
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size <= 0 || (uint64_t)st.st_size > SELECTION_NBYTES_MAX)
        return err_set(err, ERR_PEER, "selection: empty, or longer than may be");
    memory->len = (size_t)st.st_size;
    memory->bytes = malloc(memory->len);
    memory->strings = malloc(memory->len);
    if (memory->bytes == NULL || memory->strings == NULL)
        return err_nomem(err, "the selection");
    if (memfd_map(fd, memory->len, &map, err) != 0)
        return -1;
    memcpy(memory->bytes, map, memory->len);
    memfd_unmap(map, memory->len);
    return 0;
}

static int unpack(struct selection_memory *memory, struct selection_request *out, struct err *err)
{
    const struct record_report report = {"selection", "", NULL, ERR_PEER, err};
    struct value values[VALUES_MAX];

    if (values_parse(memory->bytes, memory->len, values, err) != 0)
        return err_prefix(err, "selection");
    return record_unpack(&request_record, values, false, memory->strings, out, &report);
}

int selection_request_unpack(int fd, struct selection_request *out,
                             struct selection_memory **memory, struct err *err)
{
    struct selection_memory *own = calloc(1, sizeof *own);

    *out = (struct selection_request){0};
    *memory = NULL;
    if (own == NULL)
        return err_nomem(err, "the selection");
    if (read_all(fd, own, err) != 0 || unpack(own, out, err) != 0) {
        selection_memory_free(own);
        return -1;
    }
    *memory = own;
    return 0;
}
