/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/span.h"

#include "common/size.h"
#include "encoderd/encode/encode.h"

#include <stdlib.h>
#include <string.h>

/* With more chunks than this along the samples, keeping a start for each costs more than decoding a
 * block twice. */
#define DONATIONS_MAX 256

#define NOTES_WORDS (sizeof(struct row_notes) / sizeof(uint64_t))
_Static_assert(sizeof(struct row_notes) == NOTES_WORDS * 8, "notes lie in words");

/* A span has no more unfinished cells than this at a time, which limits their memory. */
#define CELLS_MAX 256

/* A span in demand is that much ahead in the order in which the store is asked: before spans that
 * were begun ahead at about the same time, but not before all later ones. */
#define DEMAND_LEAD 64

void span_table_init(struct span_table *table, struct arena *arena)
{
    *table = (struct span_table){.arena = arena, .next_order = DEMAND_LEAD};
    pool_init(&table->pool, sizeof(struct span), sizeof(struct span_memory));
    pool_init(&table->cells, sizeof(struct cell), 0);
    pool_init(&table->waiters, sizeof(struct waiter), 0);
    for (int place = 0; place < SPAN_NPLACES; place++)
        TAILQ_INIT(&table->places[place]);
    TAILQ_INIT(&table->dropped);
}

/* ---- Cells ----------------------------------------------------------------------------------- */

static void count_cell(struct span_table *table, enum cell_state state, int by)
{
    if (state == CELL_FULL)
        table->nfull += (uint64_t)by;
    if (state == CELL_SLOW)
        table->nslow += (uint64_t)by;
}

static void remove_cell(struct span_table *table, struct cell *cell)
{
    TAILQ_REMOVE(&cell->span->cells[cell->state], cell, link);
    count_cell(table, cell->state, -1);
}

static void insert_cell(struct span_table *table, struct cell *cell, enum cell_state state)
{
    struct cells *list = &cell->span->cells[state];
    struct cell *after = TAILQ_LAST(list, cells);

    cell->state = state;
    count_cell(table, state, 1);
    while (after != NULL && after->number > cell->number)
        after = TAILQ_PREV(after, cells, link);
    if (after == NULL)
        TAILQ_INSERT_HEAD(list, cell, link);
    else
        TAILQ_INSERT_AFTER(list, after, cell, link);
}

static bool has_room(const struct span *span)
{
    return span->at != ARENA_NONE;
}

/* True if this cell may be run, once its bytes are there. */
static bool may_run(const struct span *span, uint64_t number)
{
    return has_room(span) && (number < span->ncells || span_end_is_due(span));
}

static struct cell *runnable(const struct span *span, enum cell_state state)
{
    struct cell *cell = TAILQ_FIRST(&span->cells[state]);

    return cell != NULL && may_run(span, cell->number) ? cell : NULL;
}

bool span_has_new_cells(const struct span *span)
{
    if (span->next_cell < span->ncells)
        return span->nhanded < CELLS_MAX;
    /* The end may only run last. It is asked what it needs earlier only if the span has had to wait
     * for the store. */
    return span->next_cell == span->ncells && span->has_end &&
           (span_end_is_due(span) || span->waited);
}

static bool has_work(const struct span *span)
{
    return span_has_new_cells(span) || !TAILQ_EMPTY(&span->cells[CELL_UNKNOWN]) ||
           runnable(span, CELL_READY) != NULL;
}

static uint64_t *first_element_of(struct span *span, uint64_t number)
{
    return number < span->nfirst ? &span->first_element[number] : NULL;
}

bool span_begin_cell(struct span *span, struct cell *cell)
{
    uint64_t *first_element = first_element_of(span, cell->number);

    cell->may_run = may_run(span, cell->number);
    cell->target = span->target;
    if (first_element == NULL)
        return cell->may_run;
    if (*first_element != CELL_BEGUN)
        cell->what.first_element = *first_element;
    if (cell->may_run)
        *first_element = CELL_BEGUN;
    return cell->may_run;
}

