/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec: bytes-to-bytes codecs over a whole chunk.
 */
#ifndef VCZFS_ZARR_CODEC_CODEC_H
#define VCZFS_ZARR_CODEC_CODEC_H

#include "common/buf.h"
#include "encoderd/zarr/meta/meta.h"

#include <libdeflate.h>
#include <zstd.h>

/* Decompression state, made once and used by one thread. */
struct codecs {
    ZSTD_DCtx *zstd;
    struct libdeflate_decompressor *deflate;
};

int codecs_init(struct codecs *codecs, struct err *err);
void codecs_free(struct codecs *codecs);

/* Undoes meta->codecs on the n bytes at `from`. The result must have exactly `nbytes` bytes. */
int codecs_decode(const struct codecs *codecs, const struct zarr_meta *meta, const uint8_t *from,
                  size_t n, uint8_t *to, size_t nbytes, struct err *err);

/* The same if the size of the result is not known (strings). Appends to out; more than `max` bytes
 * are ERR_BUDGET. */
int codecs_decode_buf(const struct codecs *codecs, const struct zarr_meta *meta,
                      const uint8_t *from, size_t n, size_t max, struct buf *out, struct err *err);

#endif
