/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/stored_objects.h"

#include "common/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state of listing a tree of names that leads to the objects. */
struct object_names {
    const struct zarr_array *array;
    struct stored_objects *out;
    const char *key; /* of the tree */
    unsigned axis;   /* the axis whose index the names in it begin with */
    uint64_t number; /* of the object, from the axes so far */
    struct err *err;
};

uint64_t stored_objects_along(const struct zarr_meta *meta, unsigned d)
{
    return size_div_up(meta->nchunks[d], meta->sharding.chunks[d]);
}

static bool can_number(const struct zarr_meta *meta)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(n, stored_objects_along(meta, d), &n))
            return false;
    return meta->ndim > 0;
}

/* Parses a number as chunk keys have it. Returns the text after it; NULL if there is none. */
static const char *parse_number(const char *text, uint64_t *out)
{
    const char *at = text;

    *out = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (!size_mul(*out, 10, out) || !size_add(*out, (uint64_t)(*at - '0'), out))
            return NULL;
    return at == text || (text[0] == '0' && at > text + 1) ? NULL : at;
}

static int add_number(struct object_names *listing, uint64_t number)
{
    struct stored_objects *out = listing->out;

    if (out->n == STORED_OBJECTS_MAX) {
        out->complete = false;
        return 1;
    }
    if (out->n == out->cap) {
        const size_t cap = out->cap > 0 ? 2 * out->cap : 64;
        uint64_t *more = reallocarray(out->numbers, cap, sizeof *more);

        if (more == NULL)
            return err_nomem(listing->err, "a list of chunks");
        out->numbers = more;
        out->cap = cap;
    }
    out->numbers[out->n++] = number;
    return 0;
}

static int list_tree(struct object_names *listing);

static int list_below(const struct object_names *listing, const char *name, unsigned axis,
                      uint64_t number)
{
    char key[ZARR_KEY_MAX];
    struct object_names below = *listing;

    if (snprintf(key, sizeof key, "%s/%s", listing->key, name) >= (int)sizeof key)
        return 0;
    below.key = key;
    below.axis = axis;
    below.number = number;
    return list_tree(&below);
}

/* Handles one name. Names that are not those of an object are ignored. */
static int see_name(const char *name, void *arg)
{
    struct object_names *listing = arg;
    const struct zarr_meta *meta = &listing->array->meta;
    const char *at = name;
    uint64_t number = listing->number, place;
    unsigned axis = listing->axis;

    if (meta->key_prefix && meta->separator == '.') {
        if (strncmp(name, "c.", 2) != 0)
            return 0;
        at += 2;
    }
    for (;; at++) {
        at = parse_number(at, &place);
        if (at == NULL || place >= stored_objects_along(meta, axis))
            return 0;
        number = number * stored_objects_along(meta, axis) + place;
        axis++;
        if (*at == '\0' || *at != meta->separator || axis == meta->ndim)
            break;
    }
    if (*at != '\0')
        return 0;
    if (axis == meta->ndim)
        return add_number(listing, number);
    return meta->separator == '/' ? list_below(listing, name, axis, number) : 0;
}

static int list_tree(struct object_names *listing)
{
    return store_names(listing->array->store, listing->key, see_name, listing, listing->err);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int stored_objects_list(const struct zarr_array *array, struct stored_objects *out, struct err *err)
{
    char key[ZARR_KEY_MAX];
    struct object_names listing = {.array = array, .out = out, .key = key, .err = err};
    int rc;

    out->complete = can_number(&array->meta);
    if (!out->complete)
        return 0;
    snprintf(key, sizeof key, "%s%s", array->name,
             array->meta.key_prefix && array->meta.separator == '/' ? "/c" : "");
    rc = list_tree(&listing);
    if (out->n > 0)
        qsort(out->numbers, out->n, sizeof *out->numbers, compare_numbers);
    return rc < 0 ? -1 : 0; /* > 0: there are more than are listed */
}

void stored_objects_clear(struct stored_objects *stored)
{
    free(stored->numbers);
    *stored = (struct stored_objects){0};
}

static size_t first_from(const struct stored_objects *stored, uint64_t from)
{
    size_t low = 0, high = stored->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (stored->numbers[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t stored_objects_gap(const struct stored_objects *stored, uint64_t from)
{
    for (size_t i = first_from(stored, from); i < stored->n && stored->numbers[i] == from; i++)
        from++;
    return from;
}

uint64_t stored_objects_next(const struct stored_objects *stored, uint64_t from, uint64_t otherwise)
{
    const size_t i = first_from(stored, from);

    return i < stored->n ? stored->numbers[i] : otherwise;
}
