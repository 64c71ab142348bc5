/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/stored.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"
#include "encoderd/zarr/store/fail.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_NBYTES ((uint64_t)16)
/* Longer indexes stay in the file, and each entry is read when it is needed. */
#define INDEX_KEPT_MAX ((uint64_t)1 << 20)
#define SCAN_NBYTES    ((uint64_t)64 << 10)
/* How much of a Blosc frame is read if no other chunk of its array has been seen: the header and
 * the begins of a thousand blocks. */
#define HEAD_NBYTES ((uint64_t)4 << 10)
/* FIRST_NBYTES: how much of a chunk is read at once, if that has to wait and no other chunk of its
 * array has been seen. SMALL_NBYTES: if earlier chunks were not longer than this, the next one is
 * read whole. */
#define FIRST_NBYTES ((uint64_t)64 << 10)
#define SMALL_NBYTES ((uint64_t)256 << 10)
/* How much of a longer chunk will probably be wanted. If the caller goes through all of it:
 * LIKELY_MAX bytes. Otherwise the bytes around the place where the wanted ones should be: to each
 * side LIKELY_SLACK, and one LIKELY_PART-th of the chunk, but at most half of LIKELY_MAX. */
#define LIKELY_MAX   ((uint64_t)1 << 20)
#define LIKELY_SLACK ((uint64_t)16 << 10)
#define LIKELY_PART  16

static bool is_shard(const struct stored *stored, const struct zarr_array *array)
{
    return stored->name.level < array->meta.sharding.nlevels;
}

static const struct zarr_shard_level *level_of(const struct stored *shard,
                                               const struct zarr_array *array)
{
    return &array->meta.sharding.levels[shard->name.level];
}

static uint64_t index_nbytes(const struct zarr_shard_level *level)
{
    return level->nchunks * ENTRY_NBYTES + (level->index_crc ? 4 : 0);
}

/* Where the index of a shard begins in the object. */
static uint64_t index_begin(const struct stored *shard, const struct zarr_shard_level *level)
{
    return shard->base + (level->index_first ? 0 : shard->length - index_nbytes(level));
}

/* Gets bytes [offset, offset + n) of its open object. Asks for `ask` bytes, or for `most` if they
 * have to be waited for, but for none past its end. */
static enum need get_bytes(struct stored *stored, struct chunk_need *need, uint64_t offset,
                           uint64_t n, uint64_t ask, uint64_t most, struct piece_bytes *out,
                           struct err *err)
{
    const uint64_t left = stored->base + stored->length - offset;
    const struct piece_range range = {
        .offset = offset, .length = size_min(size_max(n, ask), left), .most = size_min(most, left)};
    enum need rc;

    if (chunk_need_find(need, stored, offset, n, out))
        return NEED_THERE;
    rc = chunk_need_range(need, stored, &range, out, err);
    if (rc == NEED_THERE && out->n < n)
        return err_set(err, ERR_CORRUPT, "it ends in the middle of its data; " DAMAGED);
    return rc;
}

/* ---- Shards ---- */

/* Checks the checksum of an index that stays in the file. */
static int scan_index(struct stored *shard, const struct zarr_shard_level *level, struct err *err)
{
    const uint64_t nbytes = level->nchunks * ENTRY_NBYTES;
    const uint64_t at = index_begin(shard, level);
    AUTO_FREE uint8_t *room = malloc((size_t)SCAN_NBYTES);
    uint8_t sum_stored[4];
    uint32_t sum = 0;

    if (room == NULL)
        return err_nomem(err, "the index of a shard");
    for (uint64_t done = 0; done < nbytes; done += SCAN_NBYTES) {
        const size_t n = (size_t)size_min(SCAN_NBYTES, nbytes - done);

        if (object_read(shard->object, at + done, room, n, err) != 0)
            return -1;
        sum = crc32c_more(sum, room, n);
    }
    if (object_read(shard->object, at + nbytes, sum_stored, sizeof sum_stored, err) != 0)
        return -1;
    if (get_le32(sum_stored) != sum)
        return err_set(err, ERR_CORRUPT,
                       "the crc32c checksum of its shard index does not agree; " DAMAGED);
    return 0;
}

/* Reads a copy of the index, which the caller owns. */
static enum need read_index(struct stored *shard, const struct zarr_shard_level *level,
                            struct chunk_need *need, uint8_t **out, struct err *err)
{
    const uint64_t nbytes = level->nchunks * ENTRY_NBYTES, all = index_nbytes(level);
    const uint64_t at = index_begin(shard, level);
    struct piece_bytes bytes;
    enum need rc = get_bytes(shard, need, at, all, all, all, &bytes, err);

