/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass: one parallel pass over the sites of a store. Its results are taken in store order.
 *
 * Passes make the choice of rows, the sidecars, and whatever a format must know about every site
 * before it can be mounted.
 */
#ifndef VCZFS_SELECT_PASS_H
#define VCZFS_SELECT_PASS_H

#include "encoderd/select/row_map.h"
#include "encoderd/vcz/sites.h"

struct notices;

/* The resources for opening a view, and how its progress is reported. */
struct pass_means {
    unsigned nthreads;
    size_t scratch_max;  /* of each thread's decoder */
    struct spill *spill; /* for the store that is opened: see store_set_spill */
    /* done <= total. Called on any thread, one call at a time, at most every 50 ms or so and once
     * at the end. If it returns non-zero, the pass ends with ERR_PEER: nobody waits for it any
     * more. Optional. */
    int (*progress)(const char *what, uint64_t done, uint64_t total, void *arg);
    void *progress_arg;
    struct notices *notices; /* messages for the user (common/notices.h); optional */
};

/* Reports the progress of some work, which need not be a pass over sites. */
struct pass_progress {
    const struct pass_means *means;
    const char *what;
    uint64_t done, total;
    int64_t last_said_ns; /* 0 at first */
};
int pass_progress_add(struct pass_progress *progress, uint64_t done, struct err *err);

/* How many variants a thread takes at a time, if `chunk` of them are decoded together. */
uint64_t pass_stride(uint64_t chunk);

struct pass {
    const struct vcz *vcz;
    /* only these rows; NULL: every variant of the store, one row each */
    const struct row_map *rows;
    const char *what;  /* for progress: "reading sites" */
    unsigned parts;    /* parts of a site to read (sites_reader_of); 0: all */
    size_t piece_size; /* bytes of the result of one range of variants; zeroed before `site` */
    /* Adds a row and its site to the range's piece. Called on any thread; calls for one piece never
     * overlap and come in the order of the rows. */
    int (*site)(const struct site *site, const struct output_row *row, void *piece, void *arg,
                struct err *err);
    /* Takes the piece of a range, in store order, one call at a time. */
    int (*take)(void *piece, void *arg, struct err *err);
    /* Frees what a piece owns, after `take` or instead of it. Optional. */
    void (*clear)(void *piece);
    void *arg;
};

int pass_run(const struct pass *pass, const struct pass_means *means, struct err *err);

#endif
