/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem_store: a store in memory, so that a target spends its time in what it tests and not in files.
 */
#ifndef VCZFS_TESTS_MEM_STORE_H
#define VCZFS_TESTS_MEM_STORE_H

#include "encoderd/zarr/store/kind.h"

#include <stdlib.h>
#include <string.h>

#define MEM_ENTRIES_MAX 64

/* Keys and bytes are borrowed, and may be changed while no object is open. */
struct mem_entry {
    const char *key;
    const void *data;
    size_t size;
};

struct mem_store {
    struct store store; /* give its address to whatever wants a store; never free it */
    struct mem_entry entries[MEM_ENTRIES_MAX];
    size_t n;
};

struct mem_object {
    struct object object;
    const uint8_t *data;
};

static inline enum got mem_read(const struct object *object, uint64_t offset, void *to, size_t n,
                                bool may_wait, struct err *err)
{
    (void)may_wait;
    if (offset > object->size || n > object->size - offset)
        return (enum got)err_set(err, ERR_CORRUPT, "memory: it ends before");
    memcpy(to, ((const struct mem_object *)object)->data + offset, n);
    return GOT_IT;
}

static inline void mem_close(struct object *object)
{
    free(object);
}

static inline enum got mem_open(const struct store *store, const struct store_range *range,
                                bool may_wait, struct object **out, struct err *err)
{
    const struct mem_store *mem = (const struct mem_store *)store;

    (void)may_wait;
    (void)err;
    for (size_t i = 0; i < mem->n; i++) {
        struct mem_object *object;

        if (strcmp(mem->entries[i].key, range->key) != 0)
            continue;
        object = malloc(sizeof *object);
        if (object == NULL)
            abort();
        *object = (struct mem_object){{.size = mem->entries[i].size}, mem->entries[i].data};
        *out = &object->object;
        return GOT_IT;
    }
    return GOT_NOTHING;
}

static inline int mem_children(const struct store *store, const char *key,
                               int (*visit)(const char *name, void *arg), void *arg,
                               struct err *err)
{
    (void)store;
    (void)key;
    (void)visit;
    (void)arg;
    (void)err;
    return 0; /* arrays are found through consolidated metadata, or by name */
}

static inline struct store *mem_store_init(struct mem_store *mem)
{
    static const struct store_ops ops = {
        .open = mem_open, .read = mem_read, .close = mem_close, .children = mem_children};
    static char path[] = "memory";

    *mem = (struct mem_store){.store = {.ops = &ops, .path = path}};
    return &mem->store;
}

static inline void mem_put(struct mem_store *mem, const char *key, const void *data, size_t size)
{
    size_t i = 0;

    while (i < mem->n && strcmp(mem->entries[i].key, key) != 0)
        i++;
    if (i == MEM_ENTRIES_MAX)
        abort();
    mem->entries[i] = (struct mem_entry){key, data, size};
    if (i == mem->n)
        mem->n++;
}

static inline void mem_put_text(struct mem_store *mem, const char *key, const char *text)
{
    mem_put(mem, key, text, strlen(text));
}

#endif