    if (rc != NEED_THERE)
        return rc;
    if (level->index_crc && get_le32(bytes.at + nbytes) != crc32c(bytes.at, nbytes))
        return err_set(err, ERR_CORRUPT,
                       "the crc32c checksum of its shard index does not agree; " DAMAGED);
    *out = malloc((size_t)nbytes);
    if (*out == NULL)
        return err_nomem(err, "the index of a shard");
    memcpy(*out, bytes.at, (size_t)nbytes);
    return NEED_THERE;
}

static enum need find_index(struct stored *shard, const struct zarr_array *array,
                            struct chunk_need *need, uint8_t **out, struct err *err)
{
    const struct zarr_shard_level *level = level_of(shard, array);
    const uint64_t nbytes = index_nbytes(level);

    if (shard->length < nbytes)
        return err_set(err, ERR_CORRUPT,
                       "%llu bytes are too few for a shard, whose index alone has %llu; " DAMAGED,
                       (unsigned long long)shard->length, (unsigned long long)nbytes);
    if (nbytes <= INDEX_KEPT_MAX)
        return read_index(shard, level, need, out, err);
    if (!level->index_crc)
        return NEED_THERE;
    return need->may_wait ? (enum need)scan_index(shard, level, err) : NEED_SLOW;
}

static enum need index_shard(struct stored *shard, const struct zarr_array *array,
                             struct chunk_need *need, struct err *err)
{
    AUTO_FREE uint8_t *index = NULL;
    const enum need rc = find_index(shard, array, need, &index, err);
    const struct zarr_shard_level *level = level_of(shard, array);

    if (rc != NEED_THERE)
        return rc;
    pthread_mutex_lock(&shard->lock);
    if (shard->step == STORED_HEADED) {
        shard->index = steal_ptr(&index);
        shard->index_at = index_begin(shard, level);
        shard->step = STORED_INDEXED;
    }
    pthread_mutex_unlock(&shard->lock);
    return NEED_THERE;
}

/* How many innermost chunks one part of a shard of that level has along axis d. */
static uint64_t chunks_below(const struct zarr_meta *meta, unsigned level, unsigned d)
{
    uint64_t n = 1;

    for (unsigned k = level + 1; k < meta->sharding.nlevels; k++)
        n *= meta->sharding.levels[k].chunks[d];
    return n;
}

/* The number of the chunk's entry in the index of a shard. */
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

static enum need find_entry(struct stored *shard, const struct zarr_meta *meta,
                            const uint64_t *index, struct chunk_need *need,
                            uint8_t out[ENTRY_NBYTES], struct err *err)
{
    const uint64_t at = entry_number(meta, shard->name.level, index) * ENTRY_NBYTES;
    struct piece_bytes bytes;
    enum need rc;

    if (shard->index != NULL) {
        memcpy(out, shard->index + at, ENTRY_NBYTES);
        return NEED_THERE;
    }
    rc = get_bytes(shard, need, shard->index_at + at, ENTRY_NBYTES, 0, 0, &bytes, err);
    if (rc == NEED_THERE)
        memcpy(out, bytes.at, ENTRY_NBYTES);
    return rc;
}

/* Reads the place in the entry; length UINT64_MAX: the chunk is absent. */
static int read_entry(const struct stored *shard, const struct zarr_meta *meta,
                      const uint8_t *entry, uint64_t *base, uint64_t *length, struct err *err)
{
    const bool big_endian = meta->sharding.levels[shard->name.level].index_big_endian;

    *base = get_uint(entry, 8, big_endian);
    *length = get_uint(entry + 8, 8, big_endian);
    if (*base == UINT64_MAX && *length == UINT64_MAX)
        return 0;
    if (size_range_ok(*base, *length, shard->length))
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "the shard's index says %llu bytes from %llu on, and %s has %llu; " DAMAGED,
                   (unsigned long long)*length, (unsigned long long)*base,
                   shard->name.level == 0 ? "the file" : "the inner shard",
                   (unsigned long long)shard->length);
}

/* ---- Steps: each is made by the first thread that needs it ---- */

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
    struct stored *stored = get_at(table, array, array->meta.sharding.nlevels, index, err);
    char label[CHUNK_LABEL_MAX];

    if (stored == NULL)
        return NULL;
    pthread_mutex_lock(&stored->lock);
    if (stored->label == NULL) {
        chunk_label(array, index, label);
        stored->label = strdup(label); /* if there is no memory for it, its key is used */
    }
    pthread_mutex_unlock(&stored->lock);
    return stored;
}

