#include "encoderd/zarr/store.h"

#include "common/cleanup.h"
#include "encoderd/zarr/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int refuse_file(const char *path, struct err *err)
{
    size_t n = strlen(path);

    if (n > 4 && strcmp(path + n - 4, ".zip") == 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: zip stores are not supported yet: unpack it into a directory", path);
    return err_set(err, ERR_UNSUPPORTED,
                   "%s is not a directory: only directory stores are supported yet", path);
}

int store_open(const char *path, struct store **out, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    *out = NULL;
    if (strstr(path, "://") != NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: stores at a URL are not supported yet: copy it to a directory", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "%s: no such store", path);
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "%s", path);
    if (fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "%s", path);
    if (!S_ISDIR(st.st_mode))
        return refuse_file(path, err);
    return store_dir_new(path, steal_fd(&fd), out, err);
}

void store_free(struct store *store)
{
    if (store != NULL)
        store->ops->free(store);
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

int store_object(const struct store *store, const char *key, struct object **out, struct err *err)
{
    *out = NULL;
    if (store_key_check(store, key, false, err) < 0)
        return -1;
    return store->ops->object(store, key, out, err);
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
