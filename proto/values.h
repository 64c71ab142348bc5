/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: parses one msgpack value, and all values inside it, into a flat list.
 *
 * Both programs read msgpack only with this. It uses only the caller's list as memory, whatever the
 * bytes say: each length in a head is compared with the bytes that are left, and a value that does
 * not fit the list is refused. (msgpack-c, which is used for packing, is not used here: its parser
 * allocates memory for as many elements as a head claims before it has seen one, and has no limit
 * for that.)
 */
#ifndef VCZFS_PROTO_VALUES_H
#define VCZFS_PROTO_VALUES_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_DEPTH_MAX 4    /* maps and arrays inside each other; 3 are used */
#define VALUES_MAX       1024 /* values in one list, with keys; 260 are used */

enum value_type {
    VALUE_OTHER, /* nil, floats, negative integers, ext: in no message */
    VALUE_BOOL,
    VALUE_NUMBER, /* a non-negative integer in any form of msgpack */
    VALUE_STR,
    VALUE_BIN,
    VALUE_ARRAY,
    VALUE_MAP,
};

/* The content of a map or an array follows it in the list: elements, or keys and values in turn,
 * each followed by its own content. */
struct value {
    enum value_type type;
    uint32_t whole; /* entries of the list for this value and all inside it */
    uint32_t n;     /* bytes of a str or bin, elements of an array, or pairs of a map */
    union {
        uint64_t number; /* a bool's is 0 or 1 */
        const uint8_t *bytes;
    };
};

/* The value after this one and its content. */
static inline const struct value *value_next(const struct value *value)
{
    return value + value->whole;
}

bool value_is_str(const struct value *value, const char *text, size_t len);

/* Parses bytes into values[0 .. VALUES_MAX). ERR_PEER unless the bytes are exactly one value.
 * Strings and bins point into the bytes. */
int values_parse(const void *bytes, size_t len, struct value *values, struct err *err);

#endif
