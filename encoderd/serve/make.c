/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/make.h"

#include "common/log.h"
#include "encoderd/encode/encode.h"

#include <time.h>

int maker_init(struct maker *maker, struct sched_core *core, struct err *err)
{
    *maker = (struct maker){.core = core};
    if (encode_worker_init(&maker->encode, core->config.scratch_max, core->cache, err) != 0)
        return -1;
    maker->encode.phases = core->phases;
    encode_worker_share(&maker->encode, core->chunks);
    decoder_set_kept(maker->encode.decoder, core->kept);
    return 0;
}

void maker_clear(struct maker *maker)
{
    encode_worker_clear(&maker->encode);
    *maker = (struct maker){0};
}

uint64_t maker_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A row is marked phased or not phased as a whole. The user should be warned, once, about rows
 * whose calls are mixed. */
static void count_mixed(struct maker *maker)
{
    struct sched_stats *stats = &maker->core->stats;
    struct encode_worker *encode = &maker->encode;

    if (encode->nmixed > 0 && stats->mixed_phase == 0)
        log_warning("variant %llu of the store has phased calls and others that are not: it is "
                    "shown without phase, and so is every variant like it (vczfs status counts "
                    "them)",
                    (unsigned long long)encode->last_mixed);
    stats->mixed_phase += encode->nmixed;
    encode->nmixed = 0;
}

/* ---- Donations: this thread writes the beginning of other spans' cells ----------------------- */

struct donation {
    struct sched_core *core;
    size_t file;
    uint64_t end; /* of the last span: a donation goes to the span that begins there */
    const struct encode_cell *cell;
    struct span *to; /* under way, or NULL */
};

static bool claim_donation(void *arg, uint64_t end_element, struct encode_target *to)
{
    struct donation *donation = arg;
    struct sched_core *core = donation->core;
    struct span *span;
    uint64_t cell;

    core_lock(core);
    span = span_queued_at(&core->spans, donation->file, donation->end);
    if (span != NULL && span->grid.genotype.vchunk_begin == donation->cell->vchunk &&
        span->grid.genotype.schunk_begin <= donation->cell->schunk) {
        cell = donation->cell->schunk - span->grid.genotype.schunk_begin;
        /* A cell takes no donation once it has begun, and never two. Spans that overlap may end at
         * the same row; sums would then count the same calls twice. */
        if (cell < span->nfirst && span->first_element[cell] == 0) {
            span->first_element[cell] = end_element;
            span->pending++;
            span->nbusy++;
            *to = span->target;
            donation->to = span;
            donation->end = to->end;
        }
    }
    core_unlock(core);
    return donation->to != NULL;
}

static void finish_donation(void *arg, const struct err *failed)
{
    struct donation *donation = arg;
    struct sched_core *core = donation->core;
    bool last;

    core_lock(core);
    last = core_end_donation(core, donation->to, failed);
    donation->to = NULL;
    core_unlock(core);
    if (last)
        core_wake_server(core);
}

/* ---- Cells ----------------------------------------------------------------------------------- */

static bool end_cell(struct maker *maker, struct cell *cell, uint64_t begun,
                     const struct err *failed)
{
    struct sched_core *core = maker->core;
    const bool keep = cell->span->keep;
    struct decoder_stats now;
    bool last;

    cell_need_clear(&cell->need);
    encode_worker_stats(&maker->encode, &now);
    core_lock(core);
    core_add_decoder_stats(core, &now, &maker->seen);
    count_mixed(maker);
    core->served[keep] += (maker_now_us() - begun) >> keep;
    if (maker->encode.block_rows > 0)
        core->block_rows = maker->encode.block_rows;
    last = core_end_cell(core, cell, failed);
    core_unlock(core);
    return last;
}

static void give_up(struct maker *maker, struct cell *cell, uint64_t begun,
                    const struct err *failed)
{
    if (end_cell(maker, cell, begun, failed))
        core_wake_server(maker->core);
}

bool maker_ask(struct maker *maker, struct cell *cell)
{
    struct sched_core *core = maker->core;
    const uint64_t begun = maker_now_us();
    struct err err = {0};
    enum cell_turn turn;
    enum need need;

    /* The end's need is asked again: the thread that asked before may have had decoded what this
     * thread has not. */
    if (cell->is_ready && cell->may_run && cell->what.kind != CELL_END)
        return true;
    need = encode_need(cell->span->format, &cell->target, &cell->what, &maker->encode, &cell->need,
                       &err);
    if (need == NEED_FAILED) {
        give_up(maker, cell, begun, &err);
        return false;
    }
    if (need == NEED_THERE && cell->may_run)
        return true;
    core_lock(core);
    turn = core_asked(core, cell, need);
    core_unlock(core);
    if (turn == TURN_END)
        give_up(maker, cell, begun, NULL);
    return turn == TURN_RUN;
}

bool maker_run(struct maker *maker, struct cell *cell)
{
    struct span *span = cell->span;
    struct donation donation = {
        .core = maker->core, .file = span->file, .end = span->target.end, .cell = &cell->what};
    const struct encode_donor donor = {claim_donation, finish_donation, &donation};
    const uint64_t begun = maker_now_us();
    struct err err = {0};
    int failed;

    cell->what.donor = maker->donates ? &donor : NULL;
    decoder_keep(maker->encode.decoder, !span->keep);
    failed =
        encode_cell(span->format, &cell->target, &cell->what, &maker->encode, &cell->need, &err);
    return end_cell(maker, cell, begun, failed ? &err : NULL);
}
