/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/ints.h"

#define READ_INTS(type)                                                                            \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        type v_;                                                                                   \
                                                                                                   \
        memcpy(&v_, data + i * sizeof v_, sizeof v_);                                              \
        out[i] = (int64_t)v_;                                                                      \
    }                                                                                              \
    break

void zarr_ints(const struct dtype *dtype, const uint8_t *data, uint64_t n, int64_t *out)
{
    bool is_signed = dtype->kind == DTYPE_INT;

    switch (dtype->size * 2 + is_signed) {
    case 2:
        READ_INTS(uint8_t);
    case 3:
        READ_INTS(int8_t);
    case 4:
        READ_INTS(uint16_t);
    case 5:
        READ_INTS(int16_t);
    case 8:
        READ_INTS(uint32_t);
    case 9:
        READ_INTS(int32_t);
    case 16:
        READ_INTS(uint64_t);
    default:
        READ_INTS(int64_t);
    }
}
