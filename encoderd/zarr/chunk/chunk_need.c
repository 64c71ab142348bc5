/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/chunk_need_impl.h"

#include "common/size.h"
#include "encoderd/zarr/chunk/pieces.h"

#include <string.h>

static struct pieces *pieces_of(const struct stored *stored)
{
    return table_pieces(stored->table);
}

static enum range_state state_of(const struct piece *piece)
{
    return atomic_load_explicit(&piece->state, memory_order_acquire);
}

/* Does a piece that was asked for by its key have the range, or will it, as far as the object
 * reaches? */
static bool covers_named(const struct piece *piece, const struct piece_range *range)
{
    if (strcmp(range->key, piece->key) != 0 || range->from_end != piece->from_end)
        return false;
    return range->from_end ? range->length <= piece->length
                           : size_range_ok(range->offset, range->length, piece->length);
}

/* The same for a piece that is answered or whose offset is known. */
static bool covers(const struct piece *piece, const struct piece_range *range)
{
    const uint64_t at = piece->from_end ? piece->at : piece->offset;

    if (range->key != NULL)
        return covers_named(piece, range);
    if (piece->from_end && state_of(piece) == RANGE_ASKED)
        return false;
    return range->offset >= at && size_range_ok(range->offset - at, range->length, piece->length);
}

/* ---- Pieces: all under the lock; pieces that end are collected and destroyed without it ---- */

static struct piece *find_listed(const struct stored *stored, const struct piece_range *range)
{
    struct piece *piece;

    LIST_FOREACH (piece, &stored->pieces, link)
        if (covers(piece, range))
            return piece;
    return NULL;
}

static void list(struct piece *piece)
{
    LIST_INSERT_HEAD(&piece->stored->pieces, piece, link);
    piece->listed = true;
}

static void unlist(struct piece *piece)
{
    if (piece->listed)
        LIST_REMOVE(piece, link);
    piece->listed = false;
}

/* Has the piece no holder and no use? If the store has begun with it, it stays until it is
 * answered, and may get a holder again. */
static bool is_over(struct piece *piece)
{
    struct pieces *pieces = pieces_of(piece->stored);

    if (piece->refs > 0)
        return false;
    if (state_of(piece) == RANGE_ASKED) {
        if (!store_withdraw(piece->stored->name.store, &piece->range))
            return false;
        pieces->nsubmitted--;
        pthread_cond_broadcast(&pieces->answered);
    }
    unlist(piece);
    return true;
}

/* Releases the lock meanwhile. */
static void destroy_all(struct pieces *pieces, struct piece *gone)
{
    struct piece *piece;

    for (piece = gone; piece != NULL; piece = piece->next)
        pieces_give(pieces, piece->buffer);
    pthread_mutex_unlock(&pieces->lock);
    for (piece = gone; piece != NULL; piece = piece->next) {
        object_close(piece->opened);
        stored_put(piece->stored);
    }
    pthread_mutex_lock(&pieces->lock);
    while ((piece = gone) != NULL) {
        gone = piece->next;
        pool_put(&pieces->pool, piece);
    }
}

/* A piece for bytes of the object. NULL if out of memory. */
static struct piece *new_piece(struct stored *stored, const struct piece_range *range)
{
    struct pieces *pieces = pieces_of(stored);
    struct piece *piece = pool_get(&pieces->pool);

    if (piece == NULL)
        return NULL;
    piece->buffer = range->length > 0 ? pieces_take(pieces, range->length) : NULL;
    if (range->length > 0 && piece->buffer == NULL) {
        pool_put(&pieces->pool, piece);
        return NULL;
    }
    if (range->key != NULL)
        strcpy(piece->key, range->key);
    piece->stored = stored_hold(stored);
    piece->offset = range->offset;
    piece->length = range->length;
    piece->from_end = range->from_end;
    atomic_init(&piece->state, RANGE_ASKED);
    return piece;
}

