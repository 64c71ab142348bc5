/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta: what an array's metadata says, Zarr v2 (.zarray) or v3 (zarr.json), in one form.
 *
 * Specifications: zarr-specs v2 and v3 core; the numcodecs registry for v2 compressors and filters.
 * Parsing checks everything that can be checked without looking at a chunk: positive chunk lengths,
 * no product that overflows, a known dtype, known codecs in a legal order, a fill value of the
 * dtype's kind. What is legal but not read by vczfs is ERR_UNSUPPORTED and names the array and the
 * part.
 */
#ifndef VCZFS_ZARR_META_META_H
#define VCZFS_ZARR_META_META_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZARR_DIMS_MAX    8
#define ZARR_CODECS_MAX  8
#define ZARR_FILTERS_MAX 4
#define ZARR_SHARDS_MAX  3

enum dtype_kind {
    DTYPE_BOOL,
    DTYPE_INT,
    DTYPE_UINT,
    DTYPE_FLOAT,
    DTYPE_STRING, /* variable length, UTF-8: v2 |O with vlen-utf8, v3 "string" */
    DTYPE_BYTES,  /* |Sn: size bytes, zero-padded */
    DTYPE_UCS4,   /* <Un: size bytes = 4 × n, zero-padded UTF-32 */
};

struct dtype {
    enum dtype_kind kind;
    uint32_t size; /* bytes an element takes when decoded; 0 for DTYPE_STRING */
    bool big_endian;
};

/* Bytes-to-bytes codecs, in the order in which they were applied when the chunk was written. */
enum codec_id {
    CODEC_BLOSC,
    CODEC_ZSTD,
    CODEC_GZIP,
    CODEC_ZLIB,
    CODEC_LZ4, /* numcodecs': uint32 length, then one LZ4 block */
    CODEC_CRC32C,
};

/* v2 filters over a chunk's elements, in the order in which they were applied when it was written.
 * What changes nothing when undone (bitround) is not among them. */
enum filter_id {
    FILTER_DELTA,    /* the first element, then differences */
    FILTER_FIXED,    /* round((element - offset) * scale) */
    FILTER_PACKBITS, /* how many bits pad the end, then eight bools a byte, the first one highest */
    FILTER_SHUFFLE,  /* bytes 0 of all elements, bytes 1, ... */
};

struct zarr_filter {
    enum filter_id id;
    struct dtype decoded, encoded; /* of an element on either side; FILTER_SHUFFLE: not used */
    double scale, offset;          /* FILTER_FIXED */
    uint32_t unit;                 /* FILTER_SHUFFLE: bytes an element, > 0 */
};

/* One object holds a block of chunks (v3 sharding_indexed), with an index of where each lies. What
 * lies there may be such a block again: a level for each, the outermost first. */
struct zarr_shard_level {
    uint64_t chunks[ZARR_DIMS_MAX]; /* that it is cut into along each axis of the array, > 0 */
    uint64_t nchunks;               /* their product */
    uint8_t axes[ZARR_DIMS_MAX];    /* in the order in which the index counts, slowest first */
    bool index_first;               /* else the index is at the end */
    bool index_big_endian;
    bool index_crc; /* a crc32c follows the index's entries */
};

struct zarr_sharding {
    unsigned nlevels;               /* 0: no sharding */
    uint64_t chunks[ZARR_DIMS_MAX]; /* innermost ones in an object, along each axis; 1 without
                                       sharding */
    struct zarr_shard_level levels[ZARR_SHARDS_MAX];
};

struct zarr_meta {
    unsigned format; /* 2 or 3 */
    unsigned ndim;
    uint64_t shape[ZARR_DIMS_MAX];
    uint64_t chunk[ZARR_DIMS_MAX]; /* > 0; where there is sharding, of the innermost chunks */
    struct zarr_sharding sharding;
    struct dtype dtype;
    bool fortran;                /* elements of a chunk are in another order than C: see axes */
    uint8_t axes[ZARR_DIMS_MAX]; /* as stored, slowest first; 0, 1, ... where fortran is not set */
    char separator;              /* '.' or '/' */
    bool key_prefix;             /* v3 "default" chunk keys: "c/0/0" */
    uint8_t fill[8];             /* one element, native byte order; strings: see fill_string */
    char *fill_string;           /* owned; NULL means "" */
    enum codec_id codecs[ZARR_CODECS_MAX];
    size_t ncodecs;
    struct zarr_filter filters[ZARR_FILTERS_MAX];
    size_t nfilters;
    char codec_text[96];             /* "blosc(zstd, bitshuffle)": for people */
    uint64_t chunk_elements;         /* product of chunk[] */
    uint64_t filtered_nbytes;        /* of a chunk after all filters: what the codecs were given */
    uint64_t nchunks[ZARR_DIMS_MAX]; /* ceil(shape / chunk), 0 where shape is 0 */
};

/* Both take the text of the metadata file, and the array's name for messages. */
int zarr_meta_parse_v2(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err);
int zarr_meta_parse_v3(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err);
void zarr_meta_clear(struct zarr_meta *meta);

/* "int8", "float32", "string", ...: for people. buf has at least 24 bytes. */
char *dtype_name(const struct dtype *dtype, char *buf, size_t buf_size);

#endif
