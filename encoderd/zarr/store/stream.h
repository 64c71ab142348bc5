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

#include "encoderd/zarr/store/stream_in.h"

struct stream;

/* The caller frees *out. Its own memory is about 128 KiB, and zstd's window, or 128 KiB more for
 * LZ4, BloscLZ and Snappy. */
int stream_new(const struct stream_spec *spec, struct stream **out, struct err *err);
void stream_free(struct stream *stream);

/* Memory that it takes now. */
size_t stream_memory(const struct stream *stream);

/* Contents [offset, offset + n), which must be below nbytes. */
int stream_read(struct stream *stream, uint64_t offset, void *to, size_t n, struct err *err);

/* The next n bytes of contents, whatever there are in all; *got is less only at the end, which is
 * that of the stored bytes too. Not to be mixed with stream_read. */
int stream_pull(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err);

/* Says what ZSTD_decompressStream's error is. Returns -1. */
int stream_zstd_failed(size_t code, struct err *err);

#endif
