/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: a struct and how it is said in msgpack, as a table of its fields.
 *
 * One function packs any record, one unpacks it, and one holds it to its ranges and rules, so that
 * what is sent, what is taken and what is allowed are written once. messages.c has the tables.
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

/* What a field is in the struct, and on the wire. min and max: */
enum field_type {
    FIELD_NUMBER, /* uint64_t; an integer from min to max */
    FIELD_BOOL,   /* bool */
    FIELD_NAME,   /* an enum from min to max; the str that names->of says */
    FIELD_STR,    /* const char *; a str of min to max bytes, none of them 0 */
    FIELD_TEXT,   /* the same, as a bin */
    FIELD_BIN,    /* uint8_t[]; a bin of exactly that length */
    FIELD_SLICE,  /* const char *, and a size_t at count_at; a bin of at most max bytes */
    FIELD_RECORD, /* a struct, in place; a map, or an array if `record` is a tuple */
};

struct field_names {
    const char *(*of)(int value);
    const char *others; /* what is wrong with any other name: "is neither ..." */
};

struct record;

struct field {
    const char *key; /* shorter than 32 bytes; in a tuple only for what fails */
    size_t key_len;
    enum field_type type;
    size_t at, size; /* in the struct; of a list: its first element */
    uint64_t min, max;
    const struct field_names *names;
    const struct record *record;
    /* A list is an array of `most` such fields in the struct, of which a size_t at `count_at` says
     * how many there are: `least` or more. most is 0: no list. */
    size_t count_at, least, most;
    /* Said only if it is not nothing: false, NULL, 0 or an empty list. */
    bool optional;
    /* Where a bool is without which the field is not said, and is nothing; 0: there is none. It
     * comes first in the table. */
    size_t only_if;
    /* The number, truth or name with which it brings a descriptor; 0: it brings none. */
    int brings;
    /* What is wrong with the field beyond its range, or NULL; it may look at those before it. */
    const char *(*rule)(const void *data);
};

struct record {
    const struct field *fields;
    size_t nfields;
    size_t size; /* bytes of the struct */
    bool tuple;  /* an array of the fields in their order, all said, without keys */
};

/* What is being packed or unpacked, and how that fails: "message read: key "off" is ..." */
struct record_report {
    const char *kind, *name; /* "message ", "read" */
    const char *within;      /* the key of the record that the field is in, or NULL */
    enum err_code code;
    struct err *err;
};

/* Returns -1. */
int record_fail(const struct record_report *report, const char *key, const char *what);
int record_fail_number(const struct record_report *report, const struct field *field);

/* Has the field, has the struct nothing but zeroes, false, NULL and empty lists? */
bool field_is_nothing(const struct field *field, const void *data);
bool record_is_nothing(const struct record *record, const void *data);

/* Is the field said of this struct? */
static inline bool field_is_said(const struct field *field, const void *data)
{
    if (field->only_if != 0)
        return *(const bool *)((const char *)data + field->only_if);
    return !field->optional || !field_is_nothing(field, data);
}

/* How many descriptors its fields bring. */
size_t record_nfds(const struct record *record, const void *data);

/* Does the struct, does a field that is said keep to ranges and rules? */
int field_check(const struct field *field, const void *data, const struct record_report *report);
int record_check(const struct record *record, const void *data, const struct record_report *report);

/* Appends a struct that record_check has let pass. tag: the value of a first key "t", or NULL. */
void record_pack(const struct record *record, const void *data, const char *tag, struct buf *out);

/* Takes `value` apart into a struct that is zero, and checks it. Strings are copied to `room`,
 * which has as many bytes as `value` was parsed from, and live there; bins without a terminator
 * stay where they are. tag: there is a key "t" too, of which the caller knows. */
int record_unpack(const struct record *record, const struct value *value, bool tag, char *room,
                  void *data, const struct record_report *report);

/* How many there are in the struct: 1, or of a list as many as its count says. */
size_t field_count(const struct field *field, const void *data);

#endif
