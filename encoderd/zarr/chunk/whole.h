/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whole: chunks without inner structure, decoded at once or from front to back.
 */
#ifndef VCZFS_ZARR_CHUNK_WHOLE_H
#define VCZFS_ZARR_CHUNK_WHOLE_H

#include "encoderd/zarr/chunk/layouts.h"

/* The scratch that whole_decode takes for a chunk; UINT64_MAX if that is impossible. */
uint64_t whole_scratch_nbytes(const struct zarr_meta *meta, uint64_t length);

/* Does the scratch have room for it, besides `used` bytes? */
bool whole_fits(const struct decoder *decoder, const struct chunk *chunk, uint64_t used);

/* Decodes the chunk's elements to `to`, in C order and native byte order. `to` must not be in
 * scratch that is still free. */
int whole_decode(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err);

/* Can it be decoded without holding all its stored bytes? */
bool whole_is_streamable(const struct zarr_meta *meta);
int whole_stream(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err);

/* Frees the stream of this chunk, if there is one. */
void decoder_drop_stream(struct decoder *decoder, const struct chunk *chunk);

#endif
