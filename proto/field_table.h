/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_table: macros that write the entries of a table of fields.
 *
 * Each macro takes the struct, the key and the member. It does not compile if the member does not
 * have the type that the field needs.
 */
#ifndef VCZFS_PROTO_FIELD_TABLE_H
#define VCZFS_PROTO_FIELD_TABLE_H

#include "proto/record.h"

#define MEMBER(S, m)   (((struct S *)0)->m)
#define IS_A(S, m, T)  __builtin_types_compatible_p(__typeof__(MEMBER(S, m)), T)
#define TYPED(S, m, T) (offsetof(struct S, m) + 0 * sizeof(char[IS_A(S, m, T) ? 1 : -1]))
#define AT(S, m, T)    .at = TYPED(S, m, T), .size = sizeof(T)
#define KEY(k)         .key = (k), .key_len = sizeof(k) - 1 + 0 * sizeof(char[33 - sizeof(k)])
#define LENGTH_OF(a)   (sizeof(a) / sizeof(a)[0])
#define RECORD(S, fields)                                                                          \
    {                                                                                              \
        (fields), LENGTH_OF(fields), sizeof(struct S), false                                       \
    }
#define TUPLE(S, fields)                                                                           \
    {                                                                                              \
        (fields), LENGTH_OF(fields), sizeof(struct S), true                                        \
    }

/* Numbers from low to high, and the kinds of numbers that many messages use. */
#define NUMBER(S, k, m, low, high)                                                                 \
    KEY(k), AT(S, m, uint64_t), .type = FIELD_NUMBER, .min = (low), .max = (high)
#define U64(S, k, m)       NUMBER(S, k, m, 0, UINT64_MAX)
#define SIZE(S, k, m, low) NUMBER(S, k, m, low, PROTO_SIZE_MAX)
#define INDEX(S, k, m)     NUMBER(S, k, m, 0, PROTO_FILES_MAX - 1)

#define BOOL(S, k, m) KEY(k), AT(S, m, bool), .type = FIELD_BOOL
#define NAME(S, k, m, E, first, last, n)                                                           \
    KEY(k), AT(S, m, E), .type = FIELD_NAME, .min = (first), .max = (last), .names = &(n)
#define STR(S, k, m, low, high)                                                                    \
    KEY(k), AT(S, m, const char *), .type = FIELD_STR, .min = (low), .max = (high)
#define TEXT(S, k, m, low, high)                                                                   \
    KEY(k), AT(S, m, const char *), .type = FIELD_TEXT, .min = (low), .max = (high)
#define BIN(S, k, m) KEY(k), AT(S, m, uint8_t[sizeof MEMBER(S, m)]), .type = FIELD_BIN
#define SLICE(S, k, m, n, high)                                                                    \
    KEY(k), AT(S, m, const char *), .type = FIELD_SLICE, .count_at = TYPED(S, n, size_t),          \
                                    .max = (high)
#define STRUCT(S, k, m, T, r) KEY(k), AT(S, m, struct T), .type = FIELD_RECORD, .record = &(r)

/* A list. The member `m` is an array of T; the member `n` says how many elements are set, at least
 * `low`. The last argument is one of the OF_ macros. */
#define LIST(S, k, m, T, n, low, how)                                                              \
    KEY(k), .at = TYPED(S, m, T[LENGTH_OF(MEMBER(S, m))]), .size = sizeof(T),                      \
            .count_at = TYPED(S, n, size_t), .least = (low), .most = LENGTH_OF(MEMBER(S, m)), how
#define OF_NUMBERS    .type = FIELD_NUMBER, .max = UINT64_MAX
#define OF_STRS(high) .type = FIELD_STR, .min = 1, .max = (high)
#define OF_STRUCTS(r) .type = FIELD_RECORD, .record = &(r)

#endif
