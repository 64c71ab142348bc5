/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_source: how an archive's bytes are read, wherever they are.
 */
#ifndef VCZFS_ZARR_STORE_ZIP_SOURCE_H
#define VCZFS_ZARR_STORE_ZIP_SOURCE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* Reads the archive's bytes [offset, offset + n), all below `size`. */
struct zip_source {
    int (*read)(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
    void *arg;
    uint64_t size;
};

#endif
