/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_threads: threads that wait for a store, so that nobody else has to.
 *
 * A range is read in parts (object.part), oldest range first. So many parts are read at a time,
 * each by a thread, that a disk or a server which answers late is kept busy. An object may take
 * another thread only while more are free than it has: one alone gets half of them, and several
 * that hang leave some for those that do not. Beyond that there are a few for objects that have
 * none at all. Threads are started when they are needed, and end when there is nothing to do for a
 * while.
 */
#ifndef VCZFS_ZARR_STORE_FETCH_THREADS_H
#define VCZFS_ZARR_STORE_FETCH_THREADS_H

#include "encoderd/zarr/store/kind.h"

struct fetch_threads;

/* No thread is started. -1: out of memory. */
int fetch_threads_new(const struct store *store, struct fetch_threads **out);
/* Waits for what is being read; nothing may wait in line. NULL is none. */
void fetch_threads_free(struct fetch_threads *threads);

/* As store_submit and store_withdraw. */
void fetch_submit(struct fetch_threads *threads, struct store_range *range);
bool fetch_withdraw(struct fetch_threads *threads, struct store_range *range);

unsigned fetch_in_flight_max(const struct fetch_threads *threads);
void fetch_in_flight(struct fetch_threads *threads, unsigned *now, unsigned *most);

#endif
