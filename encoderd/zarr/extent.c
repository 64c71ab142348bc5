#include "encoderd/zarr/extent.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/bytes.h"
#include "encoderd/zarr/crc32c.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_NBYTES ((uint64_t)16)
/* Longer indexes stay in the file: an entry is then a read of its own. */
#define INDEX_KEPT_MAX ((uint64_t)1 << 20)
#define PIECE_NBYTES   ((uint64_t)64 << 10)

#define DAMAGED "the file is damaged; restore it or rewrite the store"

struct shard {
    unsigned refs;
    uint64_t used;        /* the tick when last asked for */
    uint8_t identity[32]; /* of the array */
    char key[ZARR_KEY_MAX];
    struct object *object; /* owned; NULL if absent */
    uint64_t index_at;
    uint8_t *index; /* owned; NULL where the index stays in the file */
};

static void shard_unref(struct shard *shard)
{
    if (shard == NULL || --shard->refs > 0)
        return;
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
static int scan_index(struct shard *shard, const struct zarr_sharding *sharding, struct err *err)
{
    uint64_t nbytes = sharding->nchunks * ENTRY_NBYTES, piece = size_min(nbytes, PIECE_NBYTES);
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

static int keep_index(struct shard *shard, const struct zarr_sharding *sharding, struct err *err)
{
    uint64_t nbytes = sharding->nchunks * ENTRY_NBYTES;

    if (nbytes > INDEX_KEPT_MAX)
        return 0;
    shard->index = malloc((size_t)nbytes);
    if (shard->index == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the index of a shard");
    return object_read(shard->object, shard->index_at, shard->index, (size_t)nbytes, err);
}

static int open_index(struct shard *shard, const struct zarr_sharding *sharding, struct err *err)
{
    uint64_t size = object_size(shard->object);
    uint64_t index = sharding->nchunks * ENTRY_NBYTES + (sharding->index_crc ? 4 : 0);

    if (size < index)
        return err_set(err, ERR_CORRUPT,
                       "%llu bytes are too few for a shard, whose index alone has %llu; " DAMAGED,
                       (unsigned long long)size, (unsigned long long)index);
    shard->index_at = sharding->index_first ? 0 : size - index;
    return sharding->index_crc ? scan_index(shard, sharding, err)
                               : keep_index(shard, sharding, err);
}

static int shard_open(const struct zarr_array *array, const char *key, struct shard **out,
                      struct err *err)
{
    struct shard *shard = calloc(1, sizeof *shard);

    if (shard == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a shard");
    shard->refs = 1;
    memcpy(shard->identity, array->identity, sizeof shard->identity);
    strcpy(shard->key, key);
    if (open_object(array, key, &shard->object, err) < 0 ||
        (shard->object != NULL && open_index(shard, &array->meta.sharding, err) < 0)) {
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

/* *out stays the list's. */
static int find_shard(struct shards *shards, const struct zarr_array *array, const char *key,
                      struct shard **out, struct err *err)
{
    for (size_t i = 0; i < shards->n; i++) {
        struct shard *shard = shards->items[i];

        if (memcmp(shard->identity, array->identity, sizeof shard->identity) == 0 &&
            strcmp(shard->key, key) == 0) {
            shard->used = ++shards->tick;
            *out = shard;
            return 0;
        }
    }
    if (shard_open(array, key, out, err) < 0)
        return -1;
    (*out)->used = ++shards->tick;
    keep_shard(shards, *out);
    return 0;
}

/* The chunk's entry in the index, in C order over the shard's chunks. */
static uint64_t entry_number(const struct zarr_meta *meta, const uint64_t *index)
{
    uint64_t number = 0;

    for (unsigned d = 0; d < meta->ndim; d++)
        number = number * meta->sharding.chunks[d] + index[d] % meta->sharding.chunks[d];
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
    uint64_t at = entry_number(meta, index) * ENTRY_NBYTES, size = object_size(shard->object);
    uint8_t entry[ENTRY_NBYTES];

    if (shard->index != NULL)
        memcpy(entry, shard->index + at, sizeof entry);
    else if (object_read(shard->object, shard->index_at + at, entry, sizeof entry, err) < 0)
        return -1;
    out->base = entry_value(entry, meta->sharding.index_big_endian);
    out->length = entry_value(entry + 8, meta->sharding.index_big_endian);
    if (out->base == UINT64_MAX && out->length == UINT64_MAX)
        return 0;
    if (!size_range_ok(out->base, out->length, size))
        return err_set(err, ERR_CORRUPT,
                       "the shard's index says %llu bytes from %llu on, and the file has "
                       "%llu; " DAMAGED,
                       (unsigned long long)out->length, (unsigned long long)out->base,
                       (unsigned long long)size);
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

int extent_open(struct shards *shards, const struct zarr_array *array, const uint64_t *index,
                char label[EXTENT_LABEL_MAX], struct extent *out, struct err *err)
{
    char key[ZARR_KEY_MAX];
    struct shard *shard = NULL;

    *out = (struct extent){0};
    zarr_chunk_key(array, index, key);
    snprintf(label, EXTENT_LABEL_MAX, "%s", key);
    if (!array->meta.sharding.on) {
        if (open_object(array, key, &out->object, err) < 0)
            return -1;
        out->length = out->object != NULL ? object_size(out->object) : 0;
        return 0;
    }
    add_place(&array->meta, index, label);
    if (find_shard(shards, array, key, &shard, err) < 0)
        return -1;
    if (shard->object == NULL)
        return 0;
    if (find_entry(shard, &array->meta, index, out, err) < 0)
        return -1;
    if (out->object != NULL) {
        out->shard = shard;
        shard->refs++;
    }
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
