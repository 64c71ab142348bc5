/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings_parts: what all ways of reading strings share.
 */
#ifndef VCZFS_ZARR_CHUNK_STRINGS_PARTS_H
#define VCZFS_ZARR_CHUNK_STRINGS_PARTS_H

#include "encoderd/zarr/chunk/decoder_impl.h"

/* What is asked for: see zarr_chunk_strings_at. */
struct strings_request {
    uint64_t first, least;
    size_t budget; /* of text, and as much again of items */
};

/* How many strings of `size` bytes may be read: at most what the budget allows, and at most
 * `total`. */
uint64_t strings_count(const struct strings_request *request, uint64_t size, uint64_t total);

/* Bytes of strings that the decoder's user may hold at once. */
size_t strings_nbytes_max(const struct decoder *decoder);
/* May so many be held? */
int strings_check_held(const struct decoder *decoder, uint64_t nbytes, struct err *err);

/* Makes room for n items, whose contents are not set. */
int strings_reserve(struct strings *out, uint64_t n, struct err *err);

/* Sets the addresses of the items, at the end, when the bytes no longer move; `gap` bytes precede
 * each string. */
void strings_point(struct strings *out, size_t gap);

/* Makes the wanted strings of a chunk that is not stored. */
int strings_fill(const struct zarr_meta *meta, const struct strings_request *request,
                 struct strings *out, struct err *err);

/* Sets the error that string k is damaged. Returns -1. */
int strings_bad(uint64_t k, const char *what, struct err *err);

/* Strings of variable length of one chunk, from memory or from the temporary file. */
int strings_vlen_chunk(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, const struct strings_request *request,
                       struct strings *out, struct err *err);
int strings_spilled(struct decoder *decoder, struct chunk *chunk,
                    const struct strings_request *request, struct strings *out, struct err *err);

/* Strings of a fixed size. */
int strings_fixed_chunk(struct decoder *decoder, const struct zarr_array *array,
                        const uint64_t *index, const struct strings_request *request,
                        struct strings *out, struct err *err);

#endif
