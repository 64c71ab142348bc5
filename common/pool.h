/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: objects of one size that come and go all the time, without malloc in between.
 *
 * Not thread-safe. Objects are zeroed when they are handed out, except their first `kept` bytes:
 * there an object can keep memory of its own for its next use. Those bytes are zero at the first
 * use.
 */
#ifndef VCZFS_COMMON_POOL_H
#define VCZFS_COMMON_POOL_H

#include <stddef.h>

struct pool {
    size_t size, kept;
    void *free; /* objects that are not in use, linked through the bytes after `kept` */
};

void pool_init(struct pool *pool, size_t size, size_t kept);

/* NULL if out of memory. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *object);

/* Frees the objects that are not in use; `drop`, if given, first frees what each has kept. */
void pool_clear(struct pool *pool, void (*drop)(void *object));

#endif
