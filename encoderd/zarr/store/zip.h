/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip: the directory of a zip archive, read with suspicion.
 *
 * Format: PKWARE APPNOTE 6.3, with zip64. The central directory is read once, in pieces, and
 * checked before anything is believed: names that are plain relative paths; members that lie one
 * after another before the directory, none over another; sizes that deflate can have made. Of
 * members of one name the directory's last counts. Kept are 48 bytes a member and its name, which
 * is less than twice what the directory itself has in the file.
 */
#ifndef VCZFS_ZARR_STORE_ZIP_H
#define VCZFS_ZARR_STORE_ZIP_H

#include "encoderd/zarr/store/zip_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zip_member {
    uint64_t header; /* where its local header is */
    uint64_t end;    /* nothing of it lies there or behind */
    uint64_t stored_nbytes, nbytes;
    uint32_t crc32;
    uint32_t name; /* its place in names */
    uint16_t name_len;
    bool deflated;
};

struct zip_dir {
    struct zip_member *members; /* owned; in byte order of their names */
    size_t n;
    char *names; /* owned; not terminated */
    size_t names_len;
};

/* Reads and checks the directory. The caller clears *out. */
int zip_dir_read(const struct zip_source *source, struct zip_dir *out, struct err *err);
void zip_dir_clear(struct zip_dir *dir);

/* The first member whose name is not before this one. */
size_t zip_lower_bound(const struct zip_dir *dir, const char *name, size_t len);

/* NULL if there is none. */
const struct zip_member *zip_find(const struct zip_dir *dir, const char *name, size_t len);

bool zip_has_prefix(const struct zip_dir *dir, const struct zip_member *member, const char *prefix,
                    size_t len);

/* Where the member's bytes begin, once its local header has been held against the directory. */
int zip_member_data(const struct zip_source *source, const struct zip_dir *dir,
                    const struct zip_member *member, uint64_t *out, struct err *err);

#endif