/* Guesses, from the last chunk of the array, which stored bytes of a chunk that is not open yet
 * will be wanted. If the caller goes through all of it, all of them. Otherwise those at the same
 * relative place as the wanted bytes have in the decoded chunk. */
static void guess_likely(const struct stored_hint *hint, const struct zarr_meta *meta,
                         const struct chunk_need *need, struct piece_range *range)
{
    const uint64_t slack = size_min(LIKELY_SLACK + hint->length / LIKELY_PART, LIKELY_MAX / 2);
    double rate;
    uint64_t begin, end;

    if (need->onward) {
        range->likely_length = size_min(hint->length + hint->length / LIKELY_PART, LIKELY_MAX);
        return;
    }
    if (need->end == 0)
        return;
    rate = (double)(hint->length - size_min(hint->head, hint->length)) /
           ((double)meta->chunk_elements * meta->dtype.size);
    begin = hint->head + (uint64_t)(rate * (double)need->begin);
    end = hint->head + (uint64_t)(rate * (double)need->end);
    if (end - begin < LIKELY_MAX) {
        range->likely_offset = begin - size_min(slack, begin);
        range->likely_length = end + slack - range->likely_offset;
    }
}

/* If it may not wait, it only opens the chunk, and reads the header if there is one. If it has to
 * wait anyway, it reads more in the same step, and the whole chunk if the last ones were short. */
static void open_range(const struct stored *stored, const struct zarr_array *array,
                       const struct chunk_need *need, struct piece_range *range)
{
    struct stored_hint hint;

    if (is_shard(stored, array)) {
        const struct zarr_shard_level *level = level_of(stored, array);

        range->length = index_nbytes(level) <= INDEX_KEPT_MAX ? index_nbytes(level) : 0;
        range->from_end = !level->index_first;
        return;
    }
    table_hint_get(stored->table, array->identity, &hint);
    if (stored_is_blosc(&array->meta))
        range->length = size_max(hint.head, HEAD_NBYTES);
    if (hint.length == 0)
        range->most = FIRST_NBYTES;
    else if (hint.length <= SMALL_NBYTES)
        range->most =
            hint.length + hint.length / 4 + HEAD_NBYTES; /* this chunk may be a little longer */
    else
        guess_likely(&hint, &array->meta, need, range);
}

static enum need open_object(struct stored *stored, const struct zarr_array *array,
                             const uint64_t *index, struct chunk_need *need, struct err *err)
{
    char key[ZARR_KEY_MAX];
    struct piece_range range = {.key = key};
    struct piece_bytes bytes;
    enum need rc;

    zarr_chunk_key(array, index, key);
    open_range(stored, array, need, &range);
    rc = chunk_need_range(need, stored, &range, &bytes, err);
    if (rc != NEED_THERE)
        return rc;
    pthread_mutex_lock(&stored->lock);
    if (stored->step == STORED_NEW && bytes.absent) {
        stored->step = STORED_MISSING;
    } else if (stored->step == STORED_NEW) {
        stored->object = object_hold(bytes.object);
        stored->length = bytes.size;
        stored->step = STORED_LOCATED;
    }
    pthread_mutex_unlock(&stored->lock);
    return NEED_THERE;
}

/* A chunk also seems absent if the store is being deleted or its file system is gone. Then fill
 * values would be invented data, so this checks that the array's metadata are still there. */
static enum need check_not_gone(struct stored *stored, const struct zarr_array *array,
                                struct chunk_need *need, struct err *err)
{
    const struct piece_range range = {.key = array->meta_key};
    struct piece_bytes bytes;
    const enum need rc = chunk_need_range(need, stored, &range, &bytes, err);

    if (rc != NEED_THERE)
        return rc;
    if (bytes.absent)
        return store_fail(array->store, array->meta_key, err, ERR_CHANGED,
                          "it is gone: the store was removed or changed");
    pthread_mutex_lock(&stored->lock);
    if (stored->step == STORED_MISSING)
        stored->step = STORED_LOCATED;
    pthread_mutex_unlock(&stored->lock);
    return NEED_THERE;
}

/* Finds the shard around it, with its index. */
static enum need find_outer(struct stored *stored, const struct zarr_array *array,
                            const uint64_t *index, struct chunk_need *need, struct stored **out,
                            struct err *err)
{
    struct stored *outer = get_at(stored->table, array, stored->name.level - 1, index, err);

    if (outer == NULL)
        return NEED_FAILED;
    pthread_mutex_lock(&stored->lock);
    if (stored->outer == NULL)
        stored->outer = steal_ptr(&outer);
    *out = stored->outer;
    pthread_mutex_unlock(&stored->lock);
    stored_put(outer);
    return stored_make(*out, array, index, STORED_INDEXED, need, err);
}

