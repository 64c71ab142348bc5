/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_objects: members of an archive as objects.
 *
 * Stored members are read like files. A deflated member is inflated whole into a cache that all
 * threads share, or, if it is larger than the cache, streamed (stream.h).
 */
#include "common/size.h"
#include "encoderd/zarr/store/cache.h"
#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/stream.h"
#include "encoderd/zarr/store/watch.h"
#include "encoderd/zarr/store/zip_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Members up to this size, such as metadata, are kept with the open object. */
#define SMALL_NBYTES ((uint64_t)16 << 10)

struct zip_object {
    struct object base;
    const struct zip_member *member;
    uint64_t data;  /* offset of its bytes in the archive */
    uint8_t *small; /* owned; the contents of a short deflated member */
    pthread_mutex_t lock;
    struct stream *stream; /* owned, under the lock; for a deflated member that is too long */
    char key[];
};

/* An archive that was renamed is still open here and unchanged; one that was written to has
 * changed. */
static int check_unchanged(const struct zip_store *store, struct err *err)
{
    struct stat st;

    if (fstat(store->fd, &st) != 0)
        return store_fail_sys(&store->base, NULL, errno, err);
    return store_watch_check(&store->base, "", &st, err);
}

/* key: see file_read. */
static enum got read_checked(const struct zip_store *store, const char *key, uint64_t offset,
                             void *to, size_t n, bool may_wait, struct err *err)
{
    const enum got got = file_read(&store->base, store->fd, key, offset, to, n, may_wait, err);

    return got == GOT_IT && check_unchanged(store, err) != 0 ? GOT_FAILED : got;
}

int zip_read_archive(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    return (int)read_checked(arg, NULL, offset, to, n, true, err);
}

static int read_archive_at_once(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    return read_checked(arg, NULL, offset, to, n, false, err) == GOT_IT ? 0 : -1;
}

static const struct zip_store *store_of(const struct zip_object *object)
{
    return (const struct zip_store *)object->base.store;
}

static int read_stored(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct zip_object *object = arg;

    return (int)read_checked(store_of(object), object->key, object->data + offset, to, n, true,
                             err);
}

static int name_member(const struct zip_object *object, struct err *err)
{
    return err_name(err, "%s/%s", store_of(object)->base.path, object->key);
}

static int open_stream(const struct zip_object *object, struct stream **out, struct err *err)
{
    struct stream_spec spec = {
        .kind = STREAM_DEFLATE,
        .read = read_stored,
        .arg = (void *)(uintptr_t)object,
        .length = object->member->stored_nbytes,
        .nbytes = object->member->nbytes,
        .has_crc32 = true,
        .crc32 = object->member->crc32,
    };

    return stream_new(&spec, out, err);
}

static int inflate_whole(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct zip_object *object = arg;
    struct stream *stream;
    int rc;

    if (open_stream(object, &stream, err) != 0)
        return -1;
    rc = stream_read(stream, 0, to, n, err);
    stream_free(stream);
    return rc;
}

static enum got read_inflated(const struct zip_object *object, uint64_t offset, void *to, size_t n,
                              bool may_wait, struct err *err)
{
    struct cache *cache = store_of(object)->cache;
    const void *key = &object->member;
    struct cache_entry *entry;

    if (!may_wait)
        entry = cache_find(cache, key, sizeof object->member);
    else if (cache_get(cache, key, sizeof object->member, (size_t)object->member->nbytes,
                       inflate_whole, (void *)(uintptr_t)object, &entry, err) != 0)
        return GOT_FAILED;
    if (entry == NULL)
        return GOT_NOT_NOW;
    memcpy(to, cache_data(entry) + offset, n);
    cache_put(cache, entry);
    return GOT_IT;
}

static int read_streamed(struct zip_object *object, uint64_t offset, void *to, size_t n,
                         struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&object->lock);
    if (object->stream == NULL)
        rc = open_stream(object, &object->stream, err);
    if (rc == 0)
        rc = stream_read(object->stream, offset, to, n, err);
    pthread_mutex_unlock(&object->lock);
    return rc;
}

static enum got read_deflated(struct zip_object *object, uint64_t offset, void *to, size_t n,
                              bool may_wait, struct err *err)
{
    enum got got = GOT_NOT_NOW;

    if (object->small != NULL) {
        memcpy(to, object->small + offset, n);
        return GOT_IT;
    }
    if (object->base.size <= cache_budget(store_of(object)->cache))
        got = read_inflated(object, offset, to, n, may_wait, err);
    else if (may_wait)
        got = (enum got)read_streamed(object, offset, to, n, err);
    return got == GOT_FAILED ? (enum got)name_member(object, err) : got;
}

enum got zip_read(const struct object *base, uint64_t offset, void *to, size_t n, bool may_wait,
                  struct err *err)
{
    struct zip_object *object = (struct zip_object *)(uintptr_t)base;

    if (!size_range_ok(offset, n, base->size))
        return (enum got)store_fail(base->store, object->key, err, ERR_CORRUPT,
                                    "ends at byte %llu, in the middle of its data",
                                    (unsigned long long)base->size);
    if (object->member->deflated)
        return read_deflated(object, offset, to, n, may_wait, err);
    return read_checked(store_of(object), object->key, object->data + offset, to, n, may_wait, err);
}

void zip_close(struct object *base)
{
    struct zip_object *object = (struct zip_object *)base;

    stream_free(object->stream);
    pthread_mutex_destroy(&object->lock);
    free(object->small);
    free(object);
}

static int inflate_small(struct zip_object *object, struct err *err)
{
    size_t n = (size_t)object->member->nbytes;

    object->small = malloc(n);
    if (object->small == NULL)
        return err_nomem(err, "a member");
    return inflate_whole(object, object->small, n, err);
}

/* Finds the member's bytes, and reads them if they are few. */
static int find_data(struct zip_object *object, bool may_wait, struct err *err)
{
    const struct zip_store *store = store_of(object);
    const struct zip_member *member = object->member;
    const bool small = member->deflated && member->nbytes > 0 && member->nbytes <= SMALL_NBYTES;
    struct zip_source source = store->source;

    if (!may_wait && small)
        return -1;
    if (!may_wait)
        source.read = read_archive_at_once;
    if (zip_member_data(&source, &store->dir, member, &object->data, err) != 0)
        return -1;
    return small ? inflate_small(object, err) : 0;
}

enum got zip_open_member(const struct zip_store *store, const struct zip_member *member,
                         const char *key, bool may_wait, struct object **out, struct err *err)
{
    size_t key_size = strlen(key) + 1;
    struct zip_object *object = calloc(1, sizeof *object + key_size);

    if (object == NULL)
        return (enum got)store_nomem(&store->base, key, err);
    object->base.store = &store->base;
    object->base.size = member->nbytes;
    object->base.part = member->deflated ? 0 : FILE_PART;
    object->member = member;
    memcpy(object->key, key, key_size);
    pthread_mutex_init(&object->lock, NULL);
    if (find_data(object, may_wait, err) != 0) {
        if (may_wait)
            name_member(object, err);
        zip_close(&object->base);
        return may_wait ? GOT_FAILED : GOT_NOT_NOW;
    }
    *out = &object->base;
    return GOT_IT;
}
