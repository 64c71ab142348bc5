/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/get.h"

#include "common/printable.h"
#include "common/size.h"
#include "proto/proto.h"

#include <inttypes.h>
#include <string.h>

int get_fail(struct getter *get, const char *key, const char *what)
{
    if (get->failed)
        return -1;
    get->failed = true;
    return err_set(get->err, ERR_PEER, "message %s: key \"%s\" %s", get->message, key, what);
}

void get_begin(struct getter *get, const msgpack_object *object, msgpack_zone *zone,
               const char *message, struct err *err)
{
    *get = (struct getter){.zone = zone, .message = message, .err = err};
    if (object->type != MSGPACK_OBJECT_MAP || object->via.map.size > GET_KEYS_MAX) {
        get->failed = true;
        err_set(err, ERR_PEER, "message %s: not a map of at most %d keys", message, GET_KEYS_MAX);
        return;
    }
    get->map = &object->via.map;
}

static bool key_is(const msgpack_object *key, const char *name)
{
    size_t len = strlen(name);

    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == len &&
           memcmp(key->via.str.ptr, name, len) == 0;
}

/* The value under key, or NULL and the getter has failed. */
static const msgpack_object *take(struct getter *get, const char *key)
{
    const msgpack_object *found = NULL;

    if (get->failed)
        return NULL;
    for (uint32_t i = 0; i < get->map->size; i++) {
        if (!key_is(&get->map->ptr[i].key, key))
            continue;
        if (found != NULL) {
            get_fail(get, key, "appears twice");
            return NULL;
        }
        found = &get->map->ptr[i].val;
        get->used |= UINT32_C(1) << i;
    }
    if (found == NULL)
        get_fail(get, key, "is missing");
    return found;
}

void get_map(struct getter *get, const char *key, struct getter *inner)
{
    const msgpack_object *value = take(get, key);

    if (value == NULL) {
        *inner = (struct getter){.message = get->message, .failed = true};
        return;
    }
    get_begin(inner, value, get->zone, get->message, get->err);
    get->failed = inner->failed;
}

static bool in_range(const msgpack_object *value, uint64_t min, uint64_t max)
{
    return value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 >= min &&
           value->via.u64 <= max;
}

void get_u64(struct getter *get, const char *key, uint64_t min, uint64_t max, uint64_t *out)
{
    const msgpack_object *value = take(get, key);
    char what[80];

    if (value == NULL)
        return;
    if (!in_range(value, min, max)) {
        snprintf(what, sizeof what, "is not an integer in [%" PRIu64 ", %" PRIu64 "]", min, max);
        get_fail(get, key, what);
        return;
    }
    *out = value->via.u64;
}

void get_bool(struct getter *get, const char *key, bool *out)
{
    const msgpack_object *value = take(get, key);

    if (value == NULL)
        return;
    if (value->type == MSGPACK_OBJECT_BOOLEAN)
        *out = value->via.boolean;
    else
        get_fail(get, key, "is not a boolean");
}

static void copy_str(struct getter *get, const char *key, size_t min, const msgpack_object *value,
                     const char **out)
{
    const msgpack_object_str *str = &value->via.str;
    char *copy;

    if (value->type != MSGPACK_OBJECT_STR) {
        get_fail(get, key, "is not a string");
        return;
    }
    if (str->size < min || str->size > PROTO_STRING_MAX) {
        get_fail(get, key, str->size < min ? "is empty" : "is too long");
        return;
    }
    if (memchr(str->ptr, 0, str->size) != NULL) {
        get_fail(get, key, "has a 0 byte in it");
        return;
    }
    copy = msgpack_zone_malloc_no_align(get->zone, str->size + 1);
    if (copy == NULL) {
        get_fail(get, key, "does not fit in memory");
        return;
    }
    memcpy(copy, str->ptr, str->size);
    copy[str->size] = '\0';
    *out = copy;
}

void get_str(struct getter *get, const char *key, size_t min, const char **out)
{
    const msgpack_object *value = take(get, key);

    if (value != NULL)
        copy_str(get, key, min, value, out);
}

void get_bin(struct getter *get, const char *key, uint8_t *out, size_t len)
{
    const msgpack_object *value = take(get, key);

    if (value == NULL)
        return;
    if (value->type == MSGPACK_OBJECT_BIN && value->via.bin.size == len)
        memcpy(out, value->via.bin.ptr, len);
    else
        get_fail(get, key, "is not binary of the due length");
}

static const msgpack_object_array *take_array(struct getter *get, const char *key, size_t min,
                                              size_t max)
{
    const msgpack_object *value = take(get, key);

    if (value == NULL)
        return NULL;
    if (value->type == MSGPACK_OBJECT_ARRAY && value->via.array.size >= min &&
        value->via.array.size <= max)
        return &value->via.array;
    get_fail(get, key, "is not an array of the due length");
    return NULL;
}

void get_u64_array(struct getter *get, const char *key, size_t min, size_t max, uint64_t *out,
                   size_t *n)
{
    const msgpack_object_array *array = take_array(get, key, min, max);

    if (array == NULL)
        return;
    for (uint32_t i = 0; i < array->size; i++) {
        if (!in_range(&array->ptr[i], 0, UINT64_MAX)) {
            get_fail(get, key, "holds something that is not an unsigned integer");
            return;
        }
        out[i] = array->ptr[i].via.u64;
    }
    *n = array->size;
}

void get_str_array(struct getter *get, const char *key, size_t max, const char **out, size_t *n)
{
    const msgpack_object_array *array = take_array(get, key, 0, max);

    if (array == NULL)
        return;
    for (uint32_t i = 0; i < array->size; i++)
        copy_str(get, key, 1, &array->ptr[i], &out[i]);
    if (!get->failed)
        *n = array->size;
}

/* The peer chose these bytes, and they are on their way to a log or a terminal. */
static void name_key(const msgpack_object *key, char out[static 33])
{
    size_t len = key->type == MSGPACK_OBJECT_STR ? size_min(key->via.str.size, 32) : 0;

    if (len > 0)
        memcpy(out, key->via.str.ptr, len);
    printable(out, len);
    out[len] = '\0';
}

int get_end(struct getter *get)
{
    char name[33];

    if (get->failed)
        return -1;
    for (uint32_t i = 0; i < get->map->size; i++) {
        if (get->used & UINT32_C(1) << i)
            continue;
        name_key(&get->map->ptr[i].key, name);
        return get_fail(get, name, "does not belong to it");
    }
    return 0;
}
