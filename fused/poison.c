#include "fused/poison.h"

void poison_add(struct poison *poison, uint64_t file, uint64_t begin, uint64_t end)
{
    poison->ranges[poison->next] = (struct poison_range){file, begin, end};
    poison->next = (poison->next + 1) % POISON_MAX;
    if (poison->nranges < POISON_MAX)
        poison->nranges++;
}

uint64_t poison_clip(const struct poison *poison, uint64_t file, uint64_t offset, uint64_t length)
{
    for (size_t i = 0; i < poison->nranges; i++) {
        const struct poison_range *range = &poison->ranges[i];

        if (range->file != file || range->end <= offset)
            continue;
        if (range->begin <= offset)
            return 0;
        if (range->begin - offset < length)
            length = range->begin - offset;
    }
    return length;
}
