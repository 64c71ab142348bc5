#include "encoderd/zarr/chunk/locate.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/crc32c.h"
#include "common/size.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_NBYTES ((uint64_t)16)
/* Longer indexes stay in the file: an entry is then a read of its own. */
#define INDEX_KEPT_MAX ((uint64_t)1 << 20)
#define PIECE_NBYTES   ((uint64_t)64 << 10)
/* What a thread that has other things to do reads of them. */
#define QUICK_INDEX_MAX ((uint64_t)256 << 10)

#define DAMAGED "the file is damaged; restore it or rewrite the store"

struct shard {
    unsigned refs;
    uint64_t used;        /* the tick when last asked for */
    uint8_t identity[32]; /* of the array */
    char key[ZARR_KEY_MAX];
    unsigned level;                /* 0: the object itself; else what lies in a shard */
    uint64_t place[ZARR_DIMS_MAX]; /* which one it is along each axis */
    struct shard *outer;           /* a reference; NULL at level 0 */
    struct object *object;         /* NULL if absent; owned at level 0 */
    uint64_t base, size;           /* its bytes in the object */
    uint64_t index_at;             /* in the object */
    uint8_t *index;                /* owned; NULL where the index stays in the file */
};

static void shard_unref(struct shard *shard)
{
    if (shard == NULL || --shard->refs > 0)
        return;
    if (shard->outer != NULL)
        shard_unref(shard->outer);
    else
        object_close(shard->object);
    free(shard->index);
    free(shard);
}

void shards_clear(struct shards *shards)
{
    for (size_t i = 0; i < shards->n; i++)
        shard_unref(shards->items[i]);
    *shards = (struct shards){0};
}

/* A store that is being deleted, or whose file system went away, has no chunks either; to show fill
 * values then would be to invent data. */
static int check_not_gone(const struct zarr_array *array, struct err *err)
{
    struct object *meta;

    if (store_object(array->store, array->meta_key, &meta, err) < 0)
        return -1;
    if (meta == NULL)
        return err_set(err, ERR_CHANGED, "%s/%s is gone: the store was removed or changed",
                       store_path(array->store), array->meta_key);
    object_close(meta);
    return 0;
}

static int open_object(const struct zarr_array *array, const char *key, struct object **out,
                       struct err *err)
{
    if (store_object(array->store, key, out, err) < 0)
        return -1;
    return *out == NULL ? check_not_gone(array, err) : 0;
}

/* Reads the whole index, keeping it if it is short, and holds it against its checksum. */
static int scan_index(struct shard *shard, const struct zarr_shard_level *level, struct err *err)
{
    uint64_t nbytes = level->nchunks * ENTRY_NBYTES, piece = size_min(nbytes, PIECE_NBYTES);
    AUTO_FREE uint8_t *room = malloc((size_t)piece);
    uint8_t stored[4];
    uint32_t sum = 0;

    if (nbytes <= INDEX_KEPT_MAX)
        shard->index = malloc((size_t)nbytes);
    if (room == NULL || (shard->index == NULL && nbytes <= INDEX_KEPT_MAX))
        return err_set(err, ERR_MEMORY, "out of memory for the index of a shard");
    for (uint64_t at = 0; at < nbytes; at += piece) {
        size_t n = (size_t)size_min(piece, nbytes - at);

        if (object_read(shard->object, shard->index_at + at, room, n, err) < 0)
            return -1;
        sum = crc32c_more(sum, room, n);
        if (shard->index != NULL)
            memcpy(shard->index + at, room, n);
    }
    if (object_read(shard->object, shard->index_at + nbytes, stored, sizeof stored, err) < 0)
        return -1;
    if (get_le32(stored) != sum)
        return err_set(err, ERR_CORRUPT,
                       "the crc32c checksum of its shard index does not agree; " DAMAGED);
    return 0;
}