static enum need locate_in_shard(struct stored *stored, const struct zarr_array *array,
                                 const uint64_t *index, struct chunk_need *need, struct err *err)
{
    uint64_t base = 0, length = UINT64_MAX;
    uint8_t entry[ENTRY_NBYTES];
    struct stored *shard;
    enum need rc = find_outer(stored, array, index, need, &shard, err);

    if (rc != NEED_THERE)
        return rc;
    if (shard->object != NULL) {
        rc = find_entry(shard, &array->meta, index, need, entry, err);
        if (rc != NEED_THERE)
            return rc;
        if (read_entry(shard, &array->meta, entry, &base, &length, err) != 0)
            return NEED_FAILED;
    }
    pthread_mutex_lock(&stored->lock);
    if (stored->step == STORED_NEW) {
        if (length != UINT64_MAX) {
            stored->base = shard->base + base;
            stored->length = length;
            stored->object = shard->object;
        }
        stored->step = STORED_LOCATED;
    }
    pthread_mutex_unlock(&stored->lock);
    return NEED_THERE;
}

static enum need read_head(struct stored *stored, const struct zarr_array *array,
                           struct chunk_need *need, struct err *err)
{
    const uint64_t n = BLOSC1_HEADER_NBYTES;
    struct blosc1_frame frame;
    struct stored_hint hint;
    struct piece_bytes bytes;
    enum need rc;

    if (stored->length < n)
        return err_set(err, ERR_CORRUPT, "too short for a Blosc frame; " DAMAGED);
    table_hint_get(stored->table, array->identity, &hint);
    rc = get_bytes(stored, need, stored->base, n, size_max(hint.head, HEAD_NBYTES),
                   stored->length <= SMALL_NBYTES ? stored->length : 0, &bytes, err);
    if (rc != NEED_THERE)
        return rc;
    if (blosc1_parse_header(bytes.at, stored->length,
                            array->meta.chunk_elements * array->meta.dtype.size, &frame, err) != 0)
        return NEED_FAILED;
    pthread_mutex_lock(&stored->lock);
    if (stored->step == STORED_LOCATED) {
        stored->frame = frame;
        stored->step = STORED_HEADED;
    }
    pthread_mutex_unlock(&stored->lock);
    return NEED_THERE;
}

/* The arrays of where blocks begin and, after those, where they end; the caller owns them. */
static enum need find_blocks(struct stored *stored, struct chunk_need *need, uint32_t **out,
                             struct err *err)
{
    const size_t n = stored->frame.nblocks;
    struct piece_bytes bytes;
    enum need rc;

    rc = get_bytes(stored, need, stored->base + BLOSC1_HEADER_NBYTES, n * sizeof **out, 0, 0,
                   &bytes, err);
    if (rc != NEED_THERE)
        return rc;
    AUTO_FREE uint64_t *places = calloc(n, sizeof *places);

    *out = calloc(2 * n, sizeof **out);
    if (places == NULL || *out == NULL)
        return err_nomem(err, "%zu Blosc blocks", n);
    return (enum need)blosc1_index_into(&stored->frame, bytes.at, places, *out, *out + n, err);
}

static enum need index_blocks(struct stored *stored, struct chunk_need *need, struct err *err)
{
    AUTO_FREE uint32_t *begins = NULL;
    const size_t n = stored->frame.nblocks;
    const enum need rc = find_blocks(stored, need, &begins, err);

    if (rc != NEED_THERE)
        return rc;
    pthread_mutex_lock(&stored->lock);
    if (stored->step == STORED_HEADED) {
        stored->begins = steal_ptr(&begins);
        stored->ends = stored->begins + n;
        stored->step = STORED_INDEXED;
    }
    pthread_mutex_unlock(&stored->lock);
    return NEED_THERE;
}

static void go_on(struct stored *stored, enum stored_step from, enum stored_step to)
{
    pthread_mutex_lock(&stored->lock);
    if (stored->step == from)
        stored->step = to;
    pthread_mutex_unlock(&stored->lock);
}

/* Makes the step after `step`. For absent chunks nothing more can be known, and shards have no
 * header. */
static enum need make_step(struct stored *stored, const struct zarr_array *array,
                           const uint64_t *index, enum stored_step step, struct chunk_need *need,
                           struct err *err)
{
    const bool shard = is_shard(stored, array);

