/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lazy: files that are made when somebody first looks them up, and the requests that wait for them.
 *
 * A lookup of such a file has to wait until the file is made, because its size is not known before.
 * The wait ends when the file is made, when the encoder says that it cannot be made, when a chunk
 * that it needs is condemned, when the encoder has made no progress for the timeout of a read, or
 * when the caller is interrupted.
 */
#ifndef VCZFS_FUSED_FILES_LAZY_H
#define VCZFS_FUSED_FILES_LAZY_H

#include "fused/files/fs.h"
#include "fused/files/outside.h"

struct lazy;

/* Answers a request that had to wait. errnum is 0 if the file is made. */
typedef void lazy_reply_fn(struct fuse_req *req, const struct fs_file *file, int errnum);

/* `outside` and `fs` are borrowed. */
struct lazy *lazy_new(const struct outside *outside, struct fs *fs, unsigned timeout_ms,
                      struct err *err);

/* Answers everybody. */
void lazy_free(struct lazy *lazy);

/* Makes a request wait for `file`, which is lazy and not ready. */
void lazy_wait(struct lazy *lazy, struct fuse_req *req, const struct fs_file *file,
               lazy_reply_fn *reply);

/* The link's handlers. */
void lazy_up(struct lazy *lazy);
void lazy_down(struct lazy *lazy);
void lazy_stale(struct lazy *lazy);
int lazy_sidecar(struct lazy *lazy, const struct msg_sidecar *sidecar, int fd, struct err *err);
void lazy_progress(struct lazy *lazy, uint64_t file);
int lazy_error(struct lazy *lazy, uint64_t file, const struct msg_error *error, struct err *err);

/* A probe has ended; files that wait for one ask again. */
void lazy_settled(struct lazy *lazy);

#endif
