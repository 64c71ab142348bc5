/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: reads and examines the files of directory and zip stores.
 */
#ifndef VCZFS_ZARR_STORE_FILE_H
#define VCZFS_ZARR_STORE_FILE_H

#include "encoderd/zarr/store/kind.h"

/* The size of parts that are read side by side. A long read from another machine takes several
 * round trips: the system asks for this much at a time, one after the other, if it treats the file
 * as local. Reads of parts of this size, made side by side, are sent at once. */
#define FILE_PART (UINT32_C(128) << 10)

/* What a file system can return without waiting. */
enum at_once {
    AT_ONCE_NOTHING, /* nothing, or not known: a server answers (NFS, FUSE) and may hang */
    AT_ONCE_CACHED,  /* what is in the page cache */
    AT_ONCE_ALL,     /* it is memory (tmpfs) */
};

/* Of the file system of this descriptor. */
enum at_once file_at_once(int fd);

/* Is that file system known to be served by another machine or another program? */
bool file_is_far(int fd);

/* Makes the system begin to read these bytes of a file, if a server answers for it, while the
 * caller does other work. Requests to the server in the meantime cost no extra time. */
void file_expect(const struct store *store, int fd, uint64_t offset, uint64_t n);

/* Reads exactly n bytes, or sets an error that names the file: the store's path, or path/key if key
 * is not NULL. If it may not wait but would have to, returns GOT_NOT_NOW. */
enum got file_read(const struct store *store, int fd, const char *key, uint64_t offset, void *to,
                   size_t n, bool may_wait, struct err *err);

#endif
