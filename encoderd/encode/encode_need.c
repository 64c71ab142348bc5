/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_need.h"

#include "encoderd/encode/encode.h"
#include "encoderd/encode/encode_genotype.h"
#include "encoderd/encode/encode_phase.h"

#include <stddef.h>

static void pass_on(struct chunk_need *chunks)
{
    struct cell_need *need =
        (struct cell_need *)(void *)((char *)chunks - offsetof(struct cell_need, chunks));

    need->wake(need);
}

static enum need look(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err)
{
    need->nblocks = 0;
    need->nbytes = 0;
    switch (cell->kind) {
    case CELL_PHASED:
        return encode_phased_need(format, target, cell, worker, need, err);
    case CELL_GENOTYPE:
        return encode_genotype_need(format, target, cell, worker, need, err);
    case CELL_END:
        need->nblocks = format->wants_sites ? UINT64_MAX : 0; /* their chunks are decoded whole */
        return encode_end_need(format, target, worker, need, err);
    }
    return NEED_THERE;
}

enum need encode_need(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err)
{
    enum need answer;

    need->chunks.wake = pass_on;
    need->chunks.order = need->order;
    need->chunks.demand = need->demand;
    need->chunks.onward = need->onward;
    need->chunks.begin = need->chunks.end = 0;
    do
        answer = look(format, target, cell, worker, need, err);
    while ((answer == NEED_WAITS || (answer == NEED_FULL && need->demand)) &&
           !chunk_need_sleep(&need->chunks));
    encode_worker_rest(worker);
    /* The cell has bytes in flight, and may have more room when they have come. */
    return answer == NEED_FULL && need->demand ? NEED_WAITS : answer;
}

void cell_need_clear(struct cell_need *need)
{
    chunk_need_clear(&need->chunks);
}
