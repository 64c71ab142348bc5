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
 * streamed: blocks are pieces too. Reading them in order is cheap, in any other order it is
 * expensive. An error that shows only at the chunk's end (a wrong size or checksum) is an error of
 * the last piece. Decompressors of streams take up to half as much memory again as the scratch.
 * What cannot be streamed (LZ4, several compressors, filters, other orders than C, long Blosc
 * blocks, strings, zstd windows beyond the scratch) is decoded once, for all decoders, into a
 * temporary file (spill.h); where the process has none it is an error that says so.
 *
 * With sharding, chunks are the innermost ones inside the shards.
 *
 * The bytes are the array's elements in C order and native byte order, except for BLOCK_PLANES. A
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
 * What one thread needs to decode: decompression contexts, scratch (mapped with mmap), and the
 * layouts of a few chunks, each of which holds an entry of the chunk_table. `scratch_max` limits
 * the bytes of scratch. A store must not be freed while a decoder holds chunks of it: trim or free
 * the decoder first. Arrays may be freed.
 */
struct decoder *decoder_new(size_t scratch_max, struct err *err);
void decoder_free(struct decoder *decoder);

/* Gives scratch pages back to the system and closes cached chunks; the decoder stays usable. */
void decoder_trim(struct decoder *decoder);

/* Sets the cache, which must outlive the decoder. An entry belongs to a store by the store's
 * address, so call cache_trim before a store is freed. */
void decoder_set_cache(struct decoder *decoder, struct cache *cache);

/* From now on the decoder uses this table (chunk_table.h) in place of its own. The table must
 * outlive the decoder. */
void decoder_share(struct decoder *decoder, struct chunk_table *table);

/* Sets the block cache, where the decoder looks before it decodes a block that may come as planes.
 * It must outlive the decoder; its entries belong to a store as those of a cache do. */
void decoder_set_kept(struct decoder *decoder, struct block_cache *kept);

/* Whether blocks that come as planes are put into the block cache from now on. For sequential reads
 * they are not, because those need a block only once. */
void decoder_keep(struct decoder *decoder, bool keep);

/* The thread does not work on the decoder's chunks for now: if the process dies, the evidence names
 * none of them. */
void decoder_rest(struct decoder *decoder);

struct decoder_stats {
    uint64_t blocks;        /* decoded since the decoder was made */
    uint64_t bytes_read;    /* compressed, from the store */
    uint64_t bytes_decoded; /* as blocks */
    uint64_t unforeseen;    /* reads from the store although a need should have had the bytes */
};
void decoder_stats(const struct decoder *decoder, struct decoder_stats *out);

/* The chunk at `index` (meta.ndim numbers, checked). It belongs to the decoder and is valid until
 * the next decoder_chunk on it. An absent chunk can be opened, too: its blocks are the fill value.
 * Not for DTYPE_STRING arrays: see zarr_chunk_strings. */
int decoder_chunk(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                  struct chunk **out, struct err *err);

/* The same, but it waits no longer than the need allows. */
enum need decoder_need_chunk(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, struct chunk_need *need, struct chunk **out,
                             struct err *err);

/* Blocks of a chunk that will be decoded. Zero-initialise, then set the members that the caller
 * sets. */
struct blocks_need {
    /* Set by the asker. */
    struct decoder *decoder;
    struct chunk *chunk;
    unsigned forms; /* as for decoder_block_as */
    struct chunk_need *need;

    enum need answer;
    uint64_t nblocks; /* blocks asked for; repetitions in a row count once */
    bool any;         /* the need has not been asked for [first, last] yet */
    uint64_t first, last;
};

/* Adds blocks [first, last], if possible in ascending order. */
void blocks_need_add(struct blocks_need *blocks, uint64_t first, uint64_t last, struct err *err);

/* Call it after the last block was added. NEED_THERE: decoding them does not wait while the decoder
 * uses the need, until that is cleared. NEED_SLOW: the chunk cannot be decoded from bytes that are
 * held all at once. FAILED: err is set as by decoder_block. */
enum need blocks_need_end(struct blocks_need *blocks, struct err *err);

/* Asks for the bytes that zarr_chunk_ints_at and zarr_chunk_strings_at read for elements [first,
 * first + n) of a chunk, n > 0. Strings of variable length need all of the chunk's bytes. */
