/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whole: chunks that have no inner structure, decoded at once or from front to back.
 */
#ifndef VCZFS_ZARR_CHUNK_WHOLE_H
#define VCZFS_ZARR_CHUNK_WHOLE_H

#include "encoderd/zarr/chunk/layouts.h"

/* Scratch that whole_decode takes for a chunk; UINT64_MAX if more than there can be. */
uint64_t whole_scratch_nbytes(const struct zarr_meta *meta, uint64_t length);

/* Is there scratch for it, beside `used` bytes? */
bool whole_fits(const struct decoder *decoder, const struct chunk *chunk, uint64_t used);

/* The chunk's elements in C order and native bytes into `to`, which lies outside the scratch that
 * is still free. */
int whole_decode(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err);

/* The same without holding the stored bytes, where that can be. */
bool whole_is_streamable(const struct zarr_meta *meta);
int whole_stream(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err);

/* Forgets the stream over this chunk, if there is one. */
void decoder_drop_stream(struct decoder *decoder, const struct chunk *chunk);

#endif
