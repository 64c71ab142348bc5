/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/record.h"

#include <msgpack.h>
#include <string.h>

static int append(void *data, const char *bytes, size_t len)
{
    struct buf *out = data;

    buf_append(out, bytes, len);
    return out->failed ? -1 : 0;
}

static void put_str(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str_with_body(packer, text, strlen(text));
}

/* Writes head and text of the key in one step, because a message consists mostly of keys. */
static void put_key(struct buf *out, const char *key, size_t len)
{
    uint8_t *to = buf_reserve(out, 1 + len);

    if (to == NULL)
        return;
    to[0] = (uint8_t)(0xa0 | len);
    memcpy(to + 1, key, len);
    out->len += 1 + len;
}

static void put_record(msgpack_packer *packer, const struct record *record, const void *data,
                       const char *tag);

static void put_value(msgpack_packer *packer, const struct field *field, const void *at,
                      const void *data)
{
    switch (field->type) {
    case FIELD_NUMBER:
        msgpack_pack_uint64(packer, *(const uint64_t *)at);
        break;
    case FIELD_BOOL:
        if (*(const bool *)at)
            msgpack_pack_true(packer);
        else
            msgpack_pack_false(packer);
        break;
    case FIELD_NAME:
        put_str(packer, field->names->of(*(const int *)at));
        break;
    case FIELD_STR:
        put_str(packer, *(const char *const *)at);
        break;
    case FIELD_TEXT:
        msgpack_pack_bin_with_body(packer, *(const char *const *)at,
                                   strlen(*(const char *const *)at));
        break;
    case FIELD_BIN:
        msgpack_pack_bin_with_body(packer, at, field->size);
        break;
    case FIELD_SLICE:
        msgpack_pack_bin_with_body(
            packer, *(const char *const *)at,
            *(const size_t *)(const void *)((const char *)data + field->count_at));
        break;
    case FIELD_RECORD:
        put_record(packer, field->record, at, NULL);
        break;
    }
}

static void put_field(msgpack_packer *packer, const struct field *field, const void *data)
{
    const char *at = (const char *)data + field->at;
    const size_t n = field_count(field, data);

    if (field->most > 0)
        msgpack_pack_array(packer, n);
    for (size_t i = 0; i < n; i++)
        put_value(packer, field, at + i * field->size, data);
}

static size_t count_said(const struct record *record, const void *data)
{
    size_t n = 0;

    for (size_t i = 0; i < record->nfields; i++)
        n += field_is_said(&record->fields[i], data);
    return n;
}

static void put_record(msgpack_packer *packer, const struct record *record, const void *data,
                       const char *tag)
{
    if (record->tuple)
        msgpack_pack_array(packer, record->nfields);
    else
        msgpack_pack_map(packer, count_said(record, data) + (tag != NULL));
    if (tag != NULL) {
        put_key(packer->data, "t", 1);
        put_str(packer, tag);
    }
    for (size_t i = 0; i < record->nfields; i++) {
        const struct field *field = &record->fields[i];

        if (!field_is_said(field, data))
            continue;
        if (!record->tuple)
            put_key(packer->data, field->key, field->key_len);
        put_field(packer, field, data);
    }
}

void record_pack(const struct record *record, const void *data, const char *tag, struct buf *out)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, append);
    put_record(&packer, record, data, tag);
}
