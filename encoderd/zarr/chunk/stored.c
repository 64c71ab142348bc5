#include "encoderd/zarr/chunk/stored.h"

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
#define QUICK_INDEX_MAX  ((uint64_t)256 << 10)
#define QUICK_BLOCKS_MAX ((size_t)16384)

#define DAMAGED "the file is damaged; restore it or rewrite the store"

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

/* ---- Shards ---- */

/* Reads the whole index, keeping it if it is short, and holds it against its checksum. */
static int scan_index(struct stored *shard, const struct zarr_shard_level *level, struct err *err)
{
    uint64_t nbytes = level->nchunks * ENTRY_NBYTES, piece = size_min(nbytes, PIECE_NBYTES);
    AUTO_FREE uint8_t *room = malloc((size_t)piece);
    uint8_t sum_stored[4];
    uint32_t sum = 0;

    if (room == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the index of a shard");
    for (uint64_t at = 0; at < nbytes; at += piece) {
        size_t n = (size_t)size_min(piece, nbytes - at);

        if (object_read(shard->object, shard->index_at + at, room, n, err) < 0)
            return -1;
        sum = crc32c_more(sum, room, n);
        if (shard->index != NULL)
            memcpy(shard->index + at, room, n);
    }
    if (object_read(shard->object, shard->index_at + nbytes, sum_stored, sizeof sum_stored, err) <
        0)
        return -1;
    if (get_le32(sum_stored) != sum)
        return err_set(err, ERR_CORRUPT,
                       "the crc32c checksum of its shard index does not agree; " DAMAGED);
    return 0;
}

static int read_index(struct stored *shard, const struct zarr_shard_level *level, struct err *err)
{
    const uint64_t nbytes = level->nchunks * ENTRY_NBYTES;

    if (nbytes <= INDEX_KEPT_MAX) {
        shard->index = malloc((size_t)nbytes);
        if (shard->index == NULL)
            return err_set(err, ERR_MEMORY, "out of memory for the index of a shard");
    }
    if (level->index_crc)
        return scan_index(shard, level, err);
    return shard->index == NULL
               ? 0
               : object_read(shard->object, shard->index_at, shard->index, (size_t)nbytes, err);
}

static int index_shard(struct stored *shard, const struct zarr_shard_level *level, struct err *err)
{
    const uint64_t index = level->nchunks * ENTRY_NBYTES + (level->index_crc ? 4 : 0);

    if (shard->length < index)
        return err_set(err, ERR_CORRUPT,
                       "%llu bytes are too few for a shard, whose index alone has %llu; " DAMAGED,
                       (unsigned long long)shard->length, (unsigned long long)index);
    if (!store_waits() && index > QUICK_INDEX_MAX)
        return err_set(err, ERR_USAGE, "a shard's index of %llu bytes: not to be had quickly",
                       (unsigned long long)index);
    shard->index_at = shard->base + (level->index_first ? 0 : shard->length - index);
    if (read_index(shard, level, err) < 0) {
        free(shard->index);
        shard->index = NULL;
        return -1;
    }
    return 0;
}

/* Innermost chunks in what a shard of that level is cut into, along axis d. */
static uint64_t chunks_below(const struct zarr_meta *meta, unsigned level, unsigned d)
{
    uint64_t n = 1;

    for (unsigned k = level + 1; k < meta->sharding.nlevels; k++)
        n *= meta->sharding.levels[k].chunks[d];
    return n;
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

/* What the shard around it says of where it lies. */
static int find_entry(struct stored *stored, const struct zarr_meta *meta, const uint64_t *index,
                      struct err *err)
{
    const struct stored *shard = stored->outer;
    const unsigned level = shard->name.level;
    const bool big_endian = meta->sharding.levels[level].index_big_endian;
    const uint64_t at = entry_number(meta, level, index) * ENTRY_NBYTES;
    uint8_t entry[ENTRY_NBYTES];

    if (shard->object == NULL)
        return 0;
    if (shard->index != NULL)
        memcpy(entry, shard->index + at, sizeof entry);
    else if (object_read(shard->object, shard->index_at + at, entry, sizeof entry, err) < 0)
        return -1;
    stored->base = entry_value(entry, big_endian);
    stored->length = entry_value(entry + 8, big_endian);
    if (stored->base == UINT64_MAX && stored->length == UINT64_MAX)
        return 0;
    if (!size_range_ok(stored->base, stored->length, shard->length))
        return err_set(err, ERR_CORRUPT,
                       "the shard's index says %llu bytes from %llu on, and %s has %llu; " DAMAGED,
                       (unsigned long long)stored->length, (unsigned long long)stored->base,
                       level == 0 ? "the file" : "the inner shard",
                       (unsigned long long)shard->length);
    stored->base += shard->base;
    stored->object = shard->object;
    return 0;
}

/* ---- Steps ---- */

static struct stored *get_at(struct chunk_table *table, const struct zarr_array *array,
                             unsigned level, const uint64_t *index, struct err *err)
{
    struct stored_name name = {.store = array->store, .level = level};

    memcpy(name.identity, array->identity, sizeof name.identity);
    for (unsigned d = 0; d < array->meta.ndim; d++)
        name.place[d] = index[d] / (level == 0 ? array->meta.sharding.chunks[d]
                                               : chunks_below(&array->meta, level - 1, d));
    return table_get(table, &name, err);
}

struct stored *stored_get(struct chunk_table *table, const struct zarr_array *array,
                          const uint64_t *index, struct err *err)
{
    return get_at(table, array, array->meta.sharding.nlevels, index, err);
}

static int locate_object(struct stored *stored, const struct zarr_array *array,
                         const uint64_t *index, struct err *err)
{
    char key[ZARR_KEY_MAX];

    zarr_chunk_key(array, index, key);
    if (open_object(array, key, &stored->object, err) < 0)
        return -1;
    stored->length = stored->object != NULL ? object_size(stored->object) : 0;
    return 0;
}

static int locate_in_shard(struct stored *stored, const struct zarr_array *array,
                           const uint64_t *index, struct err *err)
{
    if (stored->outer == NULL)
        stored->outer = get_at(stored->table, array, stored->name.level - 1, index, err);
    if (stored->outer == NULL || stored_index(stored->outer, array, index, err) < 0)
        return -1;
    return find_entry(stored, &array->meta, index, err);
}

static int locate(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                  struct err *err)
{
    if (stored->name.level > 0)
        return locate_in_shard(stored, array, index, err);
    return locate_object(stored, array, index, err);
}

static int read_head(struct stored *stored, const struct zarr_array *array, struct err *err)
{
    uint8_t header[BLOSC1_HEADER_NBYTES];

    if (stored->length < sizeof header)
        return err_set(err, ERR_CORRUPT,
                       "too short for a Blosc frame; the file is damaged; restore it or rewrite "
                       "the store");
    if (object_read(stored->object, stored->base, header, sizeof header, err) < 0)
        return -1;
    return blosc1_parse_header(header, stored->length,
                               array->meta.chunk_elements * array->meta.dtype.size, &stored->frame,
                               err);
}

static int index_blocks(struct stored *stored, struct err *err)
{
    const size_t n = stored->frame.nblocks;
    AUTO_FREE uint64_t *places = calloc(n, sizeof *places);
    AUTO_FREE uint8_t *table = calloc(n, sizeof(uint32_t));
    AUTO_FREE uint32_t *begins = calloc(2 * n, sizeof *begins);

    if (!store_waits() && n > QUICK_BLOCKS_MAX)
        return err_set(err, ERR_USAGE, "%zu Blosc blocks: not to be had quickly", n);
    if (places == NULL || table == NULL || begins == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %zu Blosc blocks", n);
    if (object_read(stored->object, stored->base + BLOSC1_HEADER_NBYTES, table,
                    n * sizeof(uint32_t), err) < 0 ||
        blosc1_index_into(&stored->frame, table, places, begins, begins + n, err) < 0)
        return -1;
    stored->ends = begins + n;
    stored->begins = steal_ptr(&begins);
    return 0;
}

static bool is_shard(const struct stored *stored, const struct zarr_array *array)
{
    return stored->name.level < array->meta.sharding.nlevels;
}

/* Under the lock. Absent ones have nothing more to be known. */
static int make_step(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                     struct err *err)
{
    switch (stored->step) {
    case STORED_NEW:
        return locate(stored, array, index, err);
    case STORED_LOCATED:
        return stored->object == NULL || is_shard(stored, array) ? 0
                                                                 : read_head(stored, array, err);
    case STORED_HEADED:
        if (stored->object == NULL)
            return 0;
        return is_shard(stored, array)
                   ? index_shard(stored, &array->meta.sharding.levels[stored->name.level], err)
                   : index_blocks(stored, err);
    case STORED_INDEXED:
        break;
    }
    return 0;
}

static void note_cost(struct stored *stored, const struct zarr_array *array)
{
    uint64_t nbytes = 0;

    if (stored->index != NULL)
        nbytes = array->meta.sharding.levels[stored->name.level].nchunks * ENTRY_NBYTES;
    if (stored->begins != NULL)
        nbytes = (uint64_t)stored->frame.nblocks * 2 * sizeof *stored->begins;
    table_note(stored, stored->object != NULL && stored->outer == NULL, nbytes);
}

/* A thread that may not wait does not wait for one that reads, either. */
static int take_lock(struct stored *stored, struct err *err)
{
    if (store_waits())
        pthread_mutex_lock(&stored->lock);
    else if (pthread_mutex_trylock(&stored->lock) != 0)
        return err_set(err, ERR_USAGE, "a chunk that is being opened: not to be had at once");
    return 0;
}

static int make_steps(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                      enum stored_step step, struct err *err)
{
    enum stored_step before;
    int rc = 0;

    if (take_lock(stored, err) < 0)
        return -1;
    before = stored->step;
    while (rc == 0 && stored->step < step) {
        rc = make_step(stored, array, index, err);
        if (rc == 0)
            stored->step++;
    }
    if (stored->step != before)
        note_cost(stored, array);
    pthread_mutex_unlock(&stored->lock);
    return rc;
}

int stored_locate(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                  struct err *err)
{
    return make_steps(stored, array, index, STORED_LOCATED, err);
}

int stored_head(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                struct err *err)
{
    return make_steps(stored, array, index, STORED_HEADED, err);
}

int stored_index(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                 struct err *err)
{
    return make_steps(stored, array, index, STORED_INDEXED, err);
}

/* ---- By name ---- */

static void add_place(const struct zarr_meta *meta, const uint64_t *index, char *label)
{
    size_t used = strlen(label);

    for (unsigned d = 0; d < meta->ndim; d++)
        used += (size_t)snprintf(label + used, CHUNK_LABEL_MAX - used, "%s%llu",
                                 d == 0 ? ", chunk " : ".", (unsigned long long)index[d]);
}

void chunk_label(const struct zarr_array *array, const uint64_t *index, char label[CHUNK_LABEL_MAX])
{
    char key[ZARR_KEY_MAX];

    zarr_chunk_key(array, index, key);
    snprintf(label, CHUNK_LABEL_MAX, "%s", key);
    if (array->meta.sharding.nlevels > 0)
        add_place(&array->meta, index, label);
}

static int name_failure(const struct zarr_array *array, const uint64_t *index, struct err *err)
{
    char label[CHUNK_LABEL_MAX];

    chunk_label(array, index, label);
    return err != NULL && strstr(err->msg, store_path(array->store)) != NULL
               ? -1
               : err_prefix(err, "%s (%s)", label, store_path(array->store));
}

int chunk_is_stored(struct chunk_table *table, const struct zarr_array *array,
                    const uint64_t *index, bool *is_stored, struct err *err)
{
    struct stored *stored;
    char key[ZARR_KEY_MAX];
    int rc;

    if (array->meta.sharding.nlevels == 0) {
        zarr_chunk_key(array, index, key);
        return store_has(array->store, key, is_stored, err);
    }
    stored = table == NULL ? NULL : stored_get(table, array, index, err);
    if (stored == NULL)
        return err_set(err, ERR_MEMORY, "%s: out of memory for a chunk", array->name);
    rc = stored_locate(stored, array, index, err);
    *is_stored = rc == 0 && stored->object != NULL;
    stored_put(stored);
    return rc < 0 ? name_failure(array, index, err) : 0;
}
