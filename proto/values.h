/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: one msgpack value and all that is inside it, as a flat list.
 *
 * The one reader of msgpack in both programs. Its memory is the caller's list, whatever the bytes
 * say: each length that a header promises is held against the bytes that are there, and a value
 * that is not in the list was refused. (msgpack-c, which packs, reserves memory for as many
 * elements as a header promises, before it has seen one, and cannot be told a limit.)
 */
#ifndef VCZFS_PROTO_VALUES_H
#define VCZFS_PROTO_VALUES_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_DEPTH_MAX 4    /* maps and arrays inside each other; the protocol needs 3 */
#define VALUES_MAX       1024 /* values in one list, keys included; the protocol needs 260 */

enum value_type {
    VALUE_OTHER, /* nil, floats, negative integers, ext: no message has one */
    VALUE_BOOL,
    VALUE_NUMBER, /* an integer that is not negative, in any of msgpack's forms */
    VALUE_STR,
    VALUE_BIN,
    VALUE_ARRAY,
    VALUE_MAP,
};

/* What is inside a map or an array follows it in the list: its elements, or keys and values by
 * turns, each with what is inside it. */
struct value {
    enum value_type type;
    uint32_t whole; /* entries of the list that this value takes, with all inside it */
    uint32_t n;     /* bytes of a str or bin, elements of an array, pairs of a map */
    union {
        uint64_t number; /* a bool's is 0 or 1 */
        const uint8_t *bytes;
    };
};

/* The value behind this one. */
static inline const struct value *value_next(const struct value *value)
{
    return value + value->whole;
}

bool value_is_str(const struct value *value, const char *text, size_t len);

/* Takes bytes apart into values[0 .. VALUES_MAX). They are one value and nothing else, or it is
 * ERR_PEER. Strings and bins point into the bytes. */
int values_parse(const void *bytes, size_t len, struct value *values, struct err *err);

#endif
