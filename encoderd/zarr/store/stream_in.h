/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_in: what a stream is to be made of, and its stored bytes from front to back.
 */
#ifndef VCZFS_ZARR_STORE_STREAM_IN_H
#define VCZFS_ZARR_STORE_STREAM_IN_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_kind {
    STREAM_PLAIN,
    STREAM_ZSTD,
    STREAM_GZIP,
    STREAM_ZLIB,
    STREAM_DEFLATE,
    /* A block each, of any length: nbytes must be said. */
    STREAM_LZ4,
    STREAM_BLOSCLZ,
    STREAM_SNAPPY,
};

struct stream_spec {
    enum stream_kind kind;
    /* Stored bytes [offset, offset + n), all below `length`. */
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    void *arg; /* borrowed, as long as the stream is */
    uint64_t length;
    uint64_t nbytes;         /* what it must decompress to; stream_pull alone does not ask */
    bool crc32c_of_contents; /* four more bytes of contents are the crc32c of the rest */
    bool crc32c_of_stored;   /* the last four stored bytes are the crc32c of the rest */
    bool has_crc32;          /* the contents have this CRC-32 (zip) */
    uint32_t crc32;
    size_t window_max; /* the most memory that zstd may ask for; a need for more is ERR_BUDGET */
};

struct stream_in {
    const struct stream_spec *spec;
    uint64_t stored; /* bytes that are here or were, a checksum left out */
    size_t at, n;    /* unused: bytes[at .. n) */
    uint32_t crc32c;
    uint8_t bytes[64 << 10];
};

/* How many are left. */
static inline uint64_t stream_in_left(const struct stream_in *in)
{
    return in->spec->length - in->stored + (in->n - in->at);
}
/* Once all that are here are used: more of them. */
int stream_in_more(struct stream_in *in, struct err *err);

#endif