    if (step == STORED_NEW)
        return stored->name.level > 0 ? locate_in_shard(stored, array, index, need, err)
                                      : open_object(stored, array, index, need, err);
    if (step == STORED_MISSING)
        return check_not_gone(stored, array, need, err);
    if (stored->object == NULL || (step == STORED_LOCATED && shard)) {
        go_on(stored, step, step + 1);
        return NEED_THERE;
    }
    if (step == STORED_LOCATED)
        return read_head(stored, array, need, err);
    return shard ? index_shard(stored, array, need, err) : index_blocks(stored, need, err);
}

/* Records what it costs to keep and, as a hint for the next chunk of the array, what was worth
 * reading. Another thread may have made a later step. */
static void note_made(struct stored *stored, const struct zarr_array *array)
{
    const bool shard = is_shard(stored, array), blosc = stored_is_blosc(&array->meta);
    struct stored_hint hint = {0};
    uint64_t index_nbytes = 0;
    bool is_open, hints;

    pthread_mutex_lock(&stored->lock);
    is_open = stored->object != NULL && stored->outer == NULL;
    hints = stored->object != NULL && !shard &&
            (!blosc || stored->begins != NULL ||
             (stored->step >= STORED_HEADED && stored->frame.stored));
    hint.length = stored->length;
    if (stored->index != NULL)
        index_nbytes = level_of(stored, array)->nchunks * ENTRY_NBYTES;
    if (stored->begins != NULL) {
        index_nbytes = (uint64_t)stored->frame.nblocks * 2 * sizeof *stored->begins;
        hint.head = BLOSC1_HEADER_NBYTES + (uint64_t)stored->frame.nblocks * sizeof *stored->begins;
    }
    pthread_mutex_unlock(&stored->lock);
    table_note(stored, is_open, index_nbytes);
    memcpy(hint.identity, array->identity, sizeof hint.identity);
    if (hints)
        table_hint_put(stored->table, &hint);
}

static enum stored_step step_of(struct stored *stored)
{
    enum stored_step step;

    pthread_mutex_lock(&stored->lock);
    step = stored->step;
    pthread_mutex_unlock(&stored->lock);
    return step;
}

enum need stored_make(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                      enum stored_step to, struct chunk_need *need, struct err *err)
{
    const enum stored_step from = step_of(stored);
    enum stored_step step = from;
    enum need rc = NEED_THERE;

    while (rc == NEED_THERE && step < to) {
        rc = make_step(stored, array, index, step, need, err);
        step = step_of(stored);
    }
    if (step != from)
        note_made(stored, array);
    return rc;
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
    return err_name(err, "%s (%s)", label, store_path(array->store));
}

/* Its object, held, or NULL where that cannot be opened, or is absent: whoever asks for it by name
 * is told why. */
static struct object *open_outermost(struct chunk_table *table, const struct zarr_array *array,
                                     const uint64_t *index)
{
    CLEANUP(chunk_need_clear) struct chunk_need need = {.may_wait = true};
    struct stored *stored = array->meta.sharding.nlevels == 0
                                ? stored_get(table, array, index, NULL)
                                : get_at(table, array, 0, index, NULL);
    struct object *object = NULL;

    if (stored != NULL &&
        stored_make(stored, array, index, STORED_LOCATED, &need, NULL) == NEED_THERE &&
        stored->object != NULL)
        object = object_hold(stored->object);
    stored_put(stored);
    return object;
}

int chunk_identity(struct chunk_table *table, const struct zarr_array *array, const uint64_t *index,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err)
{
    struct object *object = open_outermost(table, array, index);
    char key[ZARR_KEY_MAX];
    int rc;

    zarr_chunk_key(array, index, key);
    rc = object != NULL ? object_identity(object, key, add, arg, err)
                        : store_identity(array->store, key, add, arg, err);
    object_close(object);
    return rc;
}

int chunk_is_stored(struct chunk_table *table, const struct zarr_array *array,
                    const uint64_t *index, bool *is_stored, struct err *err)
{
    struct chunk_need need = {.may_wait = true};
    struct stored *stored;
    char key[ZARR_KEY_MAX];
    enum need rc;

    if (array->meta.sharding.nlevels == 0) {
        zarr_chunk_key(array, index, key);
        return store_has(array->store, key, is_stored, err);
    }
    stored = table == NULL ? NULL : stored_get(table, array, index, err);
    if (stored == NULL)
        return err_nomem(err, "a chunk of array %s", array->name);
    rc = stored_make(stored, array, index, STORED_LOCATED, &need, err);
    chunk_need_clear(&need);
    *is_stored = rc == NEED_THERE && stored->object != NULL;
    stored_put(stored);
    return rc != NEED_THERE ? name_failure(array, index, err) : 0;
}
