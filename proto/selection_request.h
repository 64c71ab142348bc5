/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_request: which samples and variants the user wants, on its way to the encoder.
 *
 * Lists and files can be longer than any packet, so this part of a view travels as one msgpack map
 * in a sealed memfd that `open` and `info` bring. Unpacking is as strict as a packet's.
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

/* As the options of the same names; a NULL string and a file without text were not given. */
struct selection_request {
    const char *regions, *targets, *samples;
    struct option_file regions_file, targets_file, samples_file;
    const char *regions_format, *targets_format; /* "auto", "bed", "tab", "vcf" */
    bool force_samples;
    const char *include, *exclude, *include_types, *exclude_types;
    struct option_file files[SELECTION_FILES_MAX];
    size_t nfiles;
};

/* Was nothing asked for? Then nothing need be sent. */
bool selection_request_is_empty(const struct selection_request *request);

/* How it is said, field by field. */
const struct record *selection_request_record(void);

/* A sealed memfd; the caller closes it. -1 and ERR_USAGE if it is longer than may be. */
int selection_request_pack(const struct selection_request *request, struct err *err);

/* Takes one apart; fd stays the caller's. The strings of *out live in *memory, which
 * selection_memory_free frees. ERR_PEER for anything but what selection_request_pack makes. */
struct selection_memory;
int selection_request_unpack(int fd, struct selection_request *out,
                             struct selection_memory **memory, struct err *err);
void selection_memory_free(struct selection_memory *memory);

/* The bytes that were unpacked, as they were sent: equal bytes, equal request. */
const uint8_t *selection_memory_bytes(const struct selection_memory *memory, size_t *len);

#endif