/* Gives a piece that has to be waited for a longer buffer, if there is room. */
static void lengthen(struct piece *piece, uint64_t most)
{
    struct pieces *pieces = pieces_of(piece->stored);
    struct piece_buffer *longer;

    if (most <= piece->length || most > pieces->budget / 2 ||
        pieces->used + most > 2 * pieces->budget)
        return;
    longer = pieces_take(pieces, most);
    if (longer == NULL)
        return;
    pieces_give(pieces, piece->buffer);
    piece->buffer = longer;
    piece->length = most;
}

static void set_range(struct piece *piece, const struct piece_range *asked,
                      const struct chunk_need *need)
{
    /* With a key, stored->object is not used, because another thread may be setting it. */
    struct object *object = piece->key[0] != '\0' ? piece->opened : piece->stored->object;

    store_range_init(&piece->range, piece->key, object, piece->offset, piece->length,
                     piece->buffer == NULL ? NULL : piece_buffer_at(piece->buffer));
    piece->range.from_end = piece->from_end;
    piece->range.label = piece->stored->label;
    piece->range.likely_offset = asked->likely_offset;
    piece->range.likely_length = asked->likely_length;
    piece->range.order = need->order;
    piece->range.arg = piece;
}

/* ---- Answers ---- */

/* Takes over the object that the range has opened. */
static void take_opened(struct piece *piece)
{
    if (piece->key[0] != '\0' && piece->opened == NULL)
        piece->opened = piece->range.object;
}

/* Under the lock: the range has been answered. Returns the needs to wake, linked through `next`. */
static struct chunk_need *answer(struct piece *piece)
{
    struct pieces *pieces = pieces_of(piece->stored);
    struct chunk_need *awake = NULL;
    struct piece_hold *hold;

    take_opened(piece);
    if (piece->range.state == RANGE_THERE) {
        piece->at = piece->range.offset;
    } else {
        unlist(piece); /* so that the next need asks again */
    }
    atomic_store_explicit(&piece->state, piece->range.state, memory_order_release);
    for (; (hold = piece->waiting) != NULL; hold->waits = false) {
        struct chunk_need *need = hold->need;

        piece->waiting = hold->next_waiting;
        if (--need->nwaiting > 0 || !need->asleep)
            continue;
        need->asleep = false;
        need->nwaking++;
        need->next = awake;
        awake = need;
    }
    pthread_cond_broadcast(&pieces->answered);
    return awake;
}

/* Under the lock, which it releases meanwhile. */
static void wake_all(struct pieces *pieces, struct chunk_need *awake)
{
    struct chunk_need *need;

    while ((need = awake) != NULL) {
        awake = need->next;
        pthread_mutex_unlock(&pieces->lock);
        need->wake(need);
        pthread_mutex_lock(&pieces->lock);
        need->nwaking--;
        pthread_cond_broadcast(&pieces->answered);
    }
}

/* Called by the store, on one of its threads. */
static void submitted_done(struct store_range *range, void *arg)
{
    struct piece *piece = arg;
    struct pieces *pieces = pieces_of(piece->stored);
    struct chunk_need *awake;

    (void)range;
    pthread_mutex_lock(&pieces->lock);
    awake = answer(piece);
    if (is_over(piece)) {
        piece->next = NULL;
        destroy_all(pieces, piece);
    }
    wake_all(pieces, awake);
    pieces->nsubmitted--;
    pthread_cond_broadcast(&pieces->answered);
    pthread_mutex_unlock(&pieces->lock);
}

/* ---- Needs ---- */

static struct piece_hold *find_hold(const struct chunk_need *need, const struct stored *stored,
                                    const struct piece_range *range)
{
    for (struct piece_hold *hold = need->holds; hold != NULL; hold = hold->next)
        if (hold->piece->stored == stored && covers(hold->piece, range))
            return hold;
    return NULL;
}

/* All under the lock. */

