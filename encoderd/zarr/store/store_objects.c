/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_objects: whole objects and trees of objects, for threads that may wait.
 */
#include "encoderd/zarr/store/get.h"

#include "encoderd/zarr/store/fail.h"

int store_object(const struct store *store, const char *key, struct object **out, struct err *err)
{
    struct store_range range;

    store_range_init(&range, key, NULL, 0, 0, NULL);
    *out = NULL;
    return get_object(store, &range, true, out, err) == GOT_FAILED ? -1 : 0;
}

bool store_lists_names(const struct store *store)
{
    return store->lists_names;
}

int store_has(const struct store *store, const char *key, bool *has, struct err *err)
{
    struct object *object;

    if (key_check(store, key, false, err) != 0)
        return -1;
    if (store->ops->has != NULL)
        return store->ops->has(store, key, has, err);
    if (store_object(store, key, &object, err) != 0)
        return -1;
    *has = object != NULL;
    object_close(object);
    return 0;
}

struct object *object_hold(struct object *object)
{
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
    return object;
}

void object_close(struct object *object)
{
    if (object != NULL &&
        atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) == 1)
        object->store->ops->close(object);
}

uint64_t object_size(const struct object *object)
{
    return object->size;
}

int object_read(const struct object *object, uint64_t offset, void *to, size_t n, struct err *err)
{
    return n == 0 ? 0 : (int)object->store->ops->read(object, offset, to, n, true, err);
}

static int read_whole(const struct object *object, const struct store *store, const char *key,
                      size_t max, struct buf *out, struct err *err)
{
    uint64_t size = object_size(object);
    uint8_t *to;

    if (size > max)
        return store_fail(store, key, err, ERR_CORRUPT,
                          "%llu bytes are more than the %zu that such a file may have",
                          (unsigned long long)size, max);
    to = buf_reserve(out, (size_t)size);
    if (to == NULL)
        return store_nomem(store, key, err);
    if (object_read(object, 0, to, (size_t)size, err) != 0)
        return -1;
    out->len += (size_t)size;
    return 0;
}

int store_read_all(const struct store *store, const char *key, size_t max, struct buf *out,
                   bool *found, struct err *err)
{
    struct object *object;
    int rc;

    *found = false;
    if (store_object(store, key, &object, err) != 0)
        return -1;
    if (object == NULL)
        return 0;
    rc = read_whole(object, store, key, max, out, err);
    object_close(object);
    *found = rc == 0;
    return rc;
}

int store_children(const struct store *store, const char *key,
                   int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    if (key_check(store, key, true, err) != 0)
        return -1;
    return store->ops->children(store, key, visit, arg, err);
}

int store_names(const struct store *store, const char *key,
                int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    if (key_check(store, key, true, err) != 0)
        return -1;
    return store->ops->names(store, key, visit, arg, err);
}

int store_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                struct err *err)
{
    *nobjects = 0;
    *nbytes = 0;
    if (key_check(store, key, true, err) != 0)
        return -1;
    return store->ops->usage(store, key, nobjects, nbytes, err);
}

int store_identity(const struct store *store, const char *key,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err)
{
    if (key_check(store, key, true, err) != 0)
        return -1;
    return store->ops->identity(store, key, NULL, add, arg, err);
}

int object_identity(const struct object *object, const char *key,
                    void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err)
{
    return object->store->ops->identity(object->store, key, object, add, arg, err);
}
