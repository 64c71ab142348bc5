/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: decompression of what is too long to be decompressed at once, from front to back.
 *
 * A stream goes on from where it is, and starts again when it is asked for what lies behind. Sizes
 * and checksums are those of the whole: they can only be verified, and are, when the end is
 * reached; the read that reaches it fails if they do not hold.
 */
#ifndef VCZFS_ZARR_STORE_STREAM_H
#define VCZFS_ZARR_STORE_STREAM_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

enum stream_kind { STREAM_PLAIN, STREAM_ZSTD, STREAM_GZIP, STREAM_ZLIB, STREAM_DEFLATE };

struct stream_spec {
    enum stream_kind kind;
    /* Stored bytes [offset, offset + n), all below `length`. */
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    void *arg; /* borrowed, as long as the stream is */
    uint64_t length;
    uint64_t nbytes;         /* what it must decompress to */
    bool crc32c_of_contents; /* four more bytes of contents are the crc32c of the rest */
    bool crc32c_of_stored;   /* the last four stored bytes are the crc32c of the rest */
    bool has_crc32;          /* the contents have this CRC-32 (zip) */
    uint32_t crc32;
    size_t window_max; /* the most memory that zstd may ask for; a need for more is ERR_BUDGET */
};

/* The caller frees *out. Its own memory is about 128 KiB, and zstd's window. */
int stream_new(const struct stream_spec *spec, struct stream **out, struct err *err);
void stream_free(struct stream *stream);

/* Memory that it takes now. */
size_t stream_memory(const struct stream *stream);

/* Contents [offset, offset + n), which must be below nbytes. */
int stream_read(struct stream *stream, uint64_t offset, void *to, size_t n, struct err *err);

#endif