/* The cell has not begun after all, and takes donations again. */
static void unbegin(struct span *span, const struct cell *cell)
{
    uint64_t *first_element = first_element_of(span, cell->number);

    if (first_element != NULL && *first_element == CELL_BEGUN)
        *first_element = cell->what.first_element;
}

static struct cell *hand_out(struct span_table *table, struct span *span)
{
    struct cell *cell = pool_get(&table->cells);

    if (cell == NULL)
        return NULL;
    cell->span = span;
    cell->number = span->next_cell++;
    cell->need.order = span->order;
    cell->need.onward = span->keep;
    cell->what.kind = CELL_END;
    if (cell->number < span->ncells)
        cell->what = encode_cell_at(&span->grid, cell->number);
    span->nhanded++;
    return cell;
}

static struct cell *take(struct span_table *table, struct cell *cell)
{
    struct span *span = cell->span;

    cell->is_ready = cell->state == CELL_READY;
    cell->state = CELL_TAKEN;
    cell->woken = false;
    cell->need.demand = span->demand;
    span_begin_cell(span, cell);
    span->nbusy++;
    span_settle(table, span);
    return cell;
}

static struct cell *take_listed(struct span_table *table, struct cell *cell)
{
    remove_cell(table, cell);
    return take(table, cell);
}

struct cell *span_take_cell(struct span_table *table, struct span *span, bool *no_memory)
{
    struct cell *cell = NULL;

    *no_memory = false;
    if (span_has_new_cells(span)) {
        cell = hand_out(table, span);
        *no_memory = cell == NULL;
        return cell == NULL ? NULL : take(table, cell);
    }
    cell = TAILQ_FIRST(&span->cells[CELL_UNKNOWN]);
    if (cell == NULL)
        cell = runnable(span, CELL_READY);
    return cell == NULL ? NULL : take_listed(table, cell);
}

struct cell *span_take_slow(struct span_table *table, struct span *span)
{
    struct cell *cell = runnable(span, CELL_SLOW);

    return cell == NULL ? NULL : take_listed(table, cell);
}

void span_put_cell(struct span_table *table, struct cell *cell, enum cell_state state)
{
    struct span *span = cell->span;

    unbegin(span, cell);
    insert_cell(table, cell, state);
    span->nbusy--;
    span->waited |= state == CELL_WAITS;
    span_settle(table, span);
}

void span_end_cell(struct span_table *table, struct cell *cell)
{
    cell->span->nbusy--;
    cell->span->nhanded--;
    pool_put(&table->cells, cell);
}

void span_ask_again(struct span_table *table, struct span *span, enum cell_state state)
{
    struct cell *cell;

    while ((cell = TAILQ_FIRST(&span->cells[state])) != NULL) {
        remove_cell(table, cell);
        insert_cell(table, cell, CELL_UNKNOWN);
    }
    span_settle(table, span);
}

void span_wake_cell(struct span_table *table, struct cell *cell)
{
    remove_cell(table, cell);
    insert_cell(table, cell, CELL_UNKNOWN);
    span_settle(table, cell->span);
}

/* Drops all cells that are in lists; returns their number. */
static uint64_t drop_listed(struct span_table *table, struct span *span)
{
    struct cell *cell;
    uint64_t n = 0;

    for (int state = 0; state < CELL_NLISTS; state++)
        while ((cell = TAILQ_FIRST(&span->cells[state])) != NULL) {
            remove_cell(table, cell);
            cell->state = CELL_DROPPED;
            TAILQ_INSERT_TAIL(&table->dropped, cell, link);
            n++;
        }
    span->nhanded -= n;
    return n;
}

