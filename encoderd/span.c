#include "encoderd/span.h"

#include "common/size.h"

#include <stdlib.h>
#include <string.h>

/* Past this many samples chunks, keeping a start for each costs more than a block decoded twice. */
#define DONATIONS_MAX 256

#define NOTES_WORDS (sizeof(struct row_notes) / sizeof(uint64_t))
_Static_assert(sizeof(struct row_notes) == NOTES_WORDS * 8, "notes lie in words");

void span_table_init(struct span_table *table, struct arena *arena)
{
    *table = (struct span_table){.arena = arena};
    pool_init(&table->pool, sizeof(struct span), sizeof(struct span_memory));
    pool_init(&table->waiters, sizeof(struct waiter), 0);
    for (int place = 0; place < SPAN_NPLACES; place++)
        TAILQ_INIT(&table->places[place]);
}

static void count_ahead(struct span_table *table, const struct span *span, bool add)
{
    const uint64_t nbytes = span->target.end - span->target.begin;

    if (span->place != SPAN_AHEAD)
        return;
    table->nbytes_ahead = add ? table->nbytes_ahead + nbytes : table->nbytes_ahead - nbytes;
}

void span_move(struct span_table *table, struct span *span, enum span_place place)
{
    count_ahead(table, span, false);
    TAILQ_REMOVE(&table->places[span->place], span, link);
    span->place = place;
    TAILQ_INSERT_TAIL(&table->places[place], span, link);
    count_ahead(table, span, true);
}

static void span_destroy(struct span_table *table, struct span *span)
{
    struct waiter *waiter;

    count_ahead(table, span, false);
    TAILQ_REMOVE(&table->places[span->place], span, link);
    while ((waiter = TAILQ_FIRST(&span->waiters)) != NULL) {
        TAILQ_REMOVE(&span->waiters, waiter, link);
        pool_put(&table->waiters, waiter);
    }
    arena_release(table->arena, span->at);
    table->nspans--;
    pool_put(&table->pool, span);
}

void span_free(struct span_table *table, struct span *span)
{
    if (!TAILQ_EMPTY(&span->waiters) || span->nleases != 0 ||
        (span->pending != 0 && span->next_cell != 0))
        abort(); /* somebody would read, or write, memory that is not theirs any more */
    span_destroy(table, span);
}

static void drop_memory(void *object)
{
    free(((struct span_memory *)object)->words);
}

void span_table_clear(struct span_table *table)
{
    struct span *span;

    for (int place = 0; place < SPAN_NPLACES; place++)
        while ((span = TAILQ_FIRST(&table->places[place])) != NULL)
            span_destroy(table, span);
    pool_clear(&table->pool, drop_memory);
    pool_clear(&table->waiters, NULL);
}

static bool evict_resting(struct span_table *table, bool unread)
{
    struct span *span;

    TAILQ_FOREACH(span, &table->places[SPAN_RESTING], link)
    {
        if (span->nleases == 0 && span->unread == unread) {
            span_free(table, span);
            return true;
        }
    }
    return false;
}

/* Frees one span that nobody needs; false if there is none. */
static bool evict_one(struct span_table *table, bool ahead_too)
{
    struct span *span;

    if (evict_resting(table, false))
        return true;
    if (!ahead_too)
        return false;
    if (evict_resting(table, true))
        return true;
    TAILQ_FOREACH_REVERSE(span, &table->places[SPAN_AHEAD], spans, link)
    {
        if (span->next_cell == 0 && span->pending == span->ncells) {
            span_free(table, span);
            return true;
        }
    }
    return false;
}

static uint64_t make_room(struct span_table *table, uint64_t nbytes, bool ahead)
{
    uint64_t at;

    while (table->nspans >= SPANS_MAX)
        if (!evict_one(table, !ahead))
            return ARENA_NONE;
    while ((at = arena_alloc(table->arena, nbytes)) == ARENA_NONE)
        if (!evict_one(table, !ahead))
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
    span->ncells = span->pending = encode_ncells(&span->grid);
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

struct span *span_new(struct span_table *table, const struct format_view *format, size_t file,
                      uint64_t begin, uint64_t end, bool ahead)
{
    struct span *span = pool_get(&table->pool);

    if (span == NULL)
        return NULL;
    TAILQ_INIT(&span->waiters);
    span->file = file;
    span->format = format;
    span->target = (struct encode_target){.begin = begin, .end = end};
    span->place = ahead ? SPAN_AHEAD : SPAN_DEMAND;
    span->at = place_cells(span) ? make_room(table, end - begin, ahead) : ARENA_NONE;
    if (span->at == ARENA_NONE) {
        pool_put(&table->pool, span);
        return NULL;
    }
    span->target.out = arena_at(table->arena, span->at);
    encode_begin(format, &span->target);
    TAILQ_INSERT_TAIL(&table->places[span->place], span, link);
    count_ahead(table, span, true);
    table->nspans++;
    return span;
}

struct span *span_covering(const struct span_table *table, size_t file, uint64_t offset)
{
    struct span *span, *best = NULL;

    for (int place = 0; place < SPAN_NPLACES; place++) {
        TAILQ_FOREACH(span, &table->places[place], link)
        {
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
        TAILQ_FOREACH(span, &table->places[place], link)
    if (span->file == file && !span->failed && span->target.begin > after)
        before = size_min(before, span->target.begin);
    return before;
}

struct span *span_queued_at(const struct span_table *table, size_t file, uint64_t begin)
{
    const enum span_place queues[] = {SPAN_DEMAND, SPAN_AHEAD};
    struct span *span;

    for (unsigned i = 0; i < 2; i++)
        TAILQ_FOREACH(span, &table->places[queues[i]], link)
    if (span->file == file && span->target.begin == begin && !span->failed)
        return span;
    return NULL;
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

void span_table_give_up(struct span_table *table, uint64_t handle)
{
    struct span *span;

    for (int place = 0; place < SPAN_NPLACES; place++)
        TAILQ_FOREACH(span, &table->places[place], link)
    if (span->for_handle == handle)
        span->unread = false;
}
