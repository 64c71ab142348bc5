/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/pending.h"

#include <stdlib.h>

#define KEPT_MAX (4u << 20) /* bytes of reply memory that are kept for later reads */

void pending_pool_init(struct pending_pool *pool)
{
    pool_init(&pool->pool, sizeof(struct pending), sizeof(struct pending_memory));
    pool->kept = 0;
}

static void drop_memory(void *object)
{
    free(((struct pending_memory *)object)->data);
}

void pending_pool_clear(struct pending_pool *pool)
{
    pool_clear(&pool->pool, drop_memory);
    pool->kept = 0;
}

struct pending *pending_new(struct pending_pool *pool, const struct pending_read *read)
{
    struct pending *pending = pool_get(&pool->pool);

    if (pending == NULL)
        return NULL;
    pool->kept -= pending->memory.cap;
    pending->read = *read;
    return pending;
}

void pending_free(struct pending_pool *pool, struct pending *read)
{
    if (read->memory.cap > KEPT_MAX - pool->kept) {
        free(read->memory.data);
        read->memory = (struct pending_memory){0};
    }
    pool->kept += read->memory.cap;
    pool_put(&pool->pool, read);
}

bool pending_make_room(struct pending *read)
{
    struct pending_memory *memory = &read->memory;

    if (memory->cap >= read->read.size)
        return true;
    free(memory->data);
    memory->data = malloc(read->read.size);
    memory->cap = memory->data == NULL ? 0 : read->read.size;
    return memory->data != NULL;
}

uint64_t pending_lacks(const struct pending *read)
{
    return read->read.offset + (read->have > 0 ? read->have : read->left);
}
