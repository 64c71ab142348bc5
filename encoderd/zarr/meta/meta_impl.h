/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_impl: what the parsers of v2 and v3 metadata share. Only meta*.c include this.
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

/* What the parsers of both versions are, but for how each reads the document's top object. */
typedef int meta_reader(const char *array, json_t *top, struct zarr_meta *meta, struct err *err);
int meta_parse(const char *array, const char *json, size_t len, unsigned format,
               meta_reader *reader, struct zarr_meta *out, struct err *err);

/* A list of whole numbers, each at least `min`. */
int meta_lengths(const char *array, const char *what, const json_t *list, uint64_t min,
                 unsigned *count, uint64_t out[ZARR_DIMS_MAX], struct err *err);

/* Appends a bytes-to-bytes codec by its name in either version, with its configuration (or
 * NULL). */
int meta_add_codec(const char *array, const char *name, const json_t *config,
                   struct zarr_meta *meta, struct err *err);

/* Permutes the axes as they are stored by now: axis d becomes what axis order[d] was. */
int meta_transpose(const char *array, const uint64_t *order, unsigned n, struct zarr_meta *meta,
                   struct err *err);

/* v2's list of filters (or NULL), once the dtype is known. */
int meta_filters(const char *array, const json_t *filters, struct zarr_meta *meta, struct err *err);

/* v3's numcodecs.* filter `id` before the codec that makes bytes of the elements, whose type is
 * *now. */
int meta_add_filter(const char *array, const char *id, const json_t *config, struct dtype *now,
                    struct zarr_meta *meta, struct err *err);
/* And what may come right after that codec. */
int meta_add_shuffle(const char *array, const json_t *config, struct zarr_meta *meta,
                     struct err *err);

/* A v2 dtype: "<i2", "|O". */
int meta_dtype_v2(const char *array, const json_t *value, struct dtype *out, struct err *err);

/* A named v3 extension is {"name": ..., "configuration": {...}}, or just its name. NULL if
 * neither. */
const char *meta_extension(const json_t *value, const json_t **config);

/* v3's list of codecs, once shape, chunk and dtype are known. */
int meta_codecs_v3(const char *array, const json_t *codecs, struct zarr_meta *meta,
                   struct err *err);

/* The fill value, once the dtype is known. NULL and JSON null mean zero or "". */
int meta_fill(const char *array, const json_t *value, struct zarr_meta *meta, struct err *err);

/* Products and chunk counts, and that nothing overflows. Last step of both parsers. */
int meta_finish(const char *array, struct zarr_meta *meta, struct err *err);

/* The lengths of chunks, once the shape is known. */
int meta_chunks(const char *array, const char *what, const json_t *list, struct zarr_meta *meta,
                struct err *err);

/* "." or "/"; absent means `otherwise`. */
int meta_separator(const char *array, const json_t *value, char otherwise, char *out,
                   struct err *err);

#endif
