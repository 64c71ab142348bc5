/* SPDX-License-Identifier: Apache-2.0 */
#include "common/printable.h"
#include "common/size.h"
#include "proto/record.h"

#include <string.h>

struct unpacking {
    char *room; /* where the next string goes */
    const struct record_report *report;
};

/* The pairs of one map, by their keys. */
struct pairs {
    const struct value *key[RECORD_KEYS_MAX];
    uint32_t n, next; /* where the next key is likely to be */
    uint32_t used;    /* bit i: pair i was asked for */
};

static const struct value *value_of(const struct value *key)
{
    return value_next(key);
}

static bool begin_pairs(const struct value *map, struct pairs *pairs)
{
    const struct value *key = map + 1;

    if (map->type != VALUE_MAP || map->n > RECORD_KEYS_MAX)
        return false;
    pairs->n = map->n;
    pairs->next = pairs->used = 0;
    for (uint32_t i = 0; i < map->n; i++) {
        pairs->key[i] = key;
        key = value_next(value_of(key));
    }
    return true;
}

/* The value under a key that no field has taken yet, or NULL. */
static const struct value *find(struct pairs *pairs, const char *key, size_t len)
{
    for (uint32_t n = 0; n < pairs->n; n++) {
        const uint32_t i = pairs->next < pairs->n ? pairs->next : 0;

        pairs->next = i + 1;
        if ((pairs->used & UINT32_C(1) << i) == 0 && value_is_str(pairs->key[i], key, len)) {
            pairs->used |= UINT32_C(1) << i;
            return value_of(pairs->key[i]);
        }
    }
    return NULL;
}

static bool is_same_key(const struct value *a, const struct value *b)
{
    return a->type == VALUE_STR && value_is_str(b, (const char *)a->bytes, a->n);
}

static bool was_found(const struct pairs *pairs, const struct value *key)
{
    for (uint32_t i = 0; i < pairs->n; i++)
        if ((pairs->used & UINT32_C(1) << i) != 0 && is_same_key(pairs->key[i], key))
            return true;
    return false;
}

/* Refuses keys that no field has taken. The key is made printable, because the peer chose it and it
 * will be shown in a log or on a terminal. */
static int end_pairs(const struct pairs *pairs, const struct record_report *report)
{
    for (uint32_t i = 0; i < pairs->n; i++) {
        const struct value *key = pairs->key[i];
        const size_t len = key->type == VALUE_STR ? size_min(key->n, 32) : 0;
        char name[33] = {0};

        if (pairs->used & UINT32_C(1) << i)
            continue;
        if (len > 0)
            memcpy(name, key->bytes, len);
        printable(name, len);
        return record_fail(report, name,
                           was_found(pairs, key) ? "appears twice" : "does not belong to it");
    }
    return 0;
}

static int take_number(struct unpacking *unpacking, const struct field *field,
                       const struct value *value, uint64_t *out)
{
    if (value->type != VALUE_NUMBER)
        return record_fail_number(unpacking->report, field);
    *out = value->number;
    return 0;
}

static int take_text(struct unpacking *unpacking, const struct field *field,
                     const struct value *value, const char **out)
{
    if (value->type != (field->type == FIELD_STR ? VALUE_STR : VALUE_BIN))
        return record_fail(unpacking->report, field->key,
                           field->type == FIELD_STR ? "is not a string" : "is not binary");
    if (memchr(value->bytes, 0, value->n) != NULL)
        return record_fail(unpacking->report, field->key, "has a 0 byte in it");
    memcpy(unpacking->room, value->bytes, value->n);
    unpacking->room[value->n] = '\0';
    *out = unpacking->room;
    unpacking->room += value->n + 1; /* the value and its head took no more than this */
    return 0;
}

static int take_name(struct unpacking *unpacking, const struct field *field,
                     const struct value *value, int *out)
{
    if (value->type != VALUE_STR)
        return record_fail(unpacking->report, field->key, "is not a string");
    for (int i = (int)field->min; i <= (int)field->max; i++) {
        const char *name = field->names->of(i);

        if (value_is_str(value, name, strlen(name))) {
            *out = i;
            return 0;
        }
    }
    return record_fail(unpacking->report, field->key, field->names->others);
}

static int take_bin(struct unpacking *unpacking, const struct field *field,
                    const struct value *value, void *at)
{
    if (value->type != VALUE_BIN || value->n != field->size)
        return record_fail(unpacking->report, field->key, "is not binary of the due length");
    memcpy(at, value->bytes, value->n);
    return 0;
}

static int take_slice(struct unpacking *unpacking, const struct field *field,
                      const struct value *value, void *at, void *data)
{
    if (value->type != VALUE_BIN)
        return record_fail(unpacking->report, field->key, "is not binary");
    *(const char **)at = (const char *)value->bytes;
    *(size_t *)(void *)((char *)data + field->count_at) = value->n;
    return 0;
}

