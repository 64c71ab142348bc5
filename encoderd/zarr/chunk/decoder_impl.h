/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder_impl: the members of a decoder and of its chunks.
 */
#ifndef VCZFS_ZARR_CHUNK_DECODER_IMPL_H
#define VCZFS_ZARR_CHUNK_DECODER_IMPL_H

#include "common/evidence.h"
#include "common/pool.h"
#include "encoderd/zarr/chunk/chunk.h"
#include "encoderd/zarr/chunk/stored.h"
#include "encoderd/zarr/codec/codec.h"
#include "encoderd/zarr/store/stream.h"

/* Chunks that a decoder keeps, and with them their objects open: so many, and no more than its
 * share, as one of DECODERS_MAX, of the files that the process may have open; but a few. */
#define CHUNKS_MAX 64
#define CHUNKS_FEW 8

struct layout_ops;

/* A stored chunk as this decoder cuts it. */
struct chunk {
    const struct zarr_array *array; /* borrowed; set again at every look-up */
    uint64_t index[ZARR_DIMS_MAX];
    uint8_t identity[32]; /* of the array */
    char label[CHUNK_LABEL_MAX];
    struct stored *stored; /* a reference */
    uint64_t base, length; /* the bytes to decode, in the object of `stored` */
    const struct layout_ops *layout;
    uint64_t nbytes, block_size, nblocks;
    uint64_t used; /* the decoder's tick at the last use */
};

/* A chunk that is being streamed; none if stream is NULL. There are several, because rows may go
 * through several chunks side by side. */
#define STREAMS_MAX 8
struct streaming {
    struct decoder *decoder; /* whose it is */
    struct chunk *chunk;
    struct stream *stream; /* owned */
    uint64_t used;         /* the decoder's tick at the last read */
    uint8_t *last;         /* owned; a copy of the last block; NULL: none */
    uint64_t last_begin;
    size_t last_nbytes;
};

/* A block whose bytes are all the same, as it was stored. Blocks that are stored in the same way
 * need not be decoded. */
struct constant {
    struct stored_block as; /* nstored 0: none is known */
    uint8_t value;
};

struct decoder {
    uint8_t *scratch; /* mmapped */
    size_t scratch_max, scratch_mapped, scratch_used;
    struct codecs codecs;
    struct chunk *chunks[CHUNKS_MAX]; /* owned */
    size_t nchunks, nchunks_max;
    struct pool spare;             /* chunks */
    struct chunk_table *table;     /* what is known of chunks; the decoder's own, or borrowed: */
    struct chunk_table *own;       /* owned */
    const struct chunk_need *need; /* see decoder_use; or NULL */
    struct cache *cache;           /* borrowed; NULL if there is none */
    struct block_cache *kept;      /* borrowed; NULL if there is none */
    bool keeps;                    /* decoded blocks are put there */
    bool spills; /* the store read last has a temporary file: for advice in errors */
    struct streaming streams[STREAMS_MAX];
    struct constant constant;
    uint64_t tick;
    struct decoder_stats stats;
    struct evidence_slot *slot; /* in the process's page; NULL: none */
};

/* Blocks [first, last], in these forms. */
struct blocks_wanted {
    uint64_t first, last;
    unsigned forms;
};

struct layout_ops {
    /* Decodes block i, whose begin and nbytes are set, into the scratch. */
    int (*block)(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                 struct block *out, struct err *err);
    /* Asks for the stored bytes of blocks; NULL: they are more than can be held. */
    enum need (*needs)(struct decoder *decoder, struct chunk *chunk,
                       const struct blocks_wanted *wanted, struct chunk_need *need,
                       struct err *err);
    /* Frees what the decoder keeps for the chunk; NULL: it keeps nothing. */
    void (*drop)(struct decoder *decoder, const struct chunk *chunk);
    /* A layout with blocks of the same size, for use if decoding finds that there is not enough
     * memory; NULL: none. */
    const struct layout_ops *otherwise;
    bool in_blocks; /* each is decoded by itself */
};

/* Records as evidence that this thread is about to read the chunk. -1 with ERR_HELD if the chunk is
 * held back. */
int decoder_begin(struct decoder *decoder, const struct zarr_array *array, const char *label,
                  struct err *err);

/* Takes room in the scratch, 64-byte aligned and readable for 8 bytes past its end.
 * decoder_scratch_reset takes all of it back. NULL with ERR_BUDGET if it would pass scratch_max. */
void decoder_scratch_reset(struct decoder *decoder);
uint8_t *decoder_scratch(struct decoder *decoder, uint64_t nbytes, struct err *err);
#define SCRATCH_SLACK ((uint64_t)128) /* how much this may add to an area */

/* Reads stored bytes of the chunk: from the need in use, or from the store if the need does not
 * have them. */
int chunk_read(struct decoder *decoder, const struct chunk *chunk, uint64_t offset, void *to,
               size_t n, struct err *err);

/* The same without a copy if possible, else into the scratch. The caller may change these bytes and
 * the BYTES_LEAD bytes before them, but must restore them. NULL: no scratch, or a failed read. */
#define BYTES_LEAD ((size_t)60) /* aligns what follows the 4 bytes of a block's length */
uint8_t *chunk_bytes(struct decoder *decoder, const struct chunk *chunk, uint64_t offset, size_t n,
                     struct err *err);

/* Asks for bytes [begin, end) of the chunk's object; `shared`: other needs want the same bytes. The
 * other function asks for all bytes of the chunk. */
enum need chunk_need_bytes(const struct chunk *chunk, uint64_t begin, uint64_t end, bool shared,
                           struct chunk_need *need, struct err *err);
enum need chunk_need_whole(struct chunk *chunk, struct chunk_need *need, struct err *err);

/* The decoded size of block i. */
size_t chunk_block_nbytes(const struct chunk *chunk, uint64_t i);

/* A block was decoded. */
void decoder_count(struct decoder *decoder, const struct block *block);

/* Removes the chunk from the decoder. */
void decoder_free_chunk(struct decoder *decoder, struct chunk *chunk);

/* Puts the chunk's label and the store's path before the message. Returns -1. */
int decoder_name_chunk(const struct zarr_array *array, const char *label, struct err *err);

/* Changes bytes from the store's byte order to the machine's. */
void bytes_to_native(const struct dtype *dtype, uint8_t *data, size_t nbytes);

/* The chunk's entry in the temporary file, filled if it is missing; give it back with spill_put.
 * Scratch that is in use stays. */
struct spill_entry;
int chunk_spilled(struct decoder *decoder, struct chunk *chunk, struct spill_entry **out,
                  struct err *err);

int decoder_index_check(const struct zarr_array *array, const uint64_t *index, struct err *err);

/* Walks over a chunk's elements in the order in which they are stored; `at` is the C-order position
 * of each. */
struct fortran_walk {
    const struct zarr_meta *meta;
    uint64_t index[ZARR_DIMS_MAX], stride[ZARR_DIMS_MAX];
    uint64_t at;
};
void fortran_begin(struct fortran_walk *walk, const struct zarr_meta *meta);
void fortran_next(struct fortran_walk *walk);

#endif
