/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/ahead.h"

#include "common/size.h"

/* The share of the arena that all work ahead may take. */
#define AHEAD_SHARE 4

/* The most spans without a part of the arena, whose bytes are only being fetched. Their bytes are
 * limited by the bytes in flight; this limits their number. */
#define FAR_MAX (SPANS_MAX / 4)

/* A reader may come to a span whose bytes are not there once in each row of chunks, but not more
 * often. GROWTH: how many times as far ahead the store is then asked. KEPT_PART: at most one part
 * in so many of that distance is given up before the next row of chunks. */
#define GROWTH    4
#define KEPT_PART 4

/* How far ahead spans should exist: a decoded block should find spans for all its rows, wherever in
 * the block the reader is. */
static uint64_t reach_ahead(const struct sched_core *core, const struct view_file *file)
{
    const uint64_t most = arena_size(core->spans.arena) / AHEAD_SHARE / 2;
    const uint64_t rows = size_min(2 * core->block_rows, most / file->stream->layout.row_nbytes);

    return rows * file->stream->layout.row_nbytes;
}

static bool fits_ahead(const struct sched_core *core, uint64_t nbytes)
{
    return core->spans.nbytes_ahead + nbytes <= arena_size(core->spans.arena) / AHEAD_SHARE;
}

static struct span *begin_span(struct sched_core *core, const struct handle *handle,
                               const struct plan_limits *limits, uint64_t at, enum span_kind kind)
{
    const struct view_file *file = &core->view->files[handle->file];
    const struct extent_plan plan = plan_ahead(&file->stream->layout, file->size, limits, at);
    const uint64_t end = span_next_begin(&core->spans, handle->file, at, plan.end);
    struct span *span = NULL;

    if (kind == SPAN_KIND_FAR || fits_ahead(core, end - at))
        span = span_new(&core->spans, file->stream, handle->file, at, end, kind);
    if (span == NULL)
        return NULL;
    span->for_handle = handle->handle;
    span->unread = true;
    span->keep = true;
    core_announce(core, span);
    return span;
}

/* The span that holds byte `at`, with a part of the arena; NULL if there is no room. */
static struct span *near_span(struct sched_core *core, const struct handle *handle,
                              const struct plan_limits *limits, uint64_t at, uint64_t gather)
{
    struct span *span = span_covering(&core->spans, handle->file, at);

    if (span == NULL) {
        span = begin_span(core, handle, limits, at, SPAN_KIND_AHEAD);
        if (span != NULL)
            span->gather = gather;
    } else if (span->at == ARENA_NONE) {
        if (!fits_ahead(core, span->target.end - span->target.begin) ||
            !span_take_room(&core->spans, span, false))
            return NULL;
        span->gather = gather;
        core_announce_again(core, span);
    }
    return span;
}

static uint64_t work_near(struct sched_core *core, const struct handle *handle,
                          const struct plan_limits *limits, uint64_t at)
{
    const struct view_file *file = &core->view->files[handle->file];
    const unsigned most = handle->reader.streak < 2 ? 1 : core->config.nthreads + 1;
    const uint64_t distance = handle->reader.streak < 2 ? 0 : reach_ahead(core, file);
    const uint64_t gather = distance / 2;
    const uint64_t reach = at + distance;

    for (unsigned n = 0; (n < most || at < reach) && at < file->size; n++) {
        const struct span *span = near_span(core, handle, limits, at, gather);

        if (span == NULL)
            break;
        at = span->target.end;
    }
    return at;
}

/* While any cell finds no room among the bytes in flight, this asks for no more. */
static void ask_far(struct sched_core *core, struct handle *handle,
                    const struct plan_limits *limits, uint64_t at)
{
    const struct view_file *file = &core->view->files[handle->file];
    const uint64_t reach = at + handle->far;

    if (handle->far_gone != core->spans.nfar_gone) /* what was given up must be asked for again */
        handle->far_end = 0;
    handle->far_gone = core->spans.nfar_gone;
    at = size_max(at, handle->far_end);
    while (at < reach && at < file->size && core->spans.nfar < FAR_MAX && core->spans.nfull == 0) {
        const struct span *span = span_covering(&core->spans, handle->file, at);

        if (span == NULL)
            span = begin_span(core, handle, limits, at, SPAN_KIND_FAR);
        if (span == NULL)
            break;
        at = span->target.end;
    }
    handle->far_end = at;
}

void ahead_work(struct sched_core *core, struct handle *handle, const struct plan_limits *limits,
                uint64_t at)
{
    at = work_near(core, handle, limits, at);
    if (handle->far > 0)
        ask_far(core, handle, limits, at);
}

/* A span that did not wait makes the distance shorter: by at most the length of a span, and by so
 * little that most of the distance is left at the next row of chunks, where spans have to wait. */
static uint64_t shortening(const struct sched_core *core, const struct handle *handle,
                           const struct span *span)
{
    const uint64_t row_nbytes = core->view->files[handle->file].stream->layout.row_nbytes;
    const uint64_t length = size_min(span->target.end - span->target.begin, PLAN_SPAN_MAX);
    uint64_t around;

    if (!size_mul(core->view->vcz->genotype->meta.chunk[0], KEPT_PART * row_nbytes, &around))
        return 0;
    return size_min(PLAN_SPAN_MAX, handle->far * length / size_max(around, length) + 1);
}

void ahead_learn(const struct sched_core *core, struct handle *handle, struct span *span)
{
    if (span->grown || handle->reader.streak < 2)
        return;
    if (!TAILQ_EMPTY(&span->cells[CELL_WAITS])) {
        handle->far =
            size_min(FAR_MAX * PLAN_SPAN_MAX, GROWTH * size_max(PLAN_SPAN_MAX, handle->far));
        span->grown = true;
    } else if (!span->waited && span->pending < span->ncells) {
        handle->far -= size_min(handle->far, shortening(core, handle, span));
        span->grown = true;
    }
}

void ahead_forget(struct sched_core *core, struct handle *handle)
{
    if (handle->far_end > 0)
        span_table_drop_ahead(&core->spans, handle->handle, true);
    handle->far = handle->far_end = 0;
}