static int keep_index(struct shard *shard, const struct zarr_shard_level *level, struct err *err)
{
    uint64_t nbytes = level->nchunks * ENTRY_NBYTES;

    if (nbytes > INDEX_KEPT_MAX)
        return 0;
    shard->index = malloc((size_t)nbytes);
    if (shard->index == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the index of a shard");
    return object_read(shard->object, shard->index_at, shard->index, (size_t)nbytes, err);
}

static int open_index(struct shard *shard, const struct zarr_shard_level *level, struct err *err)
{
    uint64_t index = level->nchunks * ENTRY_NBYTES + (level->index_crc ? 4 : 0);

    if (shard->size < index)
        return err_set(err, ERR_CORRUPT,
                       "%llu bytes are too few for a shard, whose index alone has %llu; " DAMAGED,
                       (unsigned long long)shard->size, (unsigned long long)index);
    if (!store_waits() && index > QUICK_INDEX_MAX)
        return err_set(err, ERR_USAGE, "a shard's index of %llu bytes: not to be had quickly",
                       (unsigned long long)index);
    shard->index_at = shard->base + (level->index_first ? 0 : shard->size - index);
    return level->index_crc ? scan_index(shard, level, err) : keep_index(shard, level, err);
}

/* The bytes that the shard is in: an object, or a part of one that the shard around it says. */
static int open_bytes(const struct zarr_array *array, struct shard *shard, struct shard *outer,
                      const struct extent *extent, struct err *err)
{
    if (outer == NULL) {
        if (open_object(array, shard->key, &shard->object, err) < 0)
            return -1;
        shard->size = shard->object != NULL ? object_size(shard->object) : 0;
        return 0;
    }
    outer->refs++;
    shard->outer = outer;
    shard->object = extent->object;
    shard->base = extent->base;
    shard->size = extent->length;
    return 0;
}

/* `name` has the new shard's identity, key, level and place. */
static int shard_open(const struct zarr_array *array, const struct shard *name, struct shard *outer,
                      const struct extent *extent, struct shard **out, struct err *err)
{
    struct shard *shard = calloc(1, sizeof *shard);

    if (shard == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a shard");
    *shard = *name;
    shard->refs = 1;
    if (open_bytes(array, shard, outer, extent, err) < 0 ||
        (shard->object != NULL &&
         open_index(shard, &array->meta.sharding.levels[shard->level], err) < 0)) {
        shard_unref(shard);
        return -1;
    }
    *out = shard;
    return 0;
}

static void keep_shard(struct shards *shards, struct shard *shard)
{
    size_t oldest = 0;

    if (shards->n < SHARDS_MAX) {
        shards->items[shards->n++] = shard;
        return;
    }
    for (size_t i = 1; i < shards->n; i++)
        if (shards->items[i]->used < shards->items[oldest]->used)
            oldest = i;
    shard_unref(shards->items[oldest]);
    shards->items[oldest] = shard;
}

static bool is_shard(const struct shard *shard, const struct shard *name)
{
    return shard->level == name->level &&
           memcmp(shard->identity, name->identity, sizeof shard->identity) == 0 &&
           memcmp(shard->place, name->place, sizeof shard->place) == 0 &&
           strcmp(shard->key, name->key) == 0;
}

/* Innermost chunks in what a shard of that level is cut into, along axis d. */
static uint64_t chunks_below(const struct zarr_meta *meta, unsigned level, unsigned d)
{
    uint64_t n = 1;

    for (unsigned k = level + 1; k < meta->sharding.nlevels; k++)
        n *= meta->sharding.levels[k].chunks[d];
    return n;
}

/* The shard of that level which holds the chunk at `index`; `outer` and `extent` say where it lies, unless the
 * level is 0. *out stays the list's. */
static int find_shard(struct shards *shards, const struct zarr_array *array, const char *key,
                      unsigned level, const uint64_t *index, struct shard *outer,
                      const struct extent *extent, struct shard **out, struct err *err)
{
    struct shard name = {.level = level};

    memcpy(name.identity, array->identity, sizeof name.identity);
    strcpy(name.key, key);
    for (unsigned d = 0; d < array->meta.ndim && level > 0; d++)
        name.place[d] = index[d] / chunks_below(&array->meta, level - 1, d);
    for (size_t i = 0; i < shards->n; i++)
        if (is_shard(shards->items[i], &name)) {
            *out = shards->items[i];
            (*out)->used = ++shards->tick;
            return 0;
        }
    if (shard_open(array, &name, outer, extent, out, err) < 0)
        return -1;
    (*out)->used = ++shards->tick;
    keep_shard(shards, *out);
    return 0;
}

/* The number of the entry for the chunk in a shard's index. */
static uint64_t entry_number(const struct zarr_meta *meta, unsigned level, const uint64_t *index)
{
    const struct zarr_shard_level *here = &meta->sharding.levels[level];
    uint64_t number = 0;

    for (unsigned d = 0; d < meta->ndim; d++) {
        const unsigned axis = here->axes[d];

        number = number * here->chunks[axis] +
                 index[axis] / chunks_below(meta, level, axis) % here->chunks[axis];
    }
    return number;
}

static uint64_t entry_value(const uint8_t *at, bool big_endian)
{
    uint64_t value = get_le64(at);

    return big_endian ? __builtin_bswap64(value) : value;
}

static int find_entry(const struct shard *shard, const struct zarr_meta *meta,
                      const uint64_t *index, struct extent *out, struct err *err)
{
    const bool big_endian = meta->sharding.levels[shard->level].index_big_endian;
    uint64_t at = entry_number(meta, shard->level, index) * ENTRY_NBYTES;
    uint8_t entry[ENTRY_NBYTES];

    if (shard->index != NULL)
        memcpy(entry, shard->index + at, sizeof entry);
    else if (object_read(shard->object, shard->index_at + at, entry, sizeof entry, err) < 0)
        return -1;
    out->base = entry_value(entry, big_endian);
    out->length = entry_value(entry + 8, big_endian);
    if (out->base == UINT64_MAX && out->length == UINT64_MAX)
        return 0;
    if (!size_range_ok(out->base, out->length, shard->size))
        return err_set(err, ERR_CORRUPT,
                       "the shard's index says %llu bytes from %llu on, and %s has %llu; " DAMAGED,
                       (unsigned long long)out->length, (unsigned long long)out->base,
                       shard->level == 0 ? "the file" : "the inner shard",
                       (unsigned long long)shard->size);
    out->base += shard->base;
    out->object = shard->object;
    return 0;
}

static void add_place(const struct zarr_meta *meta, const uint64_t *index, char *label)
{
    size_t used = strlen(label);

    for (unsigned d = 0; d < meta->ndim; d++)
        used += (size_t)snprintf(label + used, EXTENT_LABEL_MAX - used, "%s%llu",
                                 d == 0 ? ", chunk " : ".", (unsigned long long)index[d]);
}

/* From the object inwards, until a level has no such chunk. */
static int open_sharded(struct shards *shards, const struct zarr_array *array, const char *key,
                        const uint64_t *index, struct extent *out, struct err *err)
{
    struct shard *shard = NULL;

    for (unsigned level = 0; level < array->meta.sharding.nlevels; level++) {
        const struct extent extent = *out;

        *out = (struct extent){0};
        if (find_shard(shards, array, key, level, index, shard, &extent, &shard, err) < 0)
            return -1;
        if (shard->object == NULL)
            return 0;
        if (find_entry(shard, &array->meta, index, out, err) < 0)
            return -1;
        if (out->object == NULL)
            return 0;
    }
    out->shard = shard;
    shard->refs++;
    return 0;
}

void extent_label(const struct zarr_array *array, const uint64_t *index,
                  char label[EXTENT_LABEL_MAX])
{
    char key[ZARR_KEY_MAX];

    zarr_chunk_key(array, index, key);
    snprintf(label, EXTENT_LABEL_MAX, "%s", key);
    if (array->meta.sharding.nlevels > 0)
        add_place(&array->meta, index, label);
}

int extent_open(struct shards *shards, const struct zarr_array *array, const uint64_t *index,
                struct extent *out, struct err *err)
{
    char key[ZARR_KEY_MAX];

    *out = (struct extent){0};
    zarr_chunk_key(array, index, key);
    if (array->meta.sharding.nlevels > 0)
        return open_sharded(shards, array, key, index, out, err);
    if (open_object(array, key, &out->object, err) < 0)
        return -1;
    out->length = out->object != NULL ? object_size(out->object) : 0;
    return 0;
}

void extent_close(struct extent *extent)
{
    if (extent->shard != NULL)
        shard_unref(extent->shard);
    else
        object_close(extent->object);
    *extent = (struct extent){0};
}

int extent_stored(struct shards *shards, const struct zarr_array *array, const uint64_t *index,
                  bool *stored, struct err *err)
{
    char key[ZARR_KEY_MAX], label[EXTENT_LABEL_MAX];
    struct extent extent;

    if (array->meta.sharding.nlevels == 0) {
        zarr_chunk_key(array, index, key);
        return store_has(array->store, key, stored, err);
    }
    if (extent_open(shards, array, index, &extent, err) < 0) {
        extent_label(array, index, label);
        return err != NULL && strstr(err->msg, store_path(array->store)) != NULL
                   ? -1
                   : err_prefix(err, "%s (%s)", label, store_path(array->store));
    }
    *stored = extent.object != NULL;
    extent_close(&extent);
    return 0;
}
