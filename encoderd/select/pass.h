/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass: one parallel pass over the sites of a store, its results taken in store order.
 *
 * The choice of rows, the sidecars and whatever a format must know of every site before it can
 * mount are made by passes.
 */
#ifndef VCZFS_SELECT_PASS_H
#define VCZFS_SELECT_PASS_H

#include "encoderd/select/row_map.h"
#include "encoderd/vcz/sites.h"

struct chunk_table;
struct notices;

/* How an open may use the machine, and how it says where it is. */
struct pass_means {
    unsigned nthreads;
    size_t scratch_max;  /* of each thread's decoder */
    struct spill *spill; /* for the store that is opened: see store_set_spill */
    /* done <= total; called on any thread, one call at a time, at most every 50 ms or so and once
     * at the end. Non-zero ends the pass with ERR_PEER: nobody waits for it any more. Optional. */
    int (*progress)(const char *what, uint64_t done, uint64_t total, void *arg);
    void *progress_arg;
    struct notices *notices; /* what the user should hear (common/notices.h); optional */
    struct chunk_table
        *table; /* borrowed; kept from one pass over whole sites to the next; optional */
};

/* Says how far a piece of work has come; also used by work that is no pass over sites. */
struct pass_progress {
    const struct pass_means *means;
    const char *what;
    uint64_t done, total;
    int64_t last_said_ns; /* 0 at first */
};
int pass_progress_add(struct pass_progress *progress, uint64_t done, struct err *err);

/* How many variants a thread takes at a time where `chunk` of them are decoded together. */
uint64_t pass_stride(uint64_t chunk);

struct pass {
    const struct vcz *vcz;
    const struct row_map *rows; /* only these; NULL: every variant of the store, a row each */
    const char *what;           /* for progress: "reading sites" */
    unsigned parts;             /* of a site that are read (sites_reader_of); 0: all */
    size_t piece_size; /* bytes of what one range of variants yields; zeroed before `site` */
    /* Looks at a row and its site. Any thread; calls for one piece never overlap and come in the
     * order of the rows. */
    int (*site)(const struct site *site, const struct output_row *row, void *piece, void *arg,
                struct err *err);
    /* Takes a range's piece, in store order, one call at a time. */
    int (*take)(void *piece, void *arg, struct err *err);
    /* Frees what a piece owns, after take or instead of it. Optional. */
    void (*clear)(void *piece);
    void *arg;
};

int pass_run(const struct pass *pass, const struct pass_means *means, struct err *err);

#endif
