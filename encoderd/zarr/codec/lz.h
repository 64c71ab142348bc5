/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz: LZ4 blocks, BloscLZ and Snappy streams of any length, decompressed from front to back in
 * little memory.
 *
 * The libraries want all of input and output in memory. These formats look back at most 73,726
 * bytes (Snappy's might look further, but no compressor's do, and those are refused), so a window
 * does as well.
 */
#ifndef VCZFS_ZARR_CODEC_LZ_H
#define VCZFS_ZARR_CODEC_LZ_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

enum lz_kind { LZ_LZ4, LZ_BLOSCLZ, LZ_SNAPPY };

/* At least that much room for each of the two windows. */
#define LZ_WINDOW_MIN ((size_t)128 << 10)

struct lz_spec {
    enum lz_kind kind;
    /* Compressed bytes [offset, offset + n), all below `length`. */
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    uint64_t length;
    /* The next n bytes of the result. */
    int (*write)(void *arg, const void *from, size_t n, struct err *err);
    void *arg;         /* borrowed */
    uint64_t nbytes;   /* what the result must be */
    uint8_t *in, *out; /* windows; borrowed */
    size_t in_size, out_size;
};

/* Anything but exactly nbytes, from exactly length bytes, is ERR_CORRUPT. */
int lz_decompress(const struct lz_spec *spec, struct err *err);

#endif
