/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/selection_request.h"

#include "common/buf.h"
#include "common/io.h"
#include "common/memfd.h"
#include "common/size.h"
#include "proto/packet_shape.h"

#include <errno.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where each key's value goes. Keys that were not asked for are not sent. */
struct text_key {
    const char *key;
    size_t at; /* of a const char * in the request */
};
static const struct text_key text_keys[] = {
    {"regions", offsetof(struct selection_request, regions)},
    {"targets", offsetof(struct selection_request, targets)},
    {"samples", offsetof(struct selection_request, samples)},
    {"include", offsetof(struct selection_request, include)},
    {"exclude", offsetof(struct selection_request, exclude)},
    {"types", offsetof(struct selection_request, include_types)},
    {"exclude_types", offsetof(struct selection_request, exclude_types)},
    {"regions_format", offsetof(struct selection_request, regions_format)},
    {"targets_format", offsetof(struct selection_request, targets_format)},
};
static const struct text_key file_keys[] = {
    {"regions_file", offsetof(struct selection_request, regions_file)},
    {"targets_file", offsetof(struct selection_request, targets_file)},
    {"samples_file", offsetof(struct selection_request, samples_file)},
};
#define NTEXTS (sizeof text_keys / sizeof text_keys[0])
#define NFILES (sizeof file_keys / sizeof file_keys[0])

static const char **text_at(const struct selection_request *request, const struct text_key *key)
{
    return (const char **)(void *)((char *)(uintptr_t)request + key->at);
}

static struct option_file *file_at(const struct selection_request *request,
                                   const struct text_key *key)
{
    return (struct option_file *)(void *)((char *)(uintptr_t)request + key->at);
}

static uint32_t count_keys(const struct selection_request *request)
{
    uint32_t n = (uint32_t)request->force_samples + (request->nfiles > 0);

    for (size_t i = 0; i < NTEXTS; i++)
        n += *text_at(request, &text_keys[i]) != NULL;
    for (size_t i = 0; i < NFILES; i++)
        n += file_at(request, &file_keys[i])->text != NULL;
    return n;
}

bool selection_request_is_empty(const struct selection_request *request)
{
    return count_keys(request) == 0;
}

/* ---- packing ---- */

static int write_buf(void *data, const char *bytes, size_t len)
{
    struct buf *buf = data;

    buf_append(buf, bytes, len);
    return buf->failed ? -1 : 0;
}

static void put_key(msgpack_packer *packer, const char *key)
{
    msgpack_pack_str_with_body(packer, key, strlen(key));
}

static void put_bytes(msgpack_packer *packer, const char *bytes, size_t len)
{
    msgpack_pack_bin_with_body(packer, bytes, len);
}

static void put_file(msgpack_packer *packer, const struct option_file *file)
{
    msgpack_pack_array(packer, 2);
    put_bytes(packer, file->name, strlen(file->name));
    put_bytes(packer, file->text, file->len);
}

static void put_request(msgpack_packer *packer, const struct selection_request *request)
{
    msgpack_pack_map(packer, count_keys(request));
    for (size_t i = 0; i < NTEXTS; i++) {
        const char *text = *text_at(request, &text_keys[i]);

        if (text != NULL) {
            put_key(packer, text_keys[i].key);
            put_bytes(packer, text, strlen(text));
        }
    }
    for (size_t i = 0; i < NFILES; i++) {
        const struct option_file *file = file_at(request, &file_keys[i]);

        if (file->text != NULL) {
            put_key(packer, file_keys[i].key);
            put_file(packer, file);
        }
    }
    if (request->force_samples) {
        put_key(packer, "force_samples");
        msgpack_pack_true(packer);
    }
    if (request->nfiles > 0) {
        put_key(packer, "files");
        msgpack_pack_array(packer, request->nfiles);
        for (size_t i = 0; i < request->nfiles; i++)
            put_file(packer, &request->files[i]);
    }
}

int selection_request_pack(const struct selection_request *request, struct err *err)
{
    struct buf buf = {0};
    msgpack_packer packer;
    int fd = -1;

    msgpack_packer_init(&packer, &buf, write_buf);
    put_request(&packer, request);
    if (buf.failed)
        err_nomem(err, "the selection");
    else if (buf.len > SELECTION_NBYTES_MAX)
        err_set(err, ERR_USAGE,
                "the options and files that select samples and variants take %zu "
                "bytes; at most %" PRIu64 " are read",
                buf.len, SELECTION_NBYTES_MAX);
    else
        fd = memfd_open("vczfs-selection", err);
    if (fd >= 0 && (io_write_all(fd, buf.data, buf.len, "the selection", err) != 0 ||
                    memfd_seal(fd, err) != 0)) {
        close(fd);
        fd = -1;
    }
    buf_free(&buf);
    return fd;
}

/* ---- unpacking ---- */

struct selection_memory {
    uint8_t *bytes; /* owned */
    size_t len;
    msgpack_unpacked unpacked;
    msgpack_zone *strings;
};

void selection_memory_free(struct selection_memory *memory)
{
    if (memory == NULL)
        return;
    msgpack_unpacked_destroy(&memory->unpacked);
    if (memory->strings != NULL)
        msgpack_zone_free(memory->strings);
    free(memory->bytes);
    free(memory);
}

const uint8_t *selection_memory_bytes(const struct selection_memory *memory, size_t *len)
{
    *len = memory->len;
    return memory->bytes;
}

static int bad(struct err *err, const char *key, const char *what)
{
    return err_set(err, ERR_PEER, "selection: key \"%s\" %s", key, what);
}

