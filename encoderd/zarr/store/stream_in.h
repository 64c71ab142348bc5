/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_in: the description of a stream, and its stored bytes from front to back.
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
    /* One block of any length; nbytes must be set. */
    STREAM_LZ4,
    STREAM_BLOSCLZ,
    STREAM_SNAPPY,
};

struct stream_spec {
    enum stream_kind kind;
    /* Reads stored bytes [offset, offset + n), all below `length`. */
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    void *arg; /* borrowed, as long as the stream is */
    uint64_t length;
    uint64_t nbytes;         /* the size of its contents; stream_pull does not check it */
    bool crc32c_of_contents; /* four more bytes of contents are the crc32c of the rest */
    bool crc32c_of_stored;   /* the last four stored bytes are the crc32c of the rest */
    bool has_crc32;          /* the contents have this CRC-32 (zip) */
    uint32_t crc32;
    size_t window_max; /* the most memory for zstd's window; more is ERR_BUDGET */
};

struct stream_in {
    const struct stream_spec *spec;
    uint64_t stored; /* bytes fetched so far, without a checksum */
    size_t at, n;    /* unused: bytes[at .. n) */
    uint32_t crc32c;
    uint8_t bytes[64 << 10];
};

/* How many are left. */
static inline uint64_t stream_in_left(const struct stream_in *in)
{
    return in->spec->length - in->stored + (in->n - in->at);
}
/* Fetches more bytes. Call it when all bytes in the buffer are used. */
int stream_in_more(struct stream_in *in, struct err *err);

#endif
