/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transpose: elements brought from any order of axes into C order, from one file into another, in
 * little memory.
 *
 * Goes through boxes of elements that fit the memory and that are long along the fastest axes of
 * either order, so that both sides are touched in runs and not element by element.
 */
#ifndef VCZFS_ZARR_CHUNK_TRANSPOSE_H
#define VCZFS_ZARR_CHUNK_TRANSPOSE_H

#include "encoderd/zarr/meta/meta.h"

struct transpose {
    unsigned ndim;
    uint64_t shape[ZARR_DIMS_MAX];
    uint8_t axes[ZARR_DIMS_MAX]; /* as stored, slowest first */
    uint64_t size;               /* of an element */
    /* Stored bytes, and those of the result. */
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    int (*write)(void *arg, uint64_t offset, const void *from, size_t n, struct err *err);
    void *arg;         /* borrowed */
    uint8_t *in, *out; /* borrowed; `room` bytes each */
    size_t room;
};

int transpose_run(const struct transpose *turn, struct err *err);

#endif
