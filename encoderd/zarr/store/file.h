/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: reading and examining the files that directory and zip stores consist of.
 */
#ifndef VCZFS_ZARR_STORE_FILE_H
#define VCZFS_ZARR_STORE_FILE_H

#include "encoderd/zarr/store/kind.h"

/* A long read of a file on another machine is no one round trip: where the system takes the file
 * for a local one it asks for this much at a time, one after the other. Parts of this size, read
 * side by side, are asked for at once. */
#define FILE_PART (UINT32_C(128) << 10)

/* What can be had of a store's file system without waiting. */
enum at_once {
    AT_ONCE_NOTHING, /* or it cannot tell: a server answers for it (NFS, FUSE), and may hang */
    AT_ONCE_CACHED,  /* it tells what is in the page cache */
    AT_ONCE_ALL,     /* it is memory (tmpfs) */
};

/* Of the file system of this descriptor. */
enum at_once file_at_once(int fd);

/* Has the system begin to read these bytes of a file that a server answers for, behind the caller's
 * back: what is asked of the server meanwhile takes no time of its own. */
void file_expect(const struct store *store, int fd, uint64_t offset, uint64_t n);

/* Exactly n bytes, or an error that names the file: the store's path, or path/key where key is not
 * NULL. Where it may not wait, what is not there at once is GOT_NOT_NOW. */
enum got file_read(const struct store *store, int fd, const char *key, uint64_t offset, void *to,
                   size_t n, bool may_wait, struct err *err);

#endif
