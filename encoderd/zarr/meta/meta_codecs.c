/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_codecs: parses the list of codecs of a v3 array, and the lists inside its shards.
 */
#include "common/size.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <stdio.h>
#include <string.h>

#define SHARD_CHUNKS_MAX ((uint64_t)1 << 26)

const char *meta_extension(const json_t *value, const json_t **config)
{
    *config = json_object_get(value, "configuration");
    if (json_is_string(value))
        return json_string_value(value);
    if (*config != NULL && !json_is_object(*config))
        return NULL;
    return json_string_value(json_object_get(value, "name"));
}

static int parse_transpose(const char *array, const json_t *config, struct zarr_meta *meta,
                           struct err *err)
{
    uint64_t order[ZARR_DIMS_MAX];
    unsigned n;

    if (meta_lengths(array, "the order of transpose", json_object_get(config, "order"), 0, &n,
                     order, err) != 0)
        return -1;
    return meta_transpose(array, order, n, meta, err);
}

/* Parses "endian". If it is absent, which is an error when `needed`, *big does not change. */
static int parse_endian(const char *array, const json_t *config, bool needed, bool *big,
                        struct err *err)
{
    const json_t *endian = json_object_get(config, "endian");
    const char *text = json_string_value(endian);

    if ((endian == NULL || json_is_null(endian)) && !needed)
        return 0;
    if (text == NULL || (strcmp(text, "little") != 0 && strcmp(text, "big") != 0))
        return err_set(err, ERR_CORRUPT,
                       "%s: codec \"bytes\" has an endian that is neither little nor big", array);
    *big = text[0] == 'b';
    return 0;
}

/* `now` is the type of the elements at this place of the list, which a filter may have changed. */
static int parse_bytes(const char *array, const json_t *config, const struct dtype *now,
                       struct zarr_meta *meta, struct err *err)
{
    bool wide = now->size > 1 && now->kind != DTYPE_BYTES, big = false;

    if (meta->dtype.kind == DTYPE_STRING)
        return err_set(err, ERR_CORRUPT, "%s: codec \"bytes\" cannot hold strings", array);
    if (parse_endian(array, config, wide, &big, err) != 0)
        return -1;
    meta->dtype.big_endian = wide && big;
    return 0;
}

/* The codec that turns elements into bytes. */
static int parse_serializer(const char *array, const char *name, const json_t *config,
                            const struct dtype *now, struct zarr_meta *meta, struct err *err)
{
    if (strcmp(name, "bytes") == 0)
        return parse_bytes(array, config, now, meta, err);
    if (strcmp(name, "vlen-utf8") == 0 && meta->dtype.kind == DTYPE_STRING)
        return 0;
    if (strcmp(name, "vlen-utf8") == 0)
        return err_set(err, ERR_CORRUPT, "%s: codec \"vlen-utf8\" on an array that is not strings",
                       array);
    return err_set(err, ERR_UNSUPPORTED, "%s: codec \"%.64s\" is not supported", array, name);
}

/* The name after the prefix "numcodecs.", which zarr-python uses for numcodecs' codecs; NULL
 * without the prefix. */
static const char *numcodecs_name(const char *name)
{
    static const char prefix[] = "numcodecs.";
    size_t n = sizeof prefix - 1;

    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

/* The state of parsing a list of codecs. */
struct pipeline {
    struct dtype now; /* of the elements by now */
    bool serialized;
    bool filtered; /* some filter was there */
};

/* Parses a codec before the bytes codec. A filter gets its elements in C order of the axes at its
 * place, so a transpose after it would have to be undone before it; that is not supported. */
static int parse_before_bytes(const char *array, const char *name, const json_t *config,
                              struct pipeline *pipeline, struct zarr_meta *meta, struct err *err)
{
    const char *id = numcodecs_name(name);

    if (strcmp(name, "transpose") == 0 && pipeline->filtered)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: codec \"transpose\" after a filter is not supported", array);
    if (strcmp(name, "transpose") == 0)
        return parse_transpose(array, config, meta, err);
    if (id != NULL && meta->dtype.kind != DTYPE_STRING && strcmp(id, "shuffle") != 0) {
        pipeline->filtered = true;
        return meta_add_filter(array, id, config, &pipeline->now, meta, err);
    }
    pipeline->serialized = true;
    return parse_serializer(array, name, config, &pipeline->now, meta, err);
}

