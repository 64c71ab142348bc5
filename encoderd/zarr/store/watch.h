/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: whether a store's files changed while a view is open (watch.c says how), and what
 * identifies a file.
 */
#ifndef VCZFS_ZARR_STORE_WATCH_H
#define VCZFS_ZARR_STORE_WATCH_H

#include "encoderd/zarr/store/kind.h"

#include <time.h>

struct stat;

/* Call it at the very beginning of opening a store. */
void store_watch_init(struct store_watch *watch);

/* ERR_CHANGED if what was just read (`st` is its present state) changed after the moment given to
 * store_watch_from. Before that call it only records the time for store_opened. */
int store_watch_check(const struct store *store, const char *key, const struct stat *st,
                      struct err *err);

/* In nanoseconds; the largest or smallest number for times beyond. */
int64_t store_ns(const struct timespec *ts);

/* Adds what distinguishes the present state of a file from another state, or from another file in
 * its place, and is the same in every process. The inode number is left out, because some file
 * systems invent it. */
void store_add_facts(const struct stat *st, void (*add)(const void *data, size_t n, void *arg),
                     void *arg);

#endif
