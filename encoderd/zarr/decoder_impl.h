/*
 * decoder_impl: the insides of a decoder, shared by decoder.c (chunks), block.c (blocks) and column.c.
 */
#ifndef VCZFS_ZARR_DECODER_IMPL_H
#define VCZFS_ZARR_DECODER_IMPL_H

#include "encoderd/zarr/blosc1.h"
#include "encoderd/zarr/chunk.h"
#include "encoderd/zarr/codec.h"

#define CHUNKS_MAX 32
/* Raw and absent chunks have no blocks of their own; they are cut into pieces of about this size. */
#define PIECE_NBYTES ((uint64_t)256 << 10)

enum layout {
    LAYOUT_ABSENT,
    LAYOUT_RAW,   /* the decoded bytes as such, from `base` on */
    LAYOUT_BLOSC, /* blocks at begins[i] .. ends[i] from `base` on */
    LAYOUT_WHOLE, /* one block, through all codecs */
};

struct chunk {
    const struct zarr_array *array; /* borrowed; refreshed on every look-up */
    uint64_t index[ZARR_DIMS_MAX];
    uint8_t identity[32]; /* of the array */
    char key[ZARR_KEY_MAX];
    struct object *object; /* owned; NULL if absent */
    uint64_t base, length; /* the chunk's bytes in the object */
    enum layout layout;
    uint64_t nbytes, block_size, nblocks;
    struct blosc1_frame frame;
    uint32_t *begins, *ends; /* owned; frame.nblocks each */
    uint64_t used;           /* the decoder's tick when last asked for */
};

struct decoder {
    uint8_t *scratch; /* mmapped */
    size_t scratch_max, scratch_mapped, scratch_used;
    struct codecs codecs;
    struct chunk *chunks[CHUNKS_MAX]; /* owned */
    size_t nchunks;
    uint64_t tick;
    struct decoder_stats stats;
};

/* Room in the scratch, 64-byte aligned and readable for 8 bytes past its end; all of it is taken back
 * by decoder_scratch_reset. NULL and ERR_MEMORY where it would pass scratch_max. */
void decoder_scratch_reset(struct decoder *decoder);
uint8_t *decoder_scratch(struct decoder *decoder, uint64_t nbytes, struct err *err);

/* Opens the object of a chunk; NULL if the chunk is absent and its array is not. */
int decoder_open_object(const struct zarr_array *array, const char *key, struct object **out,
                        struct err *err);

/* Reads from the chunk's bytes. */
int chunk_read(struct decoder *decoder, const struct chunk *chunk, uint64_t offset, void *to,
               size_t n, struct err *err);

/* Puts the chunk's key and the store's path before the message. Returns -1. */
int decoder_name_chunk(const struct zarr_array *array, const char *key, struct err *err);

int decoder_index_check(const struct zarr_array *array, const uint64_t *index, struct err *err);

/* A walk over a chunk's elements in column-major order: `at` is the C-order position of each. */
struct fortran_walk {
    const struct zarr_meta *meta;
    uint64_t index[ZARR_DIMS_MAX], stride[ZARR_DIMS_MAX];
    uint64_t at;
};
void fortran_begin(struct fortran_walk *walk, const struct zarr_meta *meta);
void fortran_next(struct fortran_walk *walk);

#endif
