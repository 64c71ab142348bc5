/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places: which samples of a selection are in which columns of the store's arrays.
 *
 * A selection's samples are either a run of columns in store order (contiguous), or any of them in
 * any order. A walk through a chunk needs them by column, writing a row needs them by output
 * sample.
 */
#ifndef VCZFS_ENCODE_PLACES_H
#define VCZFS_ENCODE_PLACES_H

#include "encoderd/select/selection.h"

/* A half-open range of columns, of output samples, or of places in the order by column. */
struct range {
    uint64_t begin, end;
};

static inline bool range_is_empty(struct range range)
{
    return range.begin >= range.end;
}

/* The columns from the first to the last that the output samples [samples.begin, samples.end)
 * touch; samples is not empty. */
struct range columns_of_samples(const struct selection *selection, struct range samples);

/* The places, out of `within`, whose columns are in `columns`; places are in the order of columns.
 * For a contiguous selection, place i is output sample i. */
struct range columns_places(const struct selection *selection, struct range within,
                            struct range columns);

/* The column, and the output sample, at a place. */
static inline uint64_t columns_column(const struct selection *selection, uint64_t place)
{
    return selection->contiguous ? selection->first_column + place
                                 : selection->sorted_column[place];
}

static inline uint64_t columns_sample(const struct selection *selection, uint64_t place)
{
    return selection->store_order ? place : selection->sorted_sample[place];
}

#endif
