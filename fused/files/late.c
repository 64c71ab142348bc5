/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/late.h"

static void put(struct late *late, const struct late_range *range)
{
    late->ranges[late->next] = *range;
    late->next = (late->next + 1) % LATE_MAX;
    if (late->nranges < LATE_MAX)
        late->nranges++;
}

void late_add(struct late *late, uint64_t file, uint64_t begin, uint64_t end, uint64_t now)
{
    if (!late_has(late, file, begin, now))
        put(late, &(struct late_range){file, begin, end});
    late->until = now + LATE_MS;
}

bool late_has(struct late *late, uint64_t file, uint64_t offset, uint64_t now)
{
    if (now > late->until)
        *late = (struct late){0};
    for (size_t i = 0; i < late->nranges; i++) {
        const struct late_range *range = &late->ranges[i];

        if (range->file == file && range->begin <= offset && offset < range->end)
            return true;
    }
    return false;
}
