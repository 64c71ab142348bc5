/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/regions.h"

#include <stdlib.h>

void regions_free(struct regions *regions)
{
    free(regions->items);
    free(regions->contig_begin);
    *regions = (struct regions){0};
}

bool regions_meet(const struct regions *regions, uint64_t contig, int64_t first, int64_t last)
{
    size_t low = regions->contig_begin[contig], end = regions->contig_begin[contig + 1];
    size_t high = end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (regions->items[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && regions->items[low].first <= last;
}
