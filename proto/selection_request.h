/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_request: which samples and variants the user wants, as it is sent to the encoder.
 *
 * Lists and files can be longer than a packet, so this part of a view is one msgpack map in a
 * sealed memfd, which comes with `open` or `info`. It is unpacked as strictly as a packet.
 */
#ifndef VCZFS_PROTO_SELECTION_REQUEST_H
#define VCZFS_PROTO_SELECTION_REQUEST_H

#include "common/err.h"
#include "common/option_file.h"
#include "proto/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SELECTION_FILES_MAX  64                    /* files that expressions refer to */
#define SELECTION_NBYTES_MAX (UINT64_C(256) << 20) /* all of it */

/* One member for each option of the same name. A NULL string, or a file without text, means that
 * the option was not given. */
struct selection_request {
    const char *regions, *targets, *samples;
    struct option_file regions_file, targets_file, samples_file;
    const char *regions_format, *targets_format; /* "auto", "bed", "tab", "vcf" */
    bool force_samples;
    const char *include, *exclude, *include_types, *exclude_types;
    struct option_file files[SELECTION_FILES_MAX];
    size_t nfiles;
};

/* Is nothing selected? Then the request need not be sent. */
bool selection_request_is_empty(const struct selection_request *request);

/* The description of its fields, for packing and unpacking. */
const struct record *selection_request_record(void);

/* Packs the request into a sealed memfd, which the caller closes. -1 with ERR_USAGE if it is too
 * long. */
int selection_request_pack(const struct selection_request *request, struct err *err);

/* Unpacks a request; fd stays the caller's. The strings of *out are in *memory; free that with
 * selection_memory_free. ERR_PEER for anything that selection_request_pack does not make. */
struct selection_memory;
int selection_request_unpack(int fd, struct selection_request *out,
                             struct selection_memory **memory, struct err *err);
void selection_memory_free(struct selection_memory *memory);

/* The bytes as they were sent. Two requests are equal if their bytes are. */
const uint8_t *selection_memory_bytes(const struct selection_memory *memory, size_t *len);

#endif
