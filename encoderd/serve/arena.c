/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/arena.h"

#include "common/memfd.h"
#include "common/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)

/* The arena is a row of extents without gaps; neighbours are never both free. */
struct extent {
    TAILQ_ENTRY(extent) link;
    uint64_t at, nbytes;
    bool used;
    bool dirty; /* free, but its pages may still be resident */
};
TAILQ_HEAD(extents, extent);

struct arena {
    int fd;
    uint8_t *map;
    uint64_t size, used;
    struct extents extents;
    struct pool pool; /* of extents */
};

static struct extent *extent_new(struct arena *arena, uint64_t at, uint64_t nbytes, bool used,
                                 bool dirty)
{
    struct extent *extent = pool_get(&arena->pool);

    if (extent == NULL)
        return NULL;
    extent->at = at;
    extent->nbytes = nbytes;
    extent->used = used;
    extent->dirty = dirty;
    return extent;
}

struct arena *arena_new(uint64_t size, struct err *err)
{
    struct arena *arena = calloc(1, sizeof *arena);
    struct extent *all;

    if (arena == NULL) {
        err_nomem(err, "the arena");
        return NULL;
    }
    TAILQ_INIT(&arena->extents);
    pool_init(&arena->pool, sizeof(struct extent), 0);
    arena->map = MAP_FAILED;
    arena->size = (size + PAGE - 1) / PAGE * PAGE;
    arena->fd = memfd_arena("vczfs-arena", arena->size, err);
    if (arena->fd < 0)
        goto fail;
    arena->map = mmap(NULL, arena->size, PROT_READ | PROT_WRITE, MAP_SHARED, arena->fd, 0);
    if (arena->map == MAP_FAILED) {
        err_sys(err, ERR_MEMORY, errno, "cannot map an arena of %llu bytes",
                (unsigned long long)arena->size);
        goto fail;
    }
    all = extent_new(arena, 0, arena->size, false, false);
    if (all == NULL) {
        err_nomem(err, "the arena");
        goto fail;
    }
    TAILQ_INSERT_HEAD(&arena->extents, all, link);
    return arena;
fail:
    arena_free(arena);
    return NULL;
}

void arena_free(struct arena *arena)
{
    struct extent *extent;

    if (arena == NULL)
        return;
    while ((extent = TAILQ_FIRST(&arena->extents)) != NULL) {
        TAILQ_REMOVE(&arena->extents, extent, link);
        pool_put(&arena->pool, extent);
    }
    pool_clear(&arena->pool, NULL);
    if (arena->map != MAP_FAILED)
        munmap(arena->map, arena->size);
    if (arena->fd >= 0)
        close(arena->fd);
    free(arena);
}

int arena_fd(const struct arena *arena)
{
    return arena->fd;
}

uint64_t arena_size(const struct arena *arena)
{
    return arena->size;
}

uint64_t arena_used(const struct arena *arena)
{
    return arena->used;
}

uint8_t *arena_at(const struct arena *arena, uint64_t at)
{
    return arena->map + at;
}

uint64_t arena_alloc(struct arena *arena, uint64_t nbytes)
{
    struct extent *extent, *rest;

    if (nbytes == 0 || nbytes > arena->size)
        return ARENA_NONE;
    nbytes = (nbytes + PAGE - 1) / PAGE * PAGE;
    TAILQ_FOREACH (extent, &arena->extents, link)
        if (!extent->used && extent->nbytes >= nbytes)
            break;
    if (extent == NULL)
        return ARENA_NONE;
    if (extent->nbytes > nbytes) {
        rest =
            extent_new(arena, extent->at + nbytes, extent->nbytes - nbytes, false, extent->dirty);
        if (rest == NULL)
            return ARENA_NONE;
        TAILQ_INSERT_AFTER(&arena->extents, extent, rest, link);
        extent->nbytes = nbytes;
    }
    extent->used = true;
    arena->used += nbytes;
    return extent->at;
}

/* Joins `next` into `extent` if both are free. */
static void coalesce(struct arena *arena, struct extent *extent, struct extent *next)
{
    if (extent == NULL || next == NULL || extent->used || next->used)
        return;
    extent->nbytes += next->nbytes;
    extent->dirty |= next->dirty;
    TAILQ_REMOVE(&arena->extents, next, link);
    pool_put(&arena->pool, next);
}

void arena_release(struct arena *arena, uint64_t at)
{
    struct extent *extent;

    TAILQ_FOREACH (extent, &arena->extents, link)
        if (extent->at == at)
            break;
    if (extent == NULL || !extent->used)
        abort(); /* a span was freed twice: the arena's contents can no longer be trusted */
    extent->used = false;
    extent->dirty = true;
    arena->used -= extent->nbytes;
    coalesce(arena, extent, TAILQ_NEXT(extent, link));
    coalesce(arena, TAILQ_PREV(extent, extents, link), extent);
}

void arena_trim(struct arena *arena)
{
    struct extent *extent;

    TAILQ_FOREACH (extent, &arena->extents, link) {
        if (extent->used || !extent->dirty)
            continue;
        if (fallocate(arena->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)extent->at,
                      (off_t)extent->nbytes) == 0)
            extent->dirty = false;
    }
}
