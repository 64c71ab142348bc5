/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ints: whole numbers and booleans of a block, which are in the machine's byte order, as int64_t;
 * of uint64 the bits.
 */
#ifndef VCZFS_ZARR_META_INTS_H
#define VCZFS_ZARR_META_INTS_H

#include "encoderd/zarr/meta/meta.h"

#include <string.h>

/* n elements of 1, 2, 4 or 8 bytes, at any alignment. */
void zarr_ints(const struct dtype *dtype, const uint8_t *data, uint64_t n, int64_t *out);

static inline int64_t zarr_int(const struct dtype *dtype, const uint8_t *at)
{
    const bool is_signed = dtype->kind == DTYPE_INT;
    uint16_t two;
    uint32_t four;
    int64_t eight;

    switch (dtype->size) {
    case 1:
        return is_signed ? (int8_t)*at : *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return is_signed ? (int16_t)two : two;
    case 4:
        memcpy(&four, at, sizeof four);
        return is_signed ? (int32_t)four : (int64_t)four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

#endif