/* Is it numcodecs' crc32c with the checksum before the data? */
static bool is_sum_in_front(const char *id, const json_t *config)
{
    const char *location = json_string_value(json_object_get(config, "location"));

    return strcmp(id, "crc32c") == 0 && location != NULL && strcmp(location, "end") != 0;
}

static int parse_after_bytes(const char *array, const char *name, const json_t *config,
                             struct zarr_meta *meta, struct err *err)
{
    const char *id = numcodecs_name(name);

    if (id != NULL && strcmp(id, "shuffle") == 0 && meta->ncodecs == 0 &&
        meta->dtype.kind != DTYPE_STRING)
        return meta_add_shuffle(array, config, meta, err);
    if (id != NULL && is_sum_in_front(id, config))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: codec \"%.64s\" is supported only at the end of the data", array, name);
    return meta_add_codec(array, id != NULL ? id : name, config, meta, err);
}

/* Gives all filters the byte order of the stored bytes, which is the same before and after each
 * filter. */
static void set_byte_order(struct zarr_meta *meta)
{
    const bool big = meta->dtype.big_endian;

    for (size_t i = 0; i < meta->nfilters; i++) {
        struct zarr_filter *filter = &meta->filters[i];

        filter->decoded.big_endian = big && filter->decoded.size > 1;
        filter->encoded.big_endian = big && filter->encoded.size > 1;
    }
    meta->dtype.big_endian = big && meta->dtype.size > 1;
}

static int parse_sharding(const char *array, const json_t *config, struct zarr_meta *meta,
                          struct err *err);

/* The sharding codec has a list of codecs of its own for the chunks inside. It must be the last
 * codec of its list. */
static int parse_shards(const char *array, const json_t *config, const struct pipeline *pipeline,
                        bool is_last, struct zarr_meta *meta, struct err *err)
{
    if (pipeline->filtered)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: codec \"sharding_indexed\" after a filter is not supported", array);
    if (!is_last)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: codecs after \"sharding_indexed\" are not supported: they would have "
                       "to be undone for a whole shard",
                       array);
    return parse_sharding(array, config, meta, err);
}

static int parse_pipeline(const char *array, const json_t *codecs, struct zarr_meta *meta,
                          struct err *err)
{
    struct pipeline pipeline = {.now = meta->dtype};

    if (!json_is_array(codecs))
        return err_set(err, ERR_CORRUPT, "%s: codecs are missing or not a list", array);
    for (size_t i = 0; i < json_array_size(codecs); i++) {
        const json_t *config;
        const char *name = meta_extension(json_array_get(codecs, i), &config);
        int rc;

        if (name == NULL)
            return err_set(err, ERR_CORRUPT, "%s: a codec without a name", array);
        if (!pipeline.serialized && strcmp(name, "sharding_indexed") == 0)
            return parse_shards(array, config, &pipeline, i + 1 == json_array_size(codecs), meta,
                                err);
        rc = pipeline.serialized ? parse_after_bytes(array, name, config, meta, err)
                                 : parse_before_bytes(array, name, config, &pipeline, meta, err);
        if (rc != 0)
            return -1;
    }
    if (!pipeline.serialized)
        return err_set(err, ERR_CORRUPT, "%s: no codec turns its elements into bytes", array);
    set_byte_order(meta);
    return 0;
}

/* The size of the index must be known before it is read, so its codecs may be only bytes, and
 * crc32c after it. */