static struct piece_hold *hold_piece(struct chunk_need *need, struct piece *piece)
{
    struct pieces *pieces = pieces_of(piece->stored);
    struct piece_hold *hold = pool_get(&pieces->holds);

    if (hold == NULL)
        return NULL;
    hold->piece = piece;
    hold->need = need;
    hold->next = need->holds;
    need->holds = hold;
    need->pieces = pieces;
    need->nbytes += piece->length;
    piece->refs++;
    return hold;
}

static void join(struct piece_hold *hold)
{
    if (hold->waits)
        return;
    hold->waits = true;
    hold->next_waiting = hold->piece->waiting;
    hold->piece->waiting = hold;
    hold->need->nwaiting++;
}

static void leave(struct piece_hold *hold)
{
    struct piece_hold **at = &hold->piece->waiting;

    if (!hold->waits)
        return;
    while (*at != hold)
        at = &(*at)->next_waiting;
    *at = hold->next_waiting;
    hold->waits = false;
    hold->need->nwaiting--;
}

/* Refuses early: for a need that can come back later, that is faster than getting one part now and
 * the rest later. */
static enum need check_room(const struct chunk_need *need, const struct pieces *pieces,
                            const struct piece_range *range)
{
    const uint64_t most = range->most > pieces->budget / 2 ? range->length : range->most;

    if (need->may_wait)
        return NEED_THERE;
    if (need->nbytes + range->length > pieces->budget / 2)
        return NEED_SLOW;
    if (pieces->used + size_max(range->length, most) <= pieces->budget ||
        (need->demand && (need->nwaiting == 0 || pieces->used <= 2 * pieces->budget)))
        return NEED_THERE;
    return NEED_FULL;
}

/* Asks for a new piece of the need's own. Under the lock, which it releases meanwhile. */
static enum need ask(struct chunk_need *need, struct stored *stored,
                     const struct piece_range *range, struct piece_hold **out)
{
    const struct store *store = stored->name.store;
    struct pieces *pieces = pieces_of(stored);
    const enum need room = check_room(need, pieces, range);
    struct piece *piece;
    bool now;

    if (room != NEED_THERE)
        return room;
    piece = new_piece(stored, range);
    *out = piece == NULL ? NULL : hold_piece(need, piece);
    if (*out == NULL) {
        if (piece != NULL) {
            piece->next = NULL;
            destroy_all(pieces, piece);
        }
        return NEED_FAILED;
    }
    set_range(piece, range, need);
    if (need->may_wait || range->shared)
        list(piece);
    pthread_mutex_unlock(&pieces->lock);
    now = need->may_wait || store_get_now(store, &piece->range);
    if (need->may_wait)
        store_get(store, &piece->range);
    pthread_mutex_lock(&pieces->lock);
    if (now) {
        wake_all(pieces, answer(piece));
        return NEED_THERE;
    }
    take_opened(piece);
    need->nbytes -= piece->length;
    lengthen(piece, range->most);
    need->nbytes += piece->length;
    set_range(piece, range, need);
    piece->range.done = submitted_done;
    if (!piece->listed)
        list(piece);
    join(*out);
    pieces->nsubmitted++;
    pthread_mutex_unlock(&pieces->lock);
    store_submit(store, &piece->range);
    pthread_mutex_lock(&pieces->lock);
    return NEED_THERE;
}

/* Holds a piece that has the range, or will have it; if there is none, asks for one. */
static enum need find_or_ask(struct chunk_need *need, struct stored *stored,
                             const struct piece_range *range, struct piece_hold **out)
{
    struct pieces *pieces = pieces_of(stored);
    struct piece *piece;
    enum need rc = NEED_THERE;

    pthread_mutex_lock(&pieces->lock);
    *out = find_hold(need, stored, range);
    if (*out == NULL) {
        piece = find_listed(stored, range);
        if (piece == NULL)
            rc = ask(need, stored, range, out);
        else if ((*out = hold_piece(need, piece)) == NULL)
            rc = NEED_FAILED;
    }
    while (rc == NEED_THERE && state_of((*out)->piece) == RANGE_ASKED) {
        if (need->may_wait) {
            pthread_cond_wait(&pieces->answered, &pieces->lock);
            continue;
        }
        join(*out);
        rc = NEED_WAITS;
    }
    pthread_mutex_unlock(&pieces->lock);
    return rc;
}

