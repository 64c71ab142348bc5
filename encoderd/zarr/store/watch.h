/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: whether a store's files changed under a view (watch.c says how), and what identifies a
 * file.
 */
#ifndef VCZFS_ZARR_STORE_WATCH_H
#define VCZFS_ZARR_STORE_WATCH_H

#include "encoderd/zarr/store/kind.h"

#include <time.h>

struct stat;

/* At the very beginning of opening a store. */
void store_watch_init(struct store_watch *watch);

/* ERR_CHANGED if what was just read (`st`: as it is now) changed after the moment that is watched
 * from. Before there is one, what is seen is taken into account for store_opened. */
int store_watch_check(const struct store *store, const char *key, const struct stat *st,
                      struct err *err);

/* Nanoseconds, or the largest or smallest number where they are beyond. */
int64_t store_ns(const struct timespec *ts);

/* What tells a file from another state of it, or from another file in its place, and is the same
 * whoever looks: not its inode's number, which some file systems make up as they go. */
void store_add_facts(const struct stat *st, void (*add)(const void *data, size_t n, void *arg),
                     void *arg);

#endif
