/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/get.h"

#include "common/size.h"
#include "encoderd/zarr/store/fail.h"

#include <string.h>

int key_check(const struct store *store, const char *key, bool root_ok, struct err *err)
{
    const char *at = key;

    if (*key == '\0' && root_ok)
        return 0;
    for (;;) {
        size_t n = strcspn(at, "/");

        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return store_fail(store, NULL, err, ERR_CORRUPT,
                              "\"%s\" is not the name of an object in a store", key);
        if (at[n] == '\0')
            return 0;
        at += n + 1;
    }
}

uint64_t key_id(const char *key)
{
    uint64_t id = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *key != '\0'; key++)
        id = (id ^ (uint8_t)*key) * UINT64_C(0x100000001b3);
    return id;
}

void store_range_init(struct store_range *range, const char *key, struct object *object,
                      uint64_t offset, uint64_t length, uint8_t *to)
{
    range->key = key;
    range->label = NULL;
    range->object = object;
    range->offset = offset;
    range->length = length;
    range->from_end = false;
    range->to = to;
    range->order = 0;
    range->likely_offset = 0;
    range->likely_length = 0;
    range->done = NULL;
    range->arg = NULL;
    range->state = RANGE_ASKED;
    range->waited = false;
    range->nread = 0;
    range->size = 0;
    range->in_line = false;
}

uint64_t range_cut(const struct store_range *range, uint64_t size, uint64_t *offset)
{
    if (range->from_end) {
        *offset = size - size_min(range->length, size);
        return size - *offset;
    }
    *offset = range->offset;
    return range->offset >= size ? 0 : size_min(range->length, size - range->offset);
}

static struct store_tally *tally_of(const struct store *store)
{
    return &((struct store *)(uintptr_t)store)->tally;
}

static void add_to(atomic_uint_fast64_t *count, uint64_t n)
{
    atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

void range_answered(const struct store *store, struct store_range *range, bool waited)
{
    struct store_tally *tally = tally_of(store);

    if (range->state != RANGE_THERE) {
        range->nread = 0;
        range->size = 0;
    }
    range->waited = waited;
    add_to(&tally->requests, 1);
    if (range->nread > 0)
        add_to(&tally->bytes, range->nread);
    if (waited)
        add_to(&tally->waits, 1);
}

/* Initialises what all objects have, with one reference. */
static void init_object(struct object *object, const struct store *store, const char *key)
{
    object->store = store;
    object->id = key_id(key);
    atomic_init(&object->references, 1);
}

enum got get_object(const struct store *store, const struct store_range *range, bool may_wait,
                    struct object **out, struct err *err)
{
    enum got got = GOT_FAILED;

    if (key_check(store, range->key, false, err) == 0)
        got = store->ops->open(store, range, may_wait, out, err);
    if (got == GOT_IT) {
        init_object(*out, store, range->key);
        add_to(&tally_of(store)->opened, 1);
    }
    return got;
}

static enum got open_and_read(const struct store *store, struct store_range *range, bool may_wait,
                              struct err *err)
{
    enum got got = GOT_IT;
    uint64_t n;

    if (range->object == NULL)
        got = get_object(store, range, may_wait, &range->object, err);
    if (got != GOT_IT)
        return got;
    n = range_cut(range, range->object->size, &range->offset);
    if (n > 0)
        got = store->ops->read(range->object, range->offset, range->to, (size_t)n, may_wait, err);
    if (got != GOT_IT)
        return got;
    range->nread = n;
    range->size = range->object->size;
    return GOT_IT;
}

bool get_range(const struct store *store, struct store_range *range, bool may_wait)
{
    struct err *err = may_wait ? &range->err : NULL;
    enum got got;

    if (store->ops->get != NULL)
        got = store->ops->get(store, range, may_wait);
    else
        got = open_and_read(store, range, may_wait, err);
    if (!may_wait && (got == GOT_FAILED || got == GOT_NOT_NOW))
        return false;
    range->state = got == GOT_IT ? RANGE_THERE : got == GOT_NOTHING ? RANGE_ABSENT : RANGE_FAILED;
    return true;
}
