/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters: undoing numcodecs' filters on a chunk's bytes.
 */
#ifndef VCZFS_ZARR_CODEC_FILTERS_H
#define VCZFS_ZARR_CODEC_FILTERS_H

#include "encoderd/zarr/meta/meta.h"

/* Undoes all of meta->filters. `from` holds meta->filtered_nbytes bytes, `to` gets those of the
 * chunk's elements, as stored before any filter. `spare` are two areas of filters_spare_nbytes
 * each. */
int filters_undo(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to, uint8_t *spare[2],
                 struct err *err);

uint64_t filters_spare_nbytes(const struct zarr_meta *meta);

/* A filter undone from front to back; FILTER_SHUFFLE cannot be. Zero-initialise the run. */
struct filter_run {
    uint64_t k; /* elements done */
    uint64_t sum;
    double total;
};

/* The next n elements, a multiple of 8 until the last: `from` has the bytes that filter_extent
 * says. */
int filter_undo(const struct zarr_filter *filter, struct filter_run *run, const uint8_t *from,
                uint8_t *to, uint64_t n, struct err *err);
void filter_extent(const struct zarr_filter *filter, uint64_t k, uint64_t n, uint64_t *from,
                   uint64_t *nbytes);
/* FILTER_PACKBITS: the first byte of all, against how many elements there are. */
int filter_check_padding(uint8_t first, uint64_t total, struct err *err);

#endif
