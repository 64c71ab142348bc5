/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/places.h"

#include "common/size.h"

struct range columns_of_samples(const struct selection *selection, struct range samples)
{
    const uint64_t first = selection->first_column;

    if (selection->contiguous)
        return (struct range){first + samples.begin, first + samples.end};
    /* In the user's order, neighbours in a row can be anywhere in the store. */
    if (!selection->store_order)
        samples = (struct range){0, selection->nsamples};
    return (struct range){selection->sorted_column[samples.begin],
                          selection->sorted_column[samples.end - 1] + 1};
}

/* The first place in [begin, end) whose column is >= column. */
static uint64_t lower_bound(const uint64_t *columns, uint64_t begin, uint64_t end, uint64_t column)
{
    while (begin < end) {
        const uint64_t middle = begin + (end - begin) / 2;

        if (columns[middle] < column)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

struct range columns_places(const struct selection *selection, struct range within,
                            struct range columns)
{
    const uint64_t first = selection->first_column;
    const uint64_t *sorted = selection->sorted_column;

    if (selection->contiguous)
        return (struct range){
            size_max(within.begin, columns.begin > first ? columns.begin - first : 0),
            size_min(within.end, columns.end > first ? columns.end - first : 0)};
    return (struct range){lower_bound(sorted, within.begin, within.end, columns.begin),
                          lower_bound(sorted, within.begin, within.end, columns.end)};
}
