/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get: typed getters over one unpacked msgpack map.
 *
 * A failed get reports to err and makes the getter ignore every later one, so that a run of gets
 * needs one check: get_end, which also refuses a key that nobody asked for. An output is written
 * only when its get succeeds.
 */
#ifndef VCZFS_PROTO_GET_H
#define VCZFS_PROTO_GET_H

#include "common/err.h"

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GET_KEYS_MAX 32 /* keys in one map */

struct getter {
    const msgpack_object_map *map;
    msgpack_zone *zone;  /* owns copied strings */
    const char *message; /* for error messages */
    struct err *err;
    uint32_t used; /* bit i: pair i was asked for */
    bool failed;
};

void get_begin(struct getter *get, const msgpack_object *object, msgpack_zone *zone,
               const char *message, struct err *err);

/* Opens the map under key as a getter of its own, which needs its own get_end; what failed in the
 * outer one has failed in the inner one. */
void get_map(struct getter *get, const char *key, struct getter *inner);

void get_u64(struct getter *get, const char *key, uint64_t min, uint64_t max, uint64_t *out);
void get_bool(struct getter *get, const char *key, bool *out);

/* min to PROTO_STRING_MAX bytes, none of them 0. *out is 0-terminated and lives in the zone. */
void get_str(struct getter *get, const char *key, size_t min, const char **out);

/* Exactly len bytes. */
void get_bin(struct getter *get, const char *key, uint8_t *out, size_t len);

/* min to max elements. */
void get_u64_array(struct getter *get, const char *key, size_t min, size_t max, uint64_t *out,
                   size_t *n);
void get_str_array(struct getter *get, const char *key, size_t max, const char **out, size_t *n);

/* Marks the getter failed, for a rule that no typed get knows. Returns -1. */
int get_fail(struct getter *get, const char *key, const char *what);

/* 0 if every get succeeded and every key of the map was used, else -1. */
int get_end(struct getter *get);

#endif
