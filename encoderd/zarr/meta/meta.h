/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta: an array's metadata, from Zarr v2 (.zarray) or v3 (zarr.json), in one form.
 *
 * Specifications: zarr-specs v2 and v3 core; the numcodecs registry for v2 compressors and filters.
 * Parsing checks everything that can be checked without a chunk: that chunk lengths are positive,
 * no product overflows, the dtype is known, codecs are known and in a legal order, and the fill
 * value has the dtype's kind. What is legal but not supported is ERR_UNSUPPORTED; the message names
 * the array and the part.
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
    DTYPE_STRING, /* variable length, UTF-8: |O with vlen-utf8 (v2), "string" (v3) */
    DTYPE_BYTES,  /* |Sn: size bytes, zero-padded */
    DTYPE_UCS4,   /* <Un: size bytes = 4 × n, zero-padded UTF-32 */
};

struct dtype {
    enum dtype_kind kind;
    uint32_t size; /* bytes of a decoded element; 0 for DTYPE_STRING */
    bool big_endian;
};

/* Bytes-to-bytes codecs, in the order in which they were applied when the chunk was written. */
enum codec_id {
    CODEC_BLOSC,
    CODEC_ZSTD,
    CODEC_GZIP,
    CODEC_ZLIB,
    CODEC_LZ4, /* numcodecs' form: uint32 length, then one LZ4 block */
    CODEC_CRC32C,
};

/* Filters on a chunk's elements, in the order in which they were applied when it was written.
 * Filters that need no undoing (bitround) are left out. */
enum filter_id {
    FILTER_DELTA,    /* the first element, then differences */
    FILTER_FIXED,    /* round((element - offset) * scale) */
    FILTER_PACKBITS, /* number of padding bits, then eight bools a byte, first one highest */
    FILTER_SHUFFLE,  /* byte 0 of all elements, then byte 1 of all, ... */
};

struct zarr_filter {
    enum filter_id id;
    struct dtype decoded, encoded; /* elements before and after encoding; not for FILTER_SHUFFLE */
    double scale, offset;          /* FILTER_FIXED */
    uint32_t unit;                 /* FILTER_SHUFFLE: bytes of an element, > 0 */
};

/* With sharding (v3 sharding_indexed) an object holds several chunks and an index of where each is.
 * Such a chunk may itself be a shard, so there is one level for each, the outermost first. */
struct zarr_shard_level {
    uint64_t chunks[ZARR_DIMS_MAX]; /* in a shard along each axis of the array, > 0 */
    uint64_t nchunks;               /* their product */
    uint8_t axes[ZARR_DIMS_MAX];    /* the axes in the order of the index, slowest first */
    bool index_first;               /* the index is at the beginning; else at the end */
    bool index_big_endian;
    bool index_crc; /* a crc32c follows the index */
};

struct zarr_sharding {
    unsigned nlevels;               /* 0: no sharding */
    uint64_t chunks[ZARR_DIMS_MAX]; /* innermost chunks in an object along each axis; without
                                       sharding 1 */
    struct zarr_shard_level levels[ZARR_SHARDS_MAX];
};

struct zarr_meta {
    unsigned format; /* 2 or 3 */
    unsigned ndim;
    uint64_t shape[ZARR_DIMS_MAX];
    uint64_t chunk[ZARR_DIMS_MAX]; /* > 0; with sharding, of the innermost chunks */
    struct zarr_sharding sharding;
    struct dtype dtype;
    bool fortran;                /* the elements of a chunk are not in C order: see axes */
    uint8_t axes[ZARR_DIMS_MAX]; /* as stored, slowest first; 0, 1, ... unless fortran */
    char separator;              /* '.' or '/' */
    bool key_prefix;             /* keys begin with "c/", as in v3 "default": "c/0/0" */
    uint8_t fill[8];             /* one element, native byte order; strings: see fill_string */
    char *fill_string;           /* owned; NULL means "" */
    enum codec_id codecs[ZARR_CODECS_MAX];
    size_t ncodecs;
    struct zarr_filter filters[ZARR_FILTERS_MAX];
    size_t nfilters;
    char codec_text[96];             /* "blosc(zstd, bitshuffle)": for messages */
    uint64_t chunk_elements;         /* product of chunk[] */
    uint64_t filtered_nbytes;        /* of a chunk after all filters: the input of the codecs */
    uint64_t nchunks[ZARR_DIMS_MAX]; /* ceil(shape / chunk); 0 for an axis of length 0 */
};

/* Both parse the text of a metadata file. `array` is the array's name for messages. */
int zarr_meta_parse_v2(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err);
int zarr_meta_parse_v3(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err);
void zarr_meta_clear(struct zarr_meta *meta);

/* "int8", "float32", "string", ..., for messages. buf has at least 24 bytes. */
char *dtype_name(const struct dtype *dtype, char *buf, size_t buf_size);

#endif