static int parse_index_codecs(const char *array, const json_t *codecs,
                              struct zarr_shard_level *level, struct err *err)
{
    if (!json_is_array(codecs) || json_array_size(codecs) == 0)
        return err_set(err, ERR_CORRUPT, "%s: index_codecs are missing or not a list", array);
    for (size_t i = 0; i < json_array_size(codecs); i++) {
        const json_t *config;
        const char *name = meta_extension(json_array_get(codecs, i), &config);

        if (name == NULL)
            return err_set(err, ERR_CORRUPT, "%s: an index codec without a name", array);
        if (i == 0 && strcmp(name, "bytes") == 0) {
            if (parse_endian(array, config, true, &level->index_big_endian, err) != 0)
                return -1;
        } else if (i == 1 && strcmp(name, "crc32c") == 0) {
            level->index_crc = true;
        } else {
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: a shard index through codec \"%.64s\" is not supported: only "
                           "bytes, and crc32c after it",
                           array, name);
        }
    }
    return 0;
}

static int parse_index_location(const char *array, const json_t *value,
                                struct zarr_shard_level *level, struct err *err)
{
    const char *text = json_string_value(value);

    if (value == NULL)
        return 0;
    if (text == NULL || (strcmp(text, "start") != 0 && strcmp(text, "end") != 0))
        return err_set(err, ERR_CORRUPT, "%s: index_location is neither \"start\" nor \"end\"",
                       array);
    level->index_first = text[0] == 's';
    return 0;
}

/* The chunks inside the shards become the chunks of the array. Their shape refers to the axes in
 * their order at this place of the list. */
static int parse_shard_shape(const char *array, const json_t *list, struct zarr_shard_level *level,
                             struct zarr_meta *meta, struct err *err)
{
    uint64_t chunk[ZARR_DIMS_MAX];
    unsigned ndim;

    if (meta_lengths(array, "the chunk_shape of its shards", list, 1, &ndim, chunk, err) != 0)
        return -1;
    if (ndim != meta->ndim)
        return err_set(err, ERR_CORRUPT,
                       "%s: shape has %u dimensions and the chunk_shape of its shards %u", array,
                       meta->ndim, ndim);
    level->nchunks = 1;
    for (unsigned d = 0; d < ndim; d++) {
        const uint8_t axis = meta->axes[d];

        if (meta->chunk[axis] % chunk[d] != 0)
            return err_set(
                err, ERR_CORRUPT, "%s: its shards are not whole chunks along axis %u: %llu of %llu",
                array, axis, (unsigned long long)meta->chunk[axis], (unsigned long long)chunk[d]);
        level->axes[d] = axis;
        level->chunks[axis] = meta->chunk[axis] / chunk[d];
        meta->chunk[axis] = chunk[d];
        if (!size_mul(level->nchunks, level->chunks[axis], &level->nchunks) ||
            level->nchunks > SHARD_CHUNKS_MAX)
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: more than %llu chunks in a shard; rewrite the store with smaller "
                           "shards",
                           array, (unsigned long long)SHARD_CHUNKS_MAX);
    }
    return 0;
}

static int parse_sharding(const char *array, const json_t *config, struct zarr_meta *meta,
                          struct err *err)
{
    static const char word[] = "sharded ";
    struct zarr_shard_level *level;
    char inner[sizeof meta->codec_text];

    if (meta->sharding.nlevels == ZARR_SHARDS_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: shards within shards, more than %d deep", array,
                       ZARR_SHARDS_MAX);
    level = &meta->sharding.levels[meta->sharding.nlevels++];
    if (parse_shard_shape(array, json_object_get(config, "chunk_shape"), level, meta, err) != 0 ||
        parse_index_codecs(array, json_object_get(config, "index_codecs"), level, err) != 0 ||
        parse_index_location(array, json_object_get(config, "index_location"), level, err) != 0 ||
        parse_pipeline(array, json_object_get(config, "codecs"), meta, err) != 0)
        return -1;
    memcpy(inner, meta->codec_text, sizeof inner);
    snprintf(meta->codec_text, sizeof meta->codec_text, "%s%.*s", word,
             (int)(sizeof inner - sizeof word), *inner != '\0' ? inner : "none");
    return 0;
}

int meta_codecs_v3(const char *array, const json_t *codecs, struct zarr_meta *meta, struct err *err)
{
    for (unsigned d = 0; d < meta->ndim; d++)
        meta->axes[d] = (uint8_t)d;
    return parse_pipeline(array, codecs, meta, err);
}