enum need zarr_need_elements(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, uint64_t first, uint64_t n,
                             struct chunk_need *need, struct err *err);

/* From now on stored bytes are taken from this need if it has them. NULL: from the store. */
void decoder_use(struct decoder *decoder, const struct chunk_need *need);

uint64_t chunk_nbytes(const struct chunk *chunk); /* decoded */
uint64_t
chunk_block_size(const struct chunk *chunk); /* decoded bytes of every block but the last */
uint64_t chunk_nblocks(const struct chunk *chunk);
bool chunk_is_absent(const struct chunk *chunk);
bool chunk_is_in_blocks(const struct chunk *chunk); /* each block is decoded by itself */

enum block_form {
    BLOCK_PLAIN,
    /* Bit-shuffled, element size 1: `planes`. nbytes % 8 == 0. */
    BLOCK_PLANES,
    /* Every byte of the block has the value of *data; only that byte may be read. */
    BLOCK_CONSTANT,
};

struct block {
    enum block_form form;
    bool known; /* its contents were known without decoding */
    /* In the decoder's scratch: valid until the decoder's next call. */
    const uint8_t *data; /* unless it comes as planes */
    struct planes planes;
    uint64_t begin; /* its first byte in the decoded chunk */
    size_t nbytes;
};

/* Decodes block `i`. With planes_ok, a block that is stored bit-shuffled with element size 1 comes
 * as planes; without it, blocks are always plain. */
int decoder_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err);

/* The same, with the forms that are allowed besides BLOCK_PLAIN. BLOCK_CONSTANT is possible for a
 * block of one-byte elements that are all the same: if it is absent, or if it has the Blosc layout
 * and is stored byte for byte like the last constant block; then it is not decoded. */
enum {
    BLOCK_MAY_BE_PLANES = 1,
    BLOCK_MAY_BE_CONSTANT = 2,
};
int decoder_block_as(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                     struct block *out, struct err *err);

/* The stored bytes of a block of the Blosc layout, if they are few. Blocks of one array for which
 * all of this is equal have the same contents. */
#define STORED_BLOCK_MAX 128
struct stored_block {
    size_t nstored; /* 0: not known, and equal to nothing */
    size_t nbytes;  /* decoded */
    uint8_t flags, version_lz, typesize;
    uint8_t stored[STORED_BLOCK_MAX];
};
bool stored_blocks_equal(const struct stored_block *a, const struct stored_block *b);

/* Reads it for block `i`, without decoding. */
int decoder_stored(struct decoder *decoder, struct chunk *chunk, uint64_t i,
                   struct stored_block *out, struct err *err);

/* Whole chunks, for columns, in the full chunk shape: also what lies past the array's edge. */

/* Every element as int64 (bool, int, uint arrays; a uint64 over INT64_MAX is ERR_CORRUPT); `out`
 * has room for meta.chunk_elements. */
int zarr_chunk_ints(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                    int64_t *out, struct err *err);

/* The same for n elements from `first` on, all inside the chunk. */
int zarr_chunk_ints_at(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, uint64_t first, uint64_t n, int64_t *out,
                       struct err *err);

struct str {
    const char *at; /* UTF-8, not terminated */
    size_t len;
};

/* Strings of a chunk, or of a part of one. Zero-initialise; it can be used again; free with
 * strings_free. */
struct strings {
    struct str *items; /* owned; nitems of them */
    size_t nitems;
    uint64_t first;   /* the number of items[0] in the chunk */
    bool absent;      /* the chunk is not stored, so all strings are the fill value */
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

/* All strings of a chunk, of any string dtype (vlen, |S, U). They are valid UTF-8, without zero
 * padding at the end. */
int zarr_chunk_strings(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, struct strings *out, struct err *err);

/* Strings [first, first + least), which must be inside the chunk, and others around them, perhaps
 * all, as far as `budget` bytes allow. It takes more than the budget only if the wanted strings
 * alone need more. A chunk that does not fit is decoded once, into the temporary file if there is
 * one. */
int zarr_chunk_strings_at(struct decoder *decoder, const struct zarr_array *array,
                          const uint64_t *index, uint64_t first, uint64_t least, size_t budget,
                          struct strings *out, struct err *err);

/* Whole one-dimensional arrays, for small ones (samples, contigs, filters). */
int zarr_array_strings(struct decoder *decoder, const struct zarr_array *array, struct strings *out,
                       struct err *err);

#endif
