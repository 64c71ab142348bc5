/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: describes how a struct is written in msgpack, as a table of its fields.
 *
 * One function packs every record, one unpacks it, and one checks its ranges and rules, so that
 * sender and receiver use the same description. messages.c has the tables.
 */
#ifndef VCZFS_PROTO_RECORD_H
#define VCZFS_PROTO_RECORD_H

#include "common/buf.h"
#include "common/err.h"
#include "proto/values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_KEYS_MAX 32 /* keys in one map */

/* The type of a field in the struct, and how it is written. min and max limit: */
enum field_type {
    FIELD_NUMBER, /* uint64_t; an integer from min to max */
    FIELD_BOOL,   /* bool */
    FIELD_NAME,   /* an enum from min to max; a str, its name in names->of */
    FIELD_STR,    /* const char *; a str of min to max bytes, none of them 0 */
    FIELD_TEXT,   /* the same, as a bin */
    FIELD_BIN,    /* uint8_t[]; a bin of exactly that length */
    FIELD_SLICE,  /* const char *, and a size_t at count_at; a bin of at most max bytes */
    FIELD_RECORD, /* a struct, in place; a map, or an array if `record` is a tuple */
};

struct field_names {
    const char *(*of)(int value);
    const char *others; /* the error for any other name: "is neither ..." */
};

struct record;

struct field {
    const char *key; /* shorter than 32 bytes; in a tuple only for messages */
    size_t key_len;
    enum field_type type;
    size_t at, size; /* in the struct; for a list, of its first element */
    uint64_t min, max;
    const struct field_names *names;
    const struct record *record;
    /* A list is an array of `most` such fields in the struct; the size_t at `count_at` says how
     * many are set, at least `least`. most 0: no list. */
    size_t count_at, least, most;
    /* Left out if it is false, NULL, 0 or an empty list. */
    bool optional;
    /* The place of a bool in the struct; while it is false, this field must be empty and is left
     * out. 0: always written. The bool's own field comes first in the table. */
    size_t only_if;
    /* The value (number, bool or name) with which this field brings a descriptor; 0: it never
     * does. */
    int brings;
    /* Returns what is wrong with the field although its range is right, or NULL. It may use the
     * fields before it. */
    const char *(*rule)(const void *data);
};

struct record {
    const struct field *fields;
    size_t nfields;
    size_t size; /* bytes of the struct */
    bool tuple;  /* written as an array of all fields in order, without keys */
};

/* What is being packed or unpacked, for messages like "message read: key "off" is ...". */
struct record_report {
    const char *kind, *name; /* "message ", "read" */
    const char *within;      /* the key of the field that holds this record, or NULL */
    enum err_code code;
    struct err *err;
};

/* Returns -1. */
int record_fail(const struct record_report *report, const char *key, const char *what);
int record_fail_number(const struct record_report *report, const struct field *field);

/* field_is_nothing, struct_is_nothing: only zeroes, false, NULL and empty lists? */
bool field_is_nothing(const struct field *field, const void *data);
bool record_is_nothing(const struct record *record, const void *data);

/* Is the field written for this struct? */
static inline bool field_is_said(const struct field *field, const void *data)
{
    if (field->only_if != 0)
        return *(const bool *)((const char *)data + field->only_if);
    return !field->optional || !field_is_nothing(field, data);
}

/* How many descriptors the fields of this struct bring. */
size_t record_nfds(const struct record *record, const void *data);

/* Checks ranges and rules of one field that is written, or of a whole struct. */
int field_check(const struct field *field, const void *data, const struct record_report *report);
int record_check(const struct record *record, const void *data, const struct record_report *report);

/* Appends a struct that record_check has accepted. tag: the value of a first key "t", or NULL. */
void record_pack(const struct record *record, const void *data, const char *tag, struct buf *out);

/* Unpacks `value` into a struct that is all zeroes, and checks it. Strings are copied to `room`,
 * which needs as many bytes as `value` was parsed from; bins are not copied. tag: there is also a
 * key "t", which the caller has read. */
int record_unpack(const struct record *record, const struct value *value, bool tag, char *room,
                  void *data, const struct record_report *report);

/* How many elements the field has in the struct: 1, or the count of a list. */
size_t field_count(const struct field *field, const void *data);

#endif
