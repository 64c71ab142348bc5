/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_file: the mount's status as hidden files, .vczfs-status (JSON) and .vczfs-status.txt,
 * which `vczfs status` reads. Each open gets the status at that moment. It asks the encoder for its
 * counters, but waits only a short time, because the encoder may be wedged.
 *
 * The files are found by name but not listed. They belong to the mount's owner, and only the owner
 * can read them.
 */
#ifndef VCZFS_FUSED_SERVE_STATUS_FILE_H
#define VCZFS_FUSED_SERVE_STATUS_FILE_H

#include "fused/encoder/link.h"
#include "fused/encoder/supervisor.h"
#include "fused/files/reads.h"
#include "fused/serve/fuse_api.h"

#define STATUS_NAME_JSON ".vczfs-status"
#define STATUS_NAME_TEXT ".vczfs-status.txt"

struct status_file;

/* Where the facts come from. All borrowed. */
struct status_file_config {
    struct event_base *base;
    const char *store, *dir;
    const char *log_path; /* NULL: standard error */
    const struct fs *fs;
    struct link *link;
    struct reads *reads;
    const struct probe *probe;
    const struct supervisor *supervisor;
};

struct status_file *status_file_new(const struct status_file_config *config, struct err *err);

/* Answers those that still wait with ENOTCONN. NULL is fine. */
void status_file_free(struct status_file *file);

/* The inode number of one of these names; 0 if it is neither. */
uint64_t status_ino(const char *name);

bool status_is(uint64_t ino);

/* Fills `out`; false if the inode is none of these files. */
bool status_stat(const struct fs *fs, uint64_t ino, struct stat *out);

/* Requests of the kernel for one of these inodes. */
void status_open(struct status_file *file, fuse_req_t req, uint64_t ino, struct fuse_file_info *fi);
void status_read(fuse_req_t req, const struct fuse_file_info *fi, uint64_t offset, size_t size);
void status_release(struct status_file *file, fuse_req_t req, const struct fuse_file_info *fi);

/* The encoder has sent its counters. */
void status_counters(struct status_file *file, const struct msg_counters *counters);

#endif