static int take_inner(struct unpacking *unpacking, const struct field *field,
                      const struct value *value, void *data);

static int take_value(struct unpacking *unpacking, const struct field *field,
                      const struct value *value, void *at, void *data)
{
    switch (field->type) {
    case FIELD_NUMBER:
        return take_number(unpacking, field, value, at);
    case FIELD_BOOL:
        if (value->type != VALUE_BOOL)
            return record_fail(unpacking->report, field->key, "is not a boolean");
        *(bool *)at = value->number != 0;
        return 0;
    case FIELD_NAME:
        return take_name(unpacking, field, value, at);
    case FIELD_STR:
    case FIELD_TEXT:
        return take_text(unpacking, field, value, at);
    case FIELD_BIN:
        return take_bin(unpacking, field, value, at);
    case FIELD_SLICE:
        return take_slice(unpacking, field, value, at, data);
    case FIELD_RECORD:
        return take_inner(unpacking, field, value, at);
    }
    return -1;
}

static int take_list(struct unpacking *unpacking, const struct field *field,
                     const struct value *list, void *data)
{
    char *at = (char *)data + field->at;
    const struct value *value = list + 1;

    if (list->type != VALUE_ARRAY || list->n < field->least || list->n > field->most)
        return record_fail(unpacking->report, field->key, "is not an array of the due length");
    for (uint32_t i = 0; i < list->n; i++) {
        if (take_value(unpacking, field, value, at, data) != 0)
            return -1;
        at += field->size;
        value = value_next(value);
    }
    *(size_t *)(void *)((char *)data + field->count_at) = list->n;
    return 0;
}

static int take_field(struct unpacking *unpacking, const struct field *field,
                      const struct value *value, void *data)
{
    if (field->most > 0 ? take_list(unpacking, field, value, data)
                        : take_value(unpacking, field, value, (char *)data + field->at, data))
        return -1;
    return field_check(field, data, unpacking->report);
}

static int take_tuple(struct unpacking *unpacking, const struct record *record,
                      const struct value *array, void *data)
{
    const struct value *value = array + 1;

    for (size_t i = 0; i < record->nfields; i++) {
        if (take_field(unpacking, &record->fields[i], value, data) != 0)
            return -1;
        value = value_next(value);
    }
    return 0;
}

/* Takes the value of one field. A field that depends on another one is not looked for unless that
 * one is set, which shows in the struct because it was taken before. An optional field may be
 * absent. */
static int take_pair(struct unpacking *unpacking, const struct field *field, struct pairs *pairs,
                     void *data)
{
    const struct value *value;

    if (field->only_if != 0 && !field_is_said(field, data))
        return 0;
    value = find(pairs, field->key, field->key_len);
    if (value == NULL)
        return field->optional ? 0 : record_fail(unpacking->report, field->key, "is missing");
    if (take_field(unpacking, field, value, data) != 0)
        return -1;
    return field_is_said(field, data)
               ? 0
               : record_fail(unpacking->report, field->key, "is there and says nothing");
}

static int take_map(struct unpacking *unpacking, const struct record *record, struct pairs *pairs,
                    void *data)
{
    for (size_t i = 0; i < record->nfields; i++)
        if (take_pair(unpacking, &record->fields[i], pairs, data) != 0)
            return -1;
    return end_pairs(pairs, unpacking->report);
}

static int take_inner(struct unpacking *unpacking, const struct field *field,
                      const struct value *value, void *data)
{
    const struct record *record = field->record;
    struct record_report inner = *unpacking->report;
    struct unpacking within = {unpacking->room, &inner};
    struct pairs pairs;
    int rc;

    if (record->tuple ? value->type != VALUE_ARRAY || value->n != record->nfields
                      : !begin_pairs(value, &pairs))
        return record_fail(unpacking->report, field->key,
                           record->tuple ? "is not an array of the due length"
                                         : "is not a map, or has too many keys");
    inner.within = field->key;
    rc = record->tuple ? take_tuple(&within, record, value, data)
                       : take_map(&within, record, &pairs, data);
    unpacking->room = within.room;
    return rc;
}

int record_unpack(const struct record *record, const struct value *value, bool tag, char *room,
                  void *data, const struct record_report *report)
{
    struct unpacking unpacking = {room, report};
    struct pairs pairs;

    if (!begin_pairs(value, &pairs))
        return err_set(report->err, report->code, "%s%s: is not a map of at most %d keys",
                       report->kind, report->name, RECORD_KEYS_MAX);
    if (tag)
        find(&pairs, "t", 1);
    return take_map(&unpacking, record, &pairs, data);
}
