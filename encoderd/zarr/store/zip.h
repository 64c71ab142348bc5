/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip: reads the directory of a zip archive without trusting it.
 *
 * Format: PKWARE APPNOTE 6.3, with zip64. The central directory is read once, in pieces, and
 * everything is checked: names are plain relative paths; members lie one after another before the
 * directory and do not overlap; sizes are possible for deflate. Of several members with one name
 * the last in the directory counts. Each member takes 48 bytes of memory and its name, which is
 * less than twice its size in the directory.
 */
#ifndef VCZFS_ZARR_STORE_ZIP_H
#define VCZFS_ZARR_STORE_ZIP_H

#include "encoderd/zarr/store/zip_source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zip_member {
    uint64_t header; /* offset of its local header */
    uint64_t end;    /* the member ends before this offset */
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

/* The first member whose name is not before this name. */
size_t zip_lower_bound(const struct zip_dir *dir, const char *name, size_t len);

/* NULL if there is none. */
const struct zip_member *zip_find(const struct zip_dir *dir, const char *name, size_t len);

bool zip_has_prefix(const struct zip_dir *dir, const struct zip_member *member, const char *prefix,
                    size_t len);

/* Finds where the member's bytes begin, after comparing its local header with the directory. */
int zip_member_data(const struct zip_source *source, const struct zip_dir *dir,
                    const struct zip_member *member, uint64_t *out, struct err *err);

#endif
