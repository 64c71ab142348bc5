/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: decompresses data that is too long to be decompressed at once, from front to back.
 *
 * A stream continues where it stopped, and starts again when it is asked for bytes before that. Its
 * size and checksums concern the whole, so they are checked when the end is reached; the read that
 * reaches the end fails if they are wrong.
 */
#ifndef VCZFS_ZARR_STORE_STREAM_H
#define VCZFS_ZARR_STORE_STREAM_H

#include "encoderd/zarr/store/stream_in.h"

struct stream;

/* The caller frees *out. It takes about 128 KiB of memory, plus zstd's window, or 128 KiB more for
 * LZ4, BloscLZ and Snappy. */
int stream_new(const struct stream_spec *spec, struct stream **out, struct err *err);
void stream_free(struct stream *stream);

/* The memory that it takes now. */
size_t stream_memory(const struct stream *stream);

/* Reads contents [offset, offset + n), which must be below nbytes. */
int stream_read(struct stream *stream, uint64_t offset, void *to, size_t n, struct err *err);

/* Reads the next n bytes of contents, without a check of the total size. *got is less than n only
 * at the end of the stored bytes. Do not mix it with stream_read. */
int stream_pull(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err);

/* Sets the error for a result of ZSTD_decompressStream. Returns -1. */
int stream_zstd_failed(size_t code, struct err *err);

#endif
