/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elements: the order of elements, and their bytes.
 */
#include "common/bytes.h"
#include "encoderd/zarr/chunk/decoder_impl.h"

void fortran_begin(struct fortran_walk *walk, const struct zarr_meta *meta)
{
    uint64_t stride = 1;

    *walk = (struct fortran_walk){.meta = meta};
    for (unsigned d = meta->ndim; d > 0; d--) {
        walk->stride[d - 1] = stride;
        stride *= meta->chunk[d - 1];
    }
}

void fortran_next(struct fortran_walk *walk)
{
    for (unsigned a = walk->meta->ndim; a > 0; a--) {
        unsigned d = walk->meta->axes[a - 1];

        walk->at += walk->stride[d];
        if (++walk->index[d] < walk->meta->chunk[d])
            return;
        walk->at -= walk->stride[d] * walk->meta->chunk[d];
        walk->index[d] = 0;
    }
}

static void swap_bytes(uint8_t *data, size_t nbytes, uint32_t unit)
{
    for (size_t at = 0; at + unit <= nbytes; at += unit)
        for (uint32_t i = 0; i < unit / 2; i++) {
            uint8_t byte = data[at + i];

            data[at + i] = data[at + unit - 1 - i];
            data[at + unit - 1 - i] = byte;
        }
}

/* The machine is little-endian: common/bytes.h refuses others. */
void bytes_to_native(const struct dtype *dtype, uint8_t *data, size_t nbytes)
{
    uint32_t unit = dtype->kind == DTYPE_UCS4 ? 4 : dtype->size;

    if (unit > 1 && dtype->kind != DTYPE_BYTES && dtype->big_endian)
        swap_bytes(data, nbytes, unit);
}
