/* SPDX-License-Identifier: Apache-2.0 */
#include "common/pool.h"

#include <stdlib.h>
#include <string.h>

static void **link_of(const struct pool *pool, void *object)
{
    return (void **)(void *)((char *)object + pool->kept);
}

void pool_init(struct pool *pool, size_t size, size_t kept)
{
    const size_t least = kept + sizeof(void *);

    *pool = (struct pool){.size = size < least ? least : size, .kept = kept};
}

void *pool_get(struct pool *pool)
{
    void *object = pool->free;

    if (object == NULL)
        return calloc(1, pool->size);
    pool->free = *link_of(pool, object);
    memset((char *)object + pool->kept, 0, pool->size - pool->kept);
    return object;
}

void pool_put(struct pool *pool, void *object)
{
    if (object == NULL)
        return;
    *link_of(pool, object) = pool->free;
    pool->free = object;
}

void pool_clear(struct pool *pool, void (*drop)(void *object))
{
    void *object;

    while ((object = pool->free) != NULL) {
        pool->free = *link_of(pool, object);
        if (drop != NULL)
            drop(object);
        free(object);
    }
}
