/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters: undoes numcodecs' filters on the bytes of a chunk.
 */
#ifndef VCZFS_ZARR_CODEC_FILTERS_H
#define VCZFS_ZARR_CODEC_FILTERS_H

#include "encoderd/zarr/meta/meta.h"

/* Undoes all of meta->filters. `from` has meta->filtered_nbytes bytes; `to` gets the bytes of the
 * chunk's elements. `spare` is two areas of filters_spare_nbytes bytes. */
int filters_undo(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to, uint8_t *spare[2],
                 struct err *err);

uint64_t filters_spare_nbytes(const struct zarr_meta *meta);

/* The state of a filter that is undone piece by piece, from front to back. FILTER_SHUFFLE cannot be
 * undone so. Zero-initialise. */
struct filter_run {
    uint64_t k; /* elements done */
    uint64_t sum;
    double total;
};

/* Undoes the next n elements. n is a multiple of 8, except in the last call. `from` has the bytes
 * that filter_extent returns. */
int filter_undo(const struct zarr_filter *filter, struct filter_run *run, const uint8_t *from,
                uint8_t *to, uint64_t n, struct err *err);
void filter_extent(const struct zarr_filter *filter, uint64_t k, uint64_t n, uint64_t *from,
                   uint64_t *nbytes);
/* For FILTER_PACKBITS: checks the first byte of the data, the padding, against the number of
 * elements. */
int filter_check_padding(uint8_t first, uint64_t total, struct err *err);

#endif
