/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_threads: threads that wait for a store, so that the callers' threads need not.
 *
 * A range is read in parts (object.part), the oldest range first. Many parts are read at the same
 * time, each by one thread, so that a slow disk or server is kept busy. An object may get another
 * thread only while more threads are free than it has. So a single object gets half of them, and
 * objects that hang leave threads for others. A few more threads are reserved for objects that have
 * none. Threads start when they are needed, and end when there was nothing to do for a while.
 */
#ifndef VCZFS_ZARR_STORE_FETCH_THREADS_H
#define VCZFS_ZARR_STORE_FETCH_THREADS_H

#include "encoderd/zarr/store/kind.h"

struct fetch_threads;

/* Starts no thread yet. -1: out of memory. */
int fetch_threads_new(const struct store *store, struct fetch_threads **out);
/* Waits for reads in progress. No range may be in the line. NULL is ignored. */
void fetch_threads_free(struct fetch_threads *threads);

/* As store_submit and store_withdraw. */
void fetch_submit(struct fetch_threads *threads, struct store_range *range);
bool fetch_withdraw(struct fetch_threads *threads, struct store_range *range);

unsigned fetch_in_flight_max(const struct fetch_threads *threads);
unsigned fetch_most_in_flight(struct fetch_threads *threads);

#endif
