/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/late.h"

void late_add(struct late *late, uint64_t file, uint64_t begin, uint64_t end)
{
    late->ranges[late->next] = (struct late_range){file, begin, end};
    late->next = (late->next + 1) % LATE_MAX;
    if (late->nranges < LATE_MAX)
        late->nranges++;
}

bool late_has(const struct late *late, uint64_t file, uint64_t offset)
{
    for (size_t i = 0; i < late->nranges; i++) {
        const struct late_range *range = &late->ranges[i];

        if (range->file == file && range->begin <= offset && offset < range->end)
            return true;
    }
    return false;
}
