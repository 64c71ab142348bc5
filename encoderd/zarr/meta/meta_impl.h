/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_impl: what the parsers of v2 and v3 metadata share. Included only by meta*.c.
 */
#ifndef VCZFS_ZARR_META_META_IMPL_H
#define VCZFS_ZARR_META_META_IMPL_H

#include "encoderd/zarr/meta/meta.h"

#include <jansson.h>

static inline void cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON CLEANUP(cleanup_json)

/* Parses a document; `reader` handles the members of its top object, which differ between the
 * versions. */
typedef int meta_reader(const char *array, json_t *top, struct zarr_meta *meta, struct err *err);
int meta_parse(const char *array, const char *json, size_t len, unsigned format,
               meta_reader *reader, struct zarr_meta *out, struct err *err);

/* Parses a list of integers, each at least `min`. */
int meta_lengths(const char *array, const char *what, const json_t *list, uint64_t min,
                 unsigned *count, uint64_t out[ZARR_DIMS_MAX], struct err *err);

/* Appends a bytes-to-bytes codec, by its name in v2 or v3 and its configuration (or NULL). */
int meta_add_codec(const char *array, const char *name, const json_t *config,
                   struct zarr_meta *meta, struct err *err);

/* Permutes the axes in their present order: axis d becomes the former axis order[d]. */
int meta_transpose(const char *array, const uint64_t *order, unsigned n, struct zarr_meta *meta,
                   struct err *err);

/* Parses v2's list of filters (or NULL). Call it when the dtype is known. */
int meta_filters(const char *array, const json_t *filters, struct zarr_meta *meta, struct err *err);

/* Adds v3's filter numcodecs.`id`, which stands before the codec that makes bytes of the elements.
 * *now is the type of the elements there. */
int meta_add_filter(const char *array, const char *id, const json_t *config, struct dtype *now,
                    struct zarr_meta *meta, struct err *err);
/* Adds a shuffle, which may stand directly after that codec. */
int meta_add_shuffle(const char *array, const json_t *config, struct zarr_meta *meta,
                     struct err *err);

/* A v2 dtype: "<i2", "|O". */
int meta_dtype_v2(const char *array, const json_t *value, struct dtype *out, struct err *err);

/* A named v3 extension is {"name": ..., "configuration": {...}}, or just its name. NULL if
 * neither. */
const char *meta_extension(const json_t *value, const json_t **config);

/* Parses v3's list of codecs. Call it when shape, chunk and dtype are known. */
int meta_codecs_v3(const char *array, const json_t *codecs, struct zarr_meta *meta,
                   struct err *err);

/* Parses the fill value. Call it when the dtype is known. NULL and JSON null mean zero or "". */
int meta_fill(const char *array, const json_t *value, struct zarr_meta *meta, struct err *err);

/* The last step of both parsers: computes products and chunk counts, and checks that nothing
 * overflows. */
int meta_finish(const char *array, struct zarr_meta *meta, struct err *err);

/* Parses the lengths of chunks. Call it when the shape is known. */
int meta_chunks(const char *array, const char *what, const json_t *list, struct zarr_meta *meta,
                struct err *err);

/* Parses "." or "/"; `otherwise` if it is absent. */
int meta_separator(const char *array, const json_t *value, char otherwise, char *out,
                   struct err *err);

#endif