static void tell(const struct piece *piece, uint64_t offset, struct piece_bytes *out)
{
    const uint64_t at = offset - piece->at;

    *out = (struct piece_bytes){
        .absent = state_of(piece) == RANGE_ABSENT,
        .object = piece->opened,
        .size = piece->range.size,
        .n = at < piece->range.nread ? piece->range.nread - at : 0,
    };
    if (piece->buffer == NULL)
        return;
    out->at = piece_buffer_at(piece->buffer) + at;
    out->before = piece->listed ? 0 : PIECE_LEAD; /* nobody else finds it */
}

enum need chunk_need_range(struct chunk_need *need, struct stored *stored,
                           const struct piece_range *range, struct piece_bytes *out,
                           struct err *err)
{
    struct piece_hold *hold = NULL;
    enum need rc = find_or_ask(need, stored, range, &hold);

    if (rc == NEED_FAILED)
        return err_nomem(err, "stored bytes");
    if (rc != NEED_THERE)
        return rc;
    if (state_of(hold->piece) == RANGE_FAILED) {
        if (err != NULL)
            *err = hold->piece->range.err;
        return NEED_FAILED;
    }
    tell(hold->piece, range->from_end ? hold->piece->at : range->offset, out);
    if (range->from_end && range->length < out->n) { /* the last bytes of a longer piece */
        out->at += out->n - range->length;
        out->n = range->length;
    }
    return NEED_THERE;
}

bool chunk_need_has(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                    uint64_t n)
{
    const struct piece_range range = {.offset = offset, .length = n};
    struct pieces *pieces = pieces_of(stored);
    bool has;

    pthread_mutex_lock(&pieces->lock);
    has = find_hold(need, stored, &range) != NULL || find_listed(stored, &range) != NULL;
    pthread_mutex_unlock(&pieces->lock);
    return has;
}

bool chunk_need_find(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                     uint64_t n, struct piece_bytes *out)
{
    const struct piece_range range = {.offset = offset, .length = n};

    for (struct piece_hold *hold = need->holds; hold != NULL; hold = hold->next) {
        const struct piece *piece = hold->piece;

        if (piece->stored != stored || state_of(piece) != RANGE_THERE || !covers(piece, &range))
            continue;
        tell(piece, offset, out);
        if (out->n >= n)
            return true;
    }
    return false;
}

bool chunk_need_sleep(struct chunk_need *need)
{
    bool asleep;

    if (need->pieces == NULL)
        return false;
    pthread_mutex_lock(&need->pieces->lock);
    asleep = need->nwaiting > 0;
    need->asleep = asleep; /* after this it may be awake: do not touch it */
    pthread_mutex_unlock(&need->pieces->lock);
    return asleep;
}

void chunk_need_clear(struct chunk_need *need)
{
    struct pieces *pieces = need->pieces;
    struct piece_hold *hold;
    struct piece *gone = NULL;

    if (pieces == NULL)
        return;
    pthread_mutex_lock(&pieces->lock);
    need->asleep = false;
    while ((hold = need->holds) != NULL) {
        struct piece *piece = hold->piece;

        need->holds = hold->next;
        leave(hold);
        pool_put(&pieces->holds, hold);
        piece->refs--;
        if (is_over(piece)) {
            piece->next = gone;
            gone = piece;
        }
    }
    while (need->nwaking > 0)
        pthread_cond_wait(&pieces->answered, &pieces->lock);
    destroy_all(pieces, gone);
    need->nbytes = 0;
    need->pieces = NULL;
    pthread_mutex_unlock(&pieces->lock);
}
