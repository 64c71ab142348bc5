/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array: the groups and arrays of a Zarr hierarchy, by name.
 */
#ifndef VCZFS_ZARR_META_ARRAY_H
#define VCZFS_ZARR_META_ARRAY_H

#include "encoderd/zarr/meta/meta.h"
#include "encoderd/zarr/store/store.h"

struct zarr_group;

/* Opens the root group of a store: .zgroup and .zattrs (v2) or zarr.json (v3). ERR_NOT_FOUND if the
 * store has neither. The store is borrowed. Each array's own metadata are used; a consolidated copy
 * is only compared with them. */
int zarr_group_open(const struct store *store, struct zarr_group **out, struct err *err);

/* The same, and the metadata of these arrays, which will be needed next, are read side by side,
 * with those of the group if the store is far; they are kept until they are to be forgotten. A
 * hint: what cannot be read is an error of whoever opens the array. */
int zarr_group_open_with(const struct store *store, const char *const *arrays, size_t n,
                         struct zarr_group **out, struct err *err);
void zarr_group_forget(struct zarr_group *group);
void zarr_group_free(struct zarr_group *group);
unsigned zarr_group_format(const struct zarr_group *group); /* 2 or 3 */

/* A string attribute of the group, or NULL. The group owns it. */
const char *zarr_group_attr(const struct zarr_group *group, const char *name);

/* How many arrays differ from the consolidated copy of their metadata, because they were changed,
 * extended or removed after it was made. Returns the name of one, or NULL. The group owns it. */
const char *zarr_group_stale(const struct zarr_group *group, size_t *n);
/* The message about it. Its arguments: the place of the copy (zarr_group_copy), the name, the
 * number. */
#define ZARR_STALE_TEXT                                                                            \
    "%s is older than the arrays (%s; %zu of them differ from it): what the arrays say counts; "   \
    "consolidate the metadata again for programs that take the copy's word"
const char *zarr_group_copy(const struct zarr_group *group);

/* The store's names of an array's axes: dimension_names (v3), or the attribute _ARRAY_DIMENSIONS
 * (v2). "" for an axis without a name or with one that is too long, and for all axes if they cannot
 * be read. */
struct zarr_dims {
    char names[ZARR_DIMS_MAX][64];
};
void zarr_group_dims(const struct zarr_group *group, const char *array, struct zarr_dims *out);

/* A string or a number as text, which the caller owns ("0.4" for 0.4). NULL for anything else. */
char *zarr_group_attr_text(const struct zarr_group *group, const char *name);

/* A non-negative integer; false for anything else. */
bool zarr_group_attr_count(const struct zarr_group *group, const char *name, uint64_t *out);

/* Calls visit for each string of an attribute that is a list of strings. For anything else returns
 * false and calls nothing. visit returns non-zero to stop. */
bool zarr_group_attr_list(const struct zarr_group *group, const char *name,
                          int (*visit)(const char *text, size_t len, void *arg), void *arg);

/* Visits the names of the arrays in byte order; see store_children. */
int zarr_group_arrays(const struct zarr_group *group, int (*visit)(const char *name, void *arg),
                      void *arg, struct err *err);

struct zarr_array {
    const struct store *store; /* borrowed */
    char *name;                /* owned; also the prefix of its keys */
    struct zarr_meta meta;
    uint8_t identity[32]; /* a digest of name and metadata text, for the view's fingerprint */
    char *meta_key;       /* owned; its metadata object, without which the array is gone */
};

/* Opens an array, which the caller owns. *out is NULL if the group has no such array. Several
 * threads may read it. */
int zarr_array_open(const struct zarr_group *group, const char *name, struct zarr_array **out,
                    struct err *err);
void zarr_array_free(struct zarr_array *array);

/* Sets the error "NAME (STORE): what is wrong with it". Returns -1. */
int zarr_array_fail(const struct zarr_array *array, struct err *err, enum err_code code,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Writes to buf the key of the object that holds the chunk ("call_genotype/0.3.0",
 * "call_genotype/c/0/3/0"). With sharding it is the key of the shard. */
#define ZARR_KEY_MAX 512
void zarr_chunk_key(const struct zarr_array *array, const uint64_t *index, char buf[ZARR_KEY_MAX]);

#endif
