#include "encoderd/zarr/store/store.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/store/spill.h"
#include "encoderd/zarr/store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#define ZFS_SUPER_MAGIC 0x2fc12fc1 /* not in linux/magic.h */
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

static _Thread_local bool never_waits;

void store_may_wait(bool may)
{
    never_waits = !may;
}

bool store_waits(void)
{
    return !never_waits;
}

bool store_is_local(const struct store *store)
{
    return store->local;
}

/* Those that are known to ask nobody; all others might. Links may lead anywhere. */
static bool is_local(int fd, unsigned flags)
{
    static const unsigned long kinds[] = {
        EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
        OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC,     SQUASHFS_MAGIC,    ZFS_SUPER_MAGIC,
    };
    struct statfs fs;

    if ((flags & STORE_FOLLOW_LINKS) != 0 || fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((unsigned long)fs.f_type == kinds[i])
            return true;
    return false;
}

int store_open_with(const char *path, unsigned flags, struct store **out, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;
    bool local;
    int rc;

    *out = NULL;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "%s: no such store", path);
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "%s", path);
    if (fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "%s", path);
    local = is_local(fd, flags);
    if (S_ISDIR(st.st_mode))
        rc = store_dir_new(path, steal_fd(&fd), flags, out, err);
    else if (S_ISREG(st.st_mode))
        rc = store_zip_new(path, steal_fd(&fd), out, err);
    else
        rc = err_set(err, ERR_UNSUPPORTED, "%s is neither a directory nor a zip archive", path);
    if (rc == 0)
        (*out)->local = local;
    return rc;
}

int store_open(const char *path, struct store **out, struct err *err)
{
    return store_open_with(path, 0, out, err);
}

void store_free(struct store *store)
{
    if (store == NULL)
        return;
    if (store->spill != NULL)
        spill_forget(store->spill, store);
    store->ops->free(store);
}

int store_set_budget(struct store *store, size_t nbytes, struct err *err)
{
    return store->ops->set_budget == NULL ? 0 : store->ops->set_budget(store, nbytes, err);
}

void store_set_spill(struct store *store, struct spill *spill)
{
    store->spill = spill;
}

struct spill *store_spill(const struct store *store)
{
    return store->spill;
}

void store_set_held(struct store *store, struct held *held)
{
    store->held = held;
}

struct held *store_held(const struct store *store)
{
    return store->held;
}

void store_trim(const struct store *store)
{
    if (store->ops->trim != NULL)
        store->ops->trim(store);
}

const char *store_path(const struct store *store)
{
    return store->path;
}

int store_key_check(const struct store *store, const char *key, bool root_ok, struct err *err)
{
    const char *at = key;

    if (*key == '\0' && root_ok)
        return 0;
    for (;;) {
        size_t n = strcspn(at, "/");

        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return err_set(err, ERR_CORRUPT, "%s: \"%s\" is not the name of an object in a store",
                           store->path, key);
        if (at[n] == '\0')
            return 0;
        at += n + 1;
    }
}

static int cut_short(const char *path, const char *key, uint64_t at, struct err *err)
{
    return err_set(err, ERR_CORRUPT,
                   "%s%s%s: ends at byte %llu, in the middle of its data: the file is damaged; "
                   "restore it or rewrite the store",
                   path, key != NULL ? "/" : "", key != NULL ? key : "", (unsigned long long)at);
}

static ssize_t read_some(int fd, void *to, size_t n, uint64_t offset)
{
    struct iovec iov = {to, n};

    return store_waits() ? pread(fd, to, n, (off_t)offset)
                         : preadv2(fd, &iov, 1, (off_t)offset, RWF_NOWAIT);
}

int store_fd_read(int fd, const char *path, const char *key, uint64_t offset, void *to, size_t n,
                  struct err *err)
{
    uint8_t *at = to;

    if (!size_range_ok(offset, n, INT64_MAX))
        return cut_short(path, key, offset, err);
    while (n > 0) {
        ssize_t got = read_some(fd, at, n, offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, ERR_IO, errno, "%s%s%s", path, key != NULL ? "/" : "",
                           key != NULL ? key : "");
        if (got == 0)
            return cut_short(path, key, offset, err);
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

int store_object(const struct store *store, const char *key, struct object **out, struct err *err)
{
    *out = NULL;
    if (store_key_check(store, key, false, err) < 0)
        return -1;
    if (store->ops->object(store, key, out, err) < 0)
        return -1;
    /* To be sure that there is none takes looks that may wait. */
    if (*out == NULL && !store_waits())
        return err_set(err, ERR_NOT_FOUND, "%s/%s: not there at once", store->path, key);
    return 0;
}

bool store_lists_names(const struct store *store)
{
    return store->lists_names;
}

int store_has(const struct store *store, const char *key, bool *has, struct err *err)
{
    struct object *object;

    if (store_key_check(store, key, false, err) < 0)
        return -1;
    if (store->ops->has != NULL)
        return store->ops->has(store, key, has, err);
    if (store->ops->object(store, key, &object, err) < 0)
        return -1;
    *has = object != NULL;
    object_close(object);
    return 0;
}

void object_close(struct object *object)
{
    if (object != NULL)
        object->ops->close(object);
}

uint64_t object_size(const struct object *object)
{
    return object->size;
}

int object_read(const struct object *object, uint64_t offset, void *to, size_t n, struct err *err)
{
    return object->ops->read(object, offset, to, n, err);
}

static int read_whole(const struct object *object, const struct store *store, const char *key,
                      size_t max, struct buf *out, struct err *err)
{
    uint64_t size = object_size(object);
    uint8_t *to;

    if (size > max)
        return err_set(err, ERR_CORRUPT,
                       "%s/%s: %llu bytes are more than the %zu that such a file may have",
                       store->path, key, (unsigned long long)size, max);
    to = buf_reserve(out, (size_t)size);
    if (to == NULL)
        return err_set(err, ERR_MEMORY, "%s/%s: out of memory", store->path, key);
    if (object_read(object, 0, to, (size_t)size, err) < 0)
        return -1;
    out->len += (size_t)size;
    return 0;
}

int store_read_all(const struct store *store, const char *key, size_t max, struct buf *out,
                   bool *found, struct err *err)
{
    struct object *object;
    int rc;

    *found = false;
    if (store_object(store, key, &object, err) < 0)
        return -1;
    if (object == NULL)
        return 0;
    rc = read_whole(object, store, key, max, out, err);
    object_close(object);
    *found = rc == 0;
    return rc;
}

int store_children(const struct store *store, const char *key,
                   int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    if (store_key_check(store, key, true, err) < 0)
        return -1;
    return store->ops->children(store, key, visit, arg, err);
}

int store_names(const struct store *store, const char *key,
                int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    if (store_key_check(store, key, true, err) < 0)
        return -1;
    return store->ops->names(store, key, visit, arg, err);
}

int store_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                struct err *err)
{
    *nobjects = 0;
    *nbytes = 0;
    if (store_key_check(store, key, true, err) < 0)
        return -1;
    return store->ops->usage(store, key, nobjects, nbytes, err);
}

int store_identity(const struct store *store, const char *key,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err)
{
    if (store_key_check(store, key, true, err) < 0)
        return -1;
    return store->ops->identity(store, key, add, arg, err);
}
