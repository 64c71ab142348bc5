/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array: the groups and arrays of a Zarr hierarchy, by name.
 */
#ifndef VCZFS_ZARR_META_ARRAY_H
#define VCZFS_ZARR_META_ARRAY_H

#include "encoderd/zarr/meta/meta.h"
#include "encoderd/zarr/store/store.h"

struct zarr_group;

/* The root group of a store: .zgroup/.zattrs (v2) or zarr.json (v3). ERR_NOT_FOUND if the store has
 * neither. The store is borrowed. Of an array its own metadata count; a consolidated copy is only
 * held against them. */
int zarr_group_open(const struct store *store, struct zarr_group **out, struct err *err);
void zarr_group_free(struct zarr_group *group);
unsigned zarr_group_format(const struct zarr_group *group); /* 2 or 3 */

/* Metadata that will be needed next, of these arrays, are read side by side, and kept until they
 * are to be forgotten. No other thread may use the group meanwhile. A hint: what cannot be read is
 * an error of whoever opens the array. */
void zarr_group_read_ahead(struct zarr_group *group, const char *const *arrays, size_t n);
void zarr_group_forget(struct zarr_group *group);

/* A string attribute of the group, or NULL. Owned by the group. */
const char *zarr_group_attr(const struct zarr_group *group, const char *name);

/* How many arrays are not, or not so, as the consolidated copy of their metadata has them, because
 * they were changed, or appended to, after it was made; the name of one, or NULL. Owned by the
 * group. */
const char *zarr_group_stale(const struct zarr_group *group, size_t *n);
/* What there is to say about it: the copy's place (zarr_group_copy), the name, how many. */
#define ZARR_STALE_TEXT                                                                            \
    "%s is older than the arrays (%s; %zu of them differ from it): what the arrays say counts; "   \
    "consolidate the metadata again for programs that take the copy's word"
const char *zarr_group_copy(const struct zarr_group *group);

/* What the store calls an array's axes: dimension_names (v3), or the attribute _ARRAY_DIMENSIONS
 * (v2). "" where it has no name, or one that is longer, and for all axes where it cannot be
 * read. */
struct zarr_dims {
    char names[ZARR_DIMS_MAX][64];
};
void zarr_group_dims(const struct zarr_group *group, const char *array, struct zarr_dims *out);

/* A string or a number as text, which the caller owns: 0.4 as "0.4". NULL for anything else. */
char *zarr_group_attr_text(const struct zarr_group *group, const char *name);

/* A whole number that is not negative; false for anything else. */
bool zarr_group_attr_count(const struct zarr_group *group, const char *name, uint64_t *out);

/* Visits the strings of an attribute that is a list of strings; false, and nobody is visited, for
 * anything else. visit returns non-zero to stop. */
bool zarr_group_attr_list(const struct zarr_group *group, const char *name,
                          int (*visit)(const char *text, size_t len, void *arg), void *arg);

/* Array names in byte order; see store_children. */
int zarr_group_arrays(const struct zarr_group *group, int (*visit)(const char *name, void *arg),
                      void *arg, struct err *err);

struct zarr_array {
    const struct store *store; /* borrowed */
    char *name;                /* owned; also its key prefix */
    struct zarr_meta meta;
    uint8_t identity[32]; /* of the name and the metadata text: goes into the view's fingerprint */
    char *meta_key;       /* owned; the object its metadata came from: gone when the array is */
};

/* *out is NULL if the group has no such array. The caller owns *out. Thread-safe to read. */
int zarr_array_open(const struct zarr_group *group, const char *name, struct zarr_array **out,
                    struct err *err);
void zarr_array_free(struct zarr_array *array);

/* "NAME (STORE): what is wrong with it". Returns -1. */
int zarr_array_fail(const struct zarr_array *array, struct err *err, enum err_code code,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The key of the object that holds the chunk ("call_genotype/0.3.0", "call_genotype/c/0/3/0") into
 * buf: where there is sharding, that of its shard. */
#define ZARR_KEY_MAX 512
void zarr_chunk_key(const struct zarr_array *array, const uint64_t *index, char buf[ZARR_KEY_MAX]);

#endif
