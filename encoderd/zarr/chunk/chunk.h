/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk: the bytes of a chunk, block by block.
 *
 * A block is the least part of a chunk that can be decoded by itself: a Blosc block, a piece of a
 * chunk stored raw, or, for codecs that have no inner structure (zstd, gzip, ... over the whole
 * chunk, chunks in another order than C, filters), the whole chunk. Memory is one scratch area per
 * decoder, never more than the budget it was made with; a block that does not fit is an error that
 * says so.
 *
 * Where a decoder has a cache, a chunk that can only be decoded whole is decoded into it once, for
 * all decoders, and its blocks are pieces of that; the same goes for each Blosc block of 4 MiB and
 * more. Where a chunk fits neither the cache nor the scratch, zstd, gzip, zlib and crc32c are
 * streamed: blocks are pieces too, cheap in order and dear in any other, and what can only be known
 * at the chunk's end (that it is of the right size, its checksum) is an error of the last piece.
 * Decompressors of streams take up to half as much memory again as the scratch. What cannot be
 * streamed (LZ4, several compressors, filters, other orders than C, long Blosc blocks, strings,
 * zstd windows beyond the scratch) is decoded once, for all decoders, into a temporary file
 * (spill.h); where the process has none it is an error that says so.
 *
 * Where there is sharding, chunks are the innermost ones within the shards.
 *
 * Bytes are as the array's elements lie in C order, in native byte order, except BLOCK_PLANES. A
 * block holds whole elements.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_H
#define VCZFS_ZARR_CHUNK_CHUNK_H

#include "encoderd/zarr/chunk/block_cache.h"
#include "encoderd/zarr/chunk/chunk_need.h"
#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/codec/planes.h"
#include "encoderd/zarr/meta/array.h"
#include "encoderd/zarr/store/cache.h"

struct decoder;
struct chunk;

/*
 * One thread's means to decode: decompression contexts, scratch (mmapped), and the layouts of a few
 * chunks, each of which holds what its chunk_table knows of the chunk. `scratch_max` bounds the
 * scratch in bytes. A store must not be freed while a decoder holds chunks of it: trim or free the
 * decoder first. Arrays may come and go.
 */
struct decoder *decoder_new(size_t scratch_max, struct err *err);
void decoder_free(struct decoder *decoder);

/* Gives scratch pages back to the system and closes cached chunks; the decoder stays usable. */
void decoder_trim(struct decoder *decoder);

/* The cache must outlive the decoder. Entries belong to a store by its address: cache_trim before a
 * store is freed. */
void decoder_set_cache(struct decoder *decoder, struct cache *cache);

/* From now on what is known of chunks is this table's (chunk_table.h), which must outlive the
 * decoder, and not one of the decoder's own. */
void decoder_share(struct decoder *decoder, struct chunk_table *table);

/* Where to look for blocks that may come as planes before decoding them. It must outlive the
 * decoder; entries belong to a store as those of a cache do. */
void decoder_set_kept(struct decoder *decoder, struct block_cache *kept);

/* From now on blocks that come as planes are kept there, or not: what is read in sequence is not
 * needed again. */
void decoder_keep(struct decoder *decoder, bool keep);

/* The thread is done with what it has of the decoder's chunks, for now: should the process die, it
 * is not of them. */
void decoder_rest(struct decoder *decoder);

struct decoder_stats {
    uint64_t blocks;        /* decoded since the decoder was made */
    uint64_t bytes_read;    /* compressed, from the store */
    uint64_t bytes_decoded; /* as blocks */
    uint64_t
        unforeseen; /* reads from the store while there was a need that should have had the bytes */
};
void decoder_stats(const struct decoder *decoder, struct decoder_stats *out);

/* The chunk at `index` (meta.ndim numbers, checked). It belongs to the decoder and is valid until
 * the next decoder_chunk on it. An absent chunk opens too: its blocks are the fill value. Not for
 * DTYPE_STRING arrays: see zarr_chunk_strings. */
int decoder_chunk(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                  struct chunk **out, struct err *err);

/* The same, with no more waiting than the need allows. */
enum need decoder_need_chunk(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, struct chunk_need *need, struct chunk **out,
                             struct err *err);

/* Blocks of a chunk that somebody is going to decode. Zero-initialise, then set what the asker
 * sets. */
struct blocks_need {
    /* Set by the asker. */
    struct decoder *decoder;
    struct chunk *chunk;
    unsigned forms; /* as for decoder_block_as */
    struct chunk_need *need;

    enum need answer;
    uint64_t nblocks; /* that were asked for, those that were twice in a row once */
    bool any;         /* [first, last] have not been asked of the need yet */
    uint64_t first, last;
};

/* Blocks [first, last], best in order. */
void blocks_need_add(struct blocks_need *blocks, uint64_t first, uint64_t last, struct err *err);

/* After the last. NEED_THERE: decoding them takes no waiting while the decoder uses the need, until
 * that is cleared. NEED_SLOW: the chunk cannot be decoded from bytes held all at once. FAILED: err
 * is as decoder_block sets it. */
enum need blocks_need_end(struct blocks_need *blocks, struct err *err);

