/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_end: finds the directory of an archive from the archive's end, and reports damage in its
 * parts.
 */
#ifndef VCZFS_ZARR_STORE_ZIP_END_H
#define VCZFS_ZARR_STORE_ZIP_END_H

#include "encoderd/zarr/store/zip_source.h"

/* Archives with longer directories are refused. This is enough for three million members, as half a
 * million samples in bio2zarr's chunks have. */
#define ZIP_DIR_NBYTES_MAX ((uint64_t)256 << 20)

/* A member's entry in the directory, without its names. */
#define ZIP_ENTRY_NBYTES ((size_t)46)
#define ZIP_DAMAGED      "the archive is damaged: make it anew or unpack it"

struct zip_bounds {
    uint64_t begin, nbytes, nmembers;
};

/* Finds and checks the directory: it is within the archive, long enough for its members, and at
 * most ZIP_DIR_NBYTES_MAX. */
int zip_read_end(const struct zip_source *source, struct zip_bounds *out, struct err *err);

/* ERR_CORRUPT; -1. */
int zip_corrupt(const char *what, struct err *err);

#endif