/* A copy with a 0 behind it, so that it can be a C string; a 0 inside is refused. */
static int take_text(const msgpack_object *value, struct selection_memory *memory, const char *key,
                     const char **out, struct err *err)
{
    const msgpack_object_bin *bin = &value->via.bin;
    char *copy;

    if (value->type != MSGPACK_OBJECT_BIN)
        return bad(err, key, "is not binary");
    if (memchr(bin->ptr, 0, bin->size) != NULL)
        return bad(err, key, "has a 0 byte in it");
    copy = msgpack_zone_malloc_no_align(memory->strings, (size_t)bin->size + 1);
    if (copy == NULL)
        return bad(err, key, "does not fit in memory");
    memcpy(copy, bin->ptr, bin->size);
    copy[bin->size] = '\0';
    *out = copy;
    return 0;
}

static int take_file(const msgpack_object *value, struct selection_memory *memory, const char *key,
                     struct option_file *out, struct err *err)
{
    const msgpack_object *pair = value->via.array.ptr;

    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != 2 ||
        pair[1].type != MSGPACK_OBJECT_BIN)
        return bad(err, key, "is not a name and a text");
    out->text = pair[1].via.bin.ptr;
    out->len = pair[1].via.bin.size;
    return take_text(&pair[0], memory, key, &out->name, err);
}

static int take_files(const msgpack_object *value, struct selection_memory *memory,
                      struct selection_request *out, struct err *err)
{
    const msgpack_object_array *array = &value->via.array;

    if (value->type != MSGPACK_OBJECT_ARRAY || array->size < 1 || array->size > SELECTION_FILES_MAX)
        return bad(err, "files", "is not a list of files");
    for (uint32_t i = 0; i < array->size; i++)
        if (take_file(&array->ptr[i], memory, "files", &out->files[out->nfiles++], err) != 0)
            return -1;
    return 0;
}

static bool key_is(const msgpack_object *key, const char *name)
{
    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == strlen(name) &&
           memcmp(key->via.str.ptr, name, key->via.str.size) == 0;
}

static int take_pair(const msgpack_object_kv *pair, struct selection_memory *memory,
                     struct selection_request *out, struct err *err)
{
    for (size_t i = 0; i < NTEXTS; i++)
        if (key_is(&pair->key, text_keys[i].key) && *text_at(out, &text_keys[i]) == NULL)
            return take_text(&pair->val, memory, text_keys[i].key, text_at(out, &text_keys[i]),
                             err);
    for (size_t i = 0; i < NFILES; i++)
        if (key_is(&pair->key, file_keys[i].key) && file_at(out, &file_keys[i])->text == NULL)
            return take_file(&pair->val, memory, file_keys[i].key, file_at(out, &file_keys[i]),
                             err);
    if (key_is(&pair->key, "force_samples") && !out->force_samples) {
        out->force_samples = pair->val.type == MSGPACK_OBJECT_BOOLEAN && pair->val.via.boolean;
        return out->force_samples ? 0 : bad(err, "force_samples", "is not true");
    }
    if (key_is(&pair->key, "files") && out->nfiles == 0)
        return take_files(&pair->val, memory, out, err);
    return err_set(err, ERR_PEER, "selection: a key that is not one, or twice");
}

static int take_map(const msgpack_object *object, struct selection_memory *memory,
                    struct selection_request *out, struct err *err)
{
    if (object->type != MSGPACK_OBJECT_MAP)
        return err_set(err, ERR_PEER, "selection: not a map");
    for (uint32_t i = 0; i < object->via.map.size; i++)
        if (take_pair(&object->via.map.ptr[i], memory, out, err) != 0)
            return -1;
    return 0;
}

/* A copy, so that nothing changes under us whatever the seals. */
static int read_all(int fd, struct selection_memory *memory, struct err *err)
{
    const uint8_t *map;
    struct stat st;

    if (fstat(fd, &st) != 0 || st.st_size <= 0 || (uint64_t)st.st_size > SELECTION_NBYTES_MAX)
        return err_set(err, ERR_PEER, "selection: empty, or longer than may be");
    memory->len = (size_t)st.st_size;
    memory->bytes = malloc(memory->len);
    if (memory->bytes == NULL)
        return err_nomem(err, "the selection");
    if (memfd_map(fd, memory->len, &map, err) != 0)
        return -1;
    memcpy(memory->bytes, map, memory->len);
    memfd_unmap(map, memory->len);
    return packet_shape_check(memory->bytes, memory->len, err);
}

int selection_request_unpack(int fd, struct selection_request *out,
                             struct selection_memory **memory, struct err *err)
{
    struct selection_memory *own = calloc(1, sizeof *own);
    size_t at = 0;

    *out = (struct selection_request){0};
    *memory = NULL;
    if (own == NULL)
        return err_nomem(err, "the selection");
    msgpack_unpacked_init(&own->unpacked);
    own->strings = msgpack_zone_new(4096);
    if (own->strings == NULL)
        err_nomem(err, "the selection");
    else if (read_all(fd, own, err) == 0) {
        if (msgpack_unpack_next(&own->unpacked, (const char *)own->bytes, own->len, &at) !=
                MSGPACK_UNPACK_SUCCESS ||
            at != own->len)
            err_set(err, ERR_PEER, "selection: not one msgpack value");
        else if (take_map(&own->unpacked.data, own, out, err) == 0) {
            *memory = own;
            return 0;
        }
    }
    selection_memory_free(own);
    return -1;
}