void span_drop_cells(struct span_table *table, struct span *span)
{
    span->pending -= drop_listed(table, span);
    span->pending -= span->ncells + span->has_end - span->next_cell;
    span->next_cell = span->ncells + span->has_end;
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* Adds the span to the counts, or removes it; called before and after each change of its place, its
 * demand or its part of the arena. */
static void count_span(struct span_table *table, const struct span *span, bool add)
{
    const uint64_t nbytes = span->target.end - span->target.begin;

    if (!has_room(span)) {
        table->nfar = add ? table->nfar + 1 : table->nfar - 1;
    } else if (!span->demand && (span->place == SPAN_AHEAD || span->place == SPAN_FETCH)) {
        table->nbytes_ahead = add ? table->nbytes_ahead + nbytes : table->nbytes_ahead - nbytes;
    }
}

static void insert_span(struct span_table *table, struct span *span)
{
    struct spans *list = &table->places[span->place];
    struct span *after = TAILQ_LAST(list, spans);

    if (span->place == SPAN_DEMAND || span->place == SPAN_AHEAD)
        while (after != NULL && after->order > span->order)
            after = TAILQ_PREV(after, spans, link);
    if (after == NULL)
        TAILQ_INSERT_HEAD(list, span, link);
    else
        TAILQ_INSERT_AFTER(list, after, span, link);
}

void span_move(struct span_table *table, struct span *span, enum span_place place)
{
    count_span(table, span, false);
    TAILQ_REMOVE(&table->places[span->place], span, link);
    span->place = place;
    insert_span(table, span);
    count_span(table, span, true);
}

static bool has_listed_cells(const struct span *span)
{
    for (int state = 0; state < CELL_NLISTS; state++)
        if (!TAILQ_EMPTY(&span->cells[state]))
            return true;
    return false;
}

static enum span_place place_of(const struct span *span)
{
    if (has_work(span))
        return span->demand ? SPAN_DEMAND : SPAN_AHEAD;
    return has_listed_cells(span) ? SPAN_FETCH : SPAN_RUNNING;
}

void span_settle(struct span_table *table, struct span *span)
{
    const enum span_place place = place_of(span);

    if (span->pending > 0 && place != span->place)
        span_move(table, span, place);
}

void span_demand(struct span_table *table, struct span *span)
{
    count_span(table, span, false);
    span->demand = true;
    count_span(table, span, true);
    span_ask_again(table, span, CELL_FULL);
}

/* ---- Spans ----------------------------------------------------------------------------------- */

static void span_destroy(struct span_table *table, struct span *span)
{
    struct waiter *waiter;

    count_span(table, span, false);
    TAILQ_REMOVE(&table->places[span->place], span, link);
    drop_listed(table, span);
    while ((waiter = TAILQ_FIRST(&span->waiters)) != NULL) {
        TAILQ_REMOVE(&span->waiters, waiter, link);
        pool_put(&table->waiters, waiter);
    }
    if (has_room(span))
        arena_release(table->arena, span->at);
    else
        table->nfar_gone++;
    table->nspans--;
    pool_put(&table->pool, span);
}

void span_free(struct span_table *table, struct span *span)
{
    if (!TAILQ_EMPTY(&span->waiters) || span->nleases != 0 || span->nbusy != 0)
        abort(); /* else memory would be read or written that belongs to another span */
    span_destroy(table, span);
}

static void drop_memory(void *object)
{
    free(((struct span_memory *)object)->words);
}

void span_table_empty(struct span_table *table)
{
    struct span *span;

    for (int place = 0; place < SPAN_NPLACES; place++)
        while ((span = TAILQ_FIRST(&table->places[place])) != NULL)
            span_destroy(table, span);
}

void span_table_clear(struct span_table *table)
{
    pool_clear(&table->pool, drop_memory);
    pool_clear(&table->cells, NULL);
    pool_clear(&table->waiters, NULL);
}

static bool evict_resting(struct span_table *table, bool unread)
{
    struct span *span;

    TAILQ_FOREACH (span, &table->places[SPAN_RESTING], link) {
        if (span->nleases == 0 && span->unread == unread) {
            span_free(table, span);
            return true;
        }
    }
    return false;
}

static bool evict_ahead(struct span_table *table, enum span_place place)
{
    struct span *span;

    TAILQ_FOREACH_REVERSE (span, &table->places[place], spans, link) {
        if (!span->demand && has_room(span) && span_is_untouched(span)) {
            span_free(table, span);
            return true;
        }
    }
    return false;
}

/* Frees one span that is not needed; false if there is none. */
static bool evict_one(struct span_table *table, bool ahead_too)
{
    if (evict_resting(table, false))
        return true;
    return ahead_too && (evict_resting(table, true) || evict_ahead(table, SPAN_AHEAD) ||
                         evict_ahead(table, SPAN_FETCH));
}

static uint64_t make_room(struct span_table *table, uint64_t nbytes, bool demand)
{
    uint64_t at;

    while ((at = arena_alloc(table->arena, nbytes)) == ARENA_NONE)
        if (!evict_one(table, demand))
            return ARENA_NONE;
    return at;
}

/* n zeroed words; NULL if out of memory. */
static uint64_t *zeroed_words(struct span_memory *memory, uint64_t n)
{
    if (n > memory->cap || memory->words == NULL) {
        uint64_t *grown = reallocarray(memory->words, n + 1, sizeof *grown);

        if (grown == NULL)
            return NULL;
        memory->words = grown;
        memory->cap = n;
    }
    memset(memory->words, 0, n * sizeof *memory->words);
    return memory->words;
}

/* False if out of memory. */
static bool place_cells(struct span *span)
{
    const struct chunk_grid *chunks = &span->grid.genotype;
    uint64_t nnotes;

    encode_grid(span->format, &span->target, &span->grid);
    span->ncells = encode_ncells(&span->grid);
    span->has_end = span->ncells > 0 && span->format->format->finish_row != NULL;
    span->pending = span->ncells + span->has_end;
    span->nfirst = chunks->schunk_end - chunks->schunk_begin;
    if (span->nfirst > DONATIONS_MAX)
        span->nfirst = 0;
    nnotes = encode_nnotes(span->format, &span->grid);
    span->first_element = zeroed_words(&span->memory, span->nfirst + nnotes * NOTES_WORDS);
    if (span->first_element == NULL)
        return false;
    if (nnotes > 0)
        span->target.notes = (struct row_notes *)(span->first_element + span->nfirst);
    return true;
}

bool span_take_room(struct span_table *table, struct span *span, bool demand)
{
    const uint64_t at = make_room(table, span->target.end - span->target.begin, demand);

    if (at == ARENA_NONE)
        return false;
    count_span(table, span, false);
    span->at = at;
    span->target.out = arena_at(table->arena, at);
    count_span(table, span, true);
    encode_begin(span->format, &span->target);
    span_settle(table, span);
    return true;
}

/* Prepares a new span. False if too many spans are in use, or if there is no memory or no room in
 * the arena. */
static bool prepare(struct span_table *table, struct span *span, enum span_kind kind)
{
    while (table->nspans > SPANS_MAX)
        if (!evict_one(table, kind == SPAN_KIND_DEMAND))
            return false;
    return place_cells(span) &&
           (kind == SPAN_KIND_FAR || span_take_room(table, span, kind == SPAN_KIND_DEMAND));
}

struct span *span_new(struct span_table *table, const struct format_view *format, size_t file,
                      uint64_t begin, uint64_t end, enum span_kind kind)
{
    struct span *span = pool_get(&table->pool);

    if (span == NULL)
        return NULL;
    TAILQ_INIT(&span->waiters);
    for (int state = 0; state < CELL_NLISTS; state++)
        TAILQ_INIT(&span->cells[state]);
    span->file = file;
    span->format = format;
    span->target = (struct encode_target){.begin = begin, .end = end};
    span->at = ARENA_NONE;
    span->demand = kind == SPAN_KIND_DEMAND;
    span->order = table->next_order++ - (span->demand ? DEMAND_LEAD : 0);
    span->place = span->demand ? SPAN_DEMAND : SPAN_AHEAD;
    insert_span(table, span);
    count_span(table, span, true);
    table->nspans++;
    if (!prepare(table, span, kind)) {
        span_destroy(table, span);
        return NULL;
    }
    return span;
}

struct span *span_covering(const struct span_table *table, size_t file, uint64_t offset)
{
    struct span *span, *best = NULL;

    for (int place = 0; place < SPAN_NPLACES; place++) {
        TAILQ_FOREACH (span, &table->places[place], link) {
            if (span->file != file || span->failed || offset < span->target.begin ||
                offset >= span->target.end)
                continue;
            if (best == NULL || span->target.end > best->target.end)
                best = span;
        }
    }
    return best;
}

uint64_t span_next_begin(const struct span_table *table, size_t file, uint64_t after,
                         uint64_t before)
{
    const struct span *span;

    for (int place = 0; place < SPAN_NPLACES; place++)
        TAILQ_FOREACH (span, &table->places[place], link)
            if (span->file == file && !span->failed && span->target.begin > after)
                before = size_min(before, span->target.begin);
    return before;
}

struct span *span_queued_at(const struct span_table *table, size_t file, uint64_t begin)
{
    const enum span_place queues[] = {SPAN_DEMAND, SPAN_AHEAD, SPAN_FETCH};
    struct span *span;

    for (unsigned i = 0; i < sizeof queues / sizeof queues[0]; i++)
        TAILQ_FOREACH (span, &table->places[queues[i]], link)
            if (span->file == file && span->target.begin == begin && !span->failed &&
                has_room(span))
                return span;
    return NULL;
}

struct span *span_furthest(const struct span_table *table)
{
    const enum span_place queues[] = {SPAN_AHEAD, SPAN_FETCH};
    struct span *span, *furthest = NULL;

    for (unsigned i = 0; i < sizeof queues / sizeof queues[0]; i++)
        TAILQ_FOREACH (span, &table->places[queues[i]], link)
            if (!has_room(span) && span->nbusy == 0 &&
                (furthest == NULL || span->order > furthest->order))
                furthest = span;
    return furthest;
}

void span_table_trim(struct span_table *table, uint64_t nbytes, bool unread_too)
{
    struct span *span, *before;

    for (span = TAILQ_LAST(&table->places[SPAN_RESTING], spans); span != NULL; span = before) {
        const uint64_t own = span->target.end - span->target.begin;

        before = TAILQ_PREV(span, spans, link);
        if (span->nleases != 0 || (span->unread && !unread_too))
            continue;
        if (own <= nbytes)
            nbytes -= own;
        else
            span_free(table, span);
    }
}

void span_table_drop_far(struct span_table *table)
{
    struct span *span;

    while ((span = span_furthest(table)) != NULL)
        span_free(table, span);
}

void span_table_drop_ahead(struct span_table *table, uint64_t handle, bool far_only)
{
    const enum span_place queues[] = {SPAN_AHEAD, SPAN_FETCH, SPAN_RUNNING};
    struct span *span, *next;

    for (unsigned i = 0; i < sizeof queues / sizeof queues[0]; i++)
        for (span = TAILQ_FIRST(&table->places[queues[i]]); span != NULL; span = next) {
            next = TAILQ_NEXT(span, link);
            if (span->for_handle != handle || span->demand || (far_only && has_room(span)))
                continue;
            if (span_is_untouched(span))
                span_free(table, span);
            else if (!has_room(span))
                span->unread = false; /* the thread that works on it frees it (core_asked) */
        }
}

void span_table_give_up(struct span_table *table, uint64_t handle)
{
    struct span *span;

    for (int place = 0; place < SPAN_NPLACES; place++)
        TAILQ_FOREACH (span, &table->places[place], link)
            if (span->for_handle == handle)
                span->unread = false;
}
