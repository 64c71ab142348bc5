/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_open: finds out which kind of store is at a path, and answers what concerns a store as a
 * whole.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/store/fetch_threads.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/spill.h"
#include "encoderd/zarr/store/store_dir.h"
#include "encoderd/zarr/store/store_zip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int open_kind(const char *path, int root, unsigned flags, struct store **out,
                     struct err *err)
{
    AUTO_CLOSE int fd = root;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return store_dir_new(path, steal_fd(&fd), flags, out, err);
    if (S_ISREG(st.st_mode))
        return store_zip_new(path, steal_fd(&fd), out, err);
    return err_set(err, ERR_UNSUPPORTED, "neither a directory nor a zip archive");
}

static int open_path(const char *path, unsigned flags, struct store **out, struct err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool far, here;

    *out = NULL;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "no such store");
    if (fd < 0)
        return err_set(err, ERR_IO, "%s", strerror(errno));
    far = file_is_far(fd);
    here = file_at_once(fd) != AT_ONCE_NOTHING;
    if (open_kind(path, fd, flags, out, err) != 0)
        return -1;
    atomic_init(&(*out)->far, far);
    (*out)->here = here;
    if ((*out)->ops->submit != NULL || fetch_threads_new(*out, &(*out)->threads) == 0)
        return 0;
    store_free(*out);
    *out = NULL;
    return err_nomem(err, "a store");
}

int store_open_with(const char *path, unsigned flags, struct store **out, struct err *err)
{
    return open_path(path, flags, out, err) == 0 ? 0 : err_name(err, "%s", path);
}

int store_open(const char *path, struct store **out, struct err *err)
{
    return store_open_with(path, 0, out, err);
}

void store_free(struct store *store)
{
    if (store == NULL)
        return;
    fetch_threads_free(store->threads);
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