/* What it takes to read elements [first, first + n) of a chunk, n > 0, as zarr_chunk_ints_at,
 * zarr_chunk_floats and zarr_chunk_strings_at do; of strings of any length, all of the chunk's
 * bytes. */
enum need zarr_need_elements(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, uint64_t first, uint64_t n,
                             struct chunk_need *need, struct err *err);

/* From now on stored bytes are taken from this need where it has them; NULL: from the store. */
void decoder_use(struct decoder *decoder, const struct chunk_need *need);

uint64_t chunk_nbytes(const struct chunk *chunk); /* decoded */
uint64_t
chunk_block_size(const struct chunk *chunk); /* decoded bytes of every block but the last */
uint64_t chunk_nblocks(const struct chunk *chunk);
bool chunk_is_absent(const struct chunk *chunk);
bool chunk_is_in_blocks(const struct chunk *chunk); /* each is decoded by itself */

enum block_form {
    BLOCK_PLAIN,
    /* Bit-shuffled, element size 1: `planes`. nbytes % 8 == 0. */
    BLOCK_PLANES,
    /* Every byte of the block is *data, which alone can be read. */
    BLOCK_CONSTANT,
};

struct block {
    enum block_form form;
    bool known; /* what it holds was known: it was not decoded */
    /* In the decoder's scratch: valid until the decoder's next call. */
    const uint8_t *data; /* unless it comes as planes */
    struct planes planes;
    uint64_t begin; /* its first byte in the decoded chunk */
    size_t nbytes;
};

/* Decodes block `i`. With planes_ok, a block that is stored bit-shuffled with element size 1 is
 * handed over as planes; without, always plain. */
int decoder_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err);

/* The same, with the forms beside BLOCK_PLAIN that will do. A block of one-byte elements that are
 * all the same may come as BLOCK_CONSTANT: absent ones do, and those of the Blosc layout that are
 * stored as the last such one was, byte for byte, which are then not decoded. */
enum {
    BLOCK_MAY_BE_PLANES = 1,
    BLOCK_MAY_BE_CONSTANT = 2,
};
int decoder_block_as(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                     struct block *out, struct err *err);

/* How a block of the Blosc layout is stored, where that takes few bytes. Blocks of one array of
 * which all of this is the same decode to the same bytes. */
#define STORED_BLOCK_MAX 128
struct stored_block {
    size_t nstored; /* 0: it is not known, and equal to nothing */
    size_t nbytes;  /* decoded */
    uint8_t flags, version_lz, typesize;
    uint8_t stored[STORED_BLOCK_MAX];
};
bool stored_blocks_equal(const struct stored_block *a, const struct stored_block *b);

/* Of block `i`, without decoding it. */
int decoder_stored(struct decoder *decoder, struct chunk *chunk, uint64_t i,
                   struct stored_block *out, struct err *err);

/* Whole chunks, for columns. Full chunk shape (what lies past the array's edge included). */

/* Every element as int64 (bool, int, uint arrays; a uint64 over INT64_MAX is ERR_CORRUPT); `out`
 * has room for meta.chunk_elements. */
int zarr_chunk_ints(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                    int64_t *out, struct err *err);

/* The same for n elements from `first` on, all of them the chunk's. */
int zarr_chunk_ints_at(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, uint64_t first, uint64_t n, int64_t *out,
                       struct err *err);

/* Every element of a float array as a double, and, unless kinds is NULL, whether it is a value: see
 * floats.h. Both have room for meta.chunk_elements. */
int zarr_chunk_floats(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, double *out, uint8_t *kinds, struct err *err);

struct str {
    const char *at; /* UTF-8, not terminated */
    size_t len;
};

/* Strings of one chunk, or of a part of it. Zero-initialise; reuse; strings_free. */
struct strings {
    struct str *items; /* owned; nitems of them */
    size_t nitems;
    uint64_t first;   /* the chunk's element that items[0] is */
    bool absent;      /* the chunk is not stored: all of it is the fill value, as these are */
    struct buf bytes; /* what items point into */
    size_t cap;
};
void strings_free(struct strings *strings);

/* Are elements [first, first + n) among them? */
static inline bool strings_hold(const struct strings *strings, uint64_t first, uint64_t n)
{
    return first >= strings->first && first - strings->first <= strings->nitems &&
           n <= strings->nitems - (first - strings->first);
}

/* Any string dtype (vlen, |S, U), checked UTF-8, trailing zero padding removed. All of the
 * chunk's. */
int zarr_chunk_strings(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, struct strings *out, struct err *err);

/* Elements [first, first + least), which must be the chunk's, and so many others around them, maybe
 * all, that `budget` bytes hold; it is exceeded only where those alone need more. A chunk that does
 * not fit is decoded once, into the temporary file if there is one. */
int zarr_chunk_strings_at(struct decoder *decoder, const struct zarr_array *array,
                          const uint64_t *index, uint64_t first, uint64_t least, size_t budget,
                          struct strings *out, struct err *err);

/* Whole one-dimensional arrays, for the small ones (samples, contigs, filters). */
int zarr_array_strings(struct decoder *decoder, const struct zarr_array *array, struct strings *out,
                       struct err *err);

#endif
