/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/pieces.h"

#include "common/size.h"

#include <stdlib.h>

/* The most bytes in buffers that are not in use. */
#define SPARE_MAX ((uint64_t)8 << 20)
/* The size of a buffer is a multiple of this, and at most twice what is asked for. */
#define UNIT ((uint64_t)8 << 10)

struct pieces *pieces_new(void)
{
    struct pieces *pieces = calloc(1, sizeof *pieces);

    if (pieces == NULL)
        return NULL;
    pthread_mutex_init(&pieces->lock, NULL);
    pthread_cond_init(&pieces->answered, NULL);
    pool_init(&pieces->pool, sizeof(struct piece), 0);
    pool_init(&pieces->holds, sizeof(struct piece_hold), 0);
    pieces->budget = PIECES_BUDGET;
    return pieces;
}

void pieces_wait(struct pieces *pieces)
{
    pthread_mutex_lock(&pieces->lock);
    while (pieces->nsubmitted > 0)
        pthread_cond_wait(&pieces->answered, &pieces->lock);
    pthread_mutex_unlock(&pieces->lock);
}

static void drop_spare(struct pieces *pieces)
{
    struct piece_buffer *buffer;

    while ((buffer = pieces->spare) != NULL) {
        pieces->spare = buffer->next;
        free(buffer);
    }
    pieces->spare_nbytes = 0;
    pool_clear(&pieces->pool, NULL);
    pool_clear(&pieces->holds, NULL);
}

void pieces_trim(struct pieces *pieces)
{
    pthread_mutex_lock(&pieces->lock);
    drop_spare(pieces);
    pthread_mutex_unlock(&pieces->lock);
}

void pieces_free(struct pieces *pieces)
{
    if (pieces == NULL)
        return;
    drop_spare(pieces);
    pthread_cond_destroy(&pieces->answered);
    pthread_mutex_destroy(&pieces->lock);
    free(pieces);
}

struct piece_buffer *pieces_take(struct pieces *pieces, uint64_t nbytes)
{
    const uint64_t room = size_div_up(size_max(nbytes, 1), UNIT) * UNIT;
    struct piece_buffer **at = &pieces->spare, *buffer;

    while (*at != NULL && ((*at)->room < room || (*at)->room > 2 * room))
        at = &(*at)->next;
    buffer = *at;
    if (buffer != NULL) {
        *at = buffer->next;
        pieces->spare_nbytes -= buffer->room;
    } else {
        buffer = malloc(2 * PIECE_LEAD + room + PIECE_LEAD); /* planes are read past their end */
        if (buffer == NULL)
            return NULL;
        buffer->room = room;
    }
    pieces->used += buffer->room;
    return buffer;
}

void pieces_give(struct pieces *pieces, struct piece_buffer *buffer)
{
    if (buffer == NULL)
        return;
    pieces->used -= buffer->room;
    if (pieces->spare_nbytes + buffer->room > SPARE_MAX) {
        free(buffer);
        return;
    }
    buffer->next = pieces->spare;
    pieces->spare = buffer;
    pieces->spare_nbytes += buffer->room;
}
