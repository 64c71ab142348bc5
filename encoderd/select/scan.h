/*
 * scan: one parallel pass over the sites of a store, in order.
 *
 * Both the choice of rows and the sidecars come from the same pass: each thread reads ranges of
 * variants, decides what is kept, and lets the caller render the kept ones; the rendered pieces come
 * back in store order.
 */
#ifndef VCZFS_SELECT_SCAN_H
#define VCZFS_SELECT_SCAN_H

#include "common/buf.h"
#include "encoderd/select/selection.h"
#include "encoderd/vcz/sites.h"

struct scan {
    const struct vcz *vcz;
    const struct selection_options *options;
    unsigned nthreads;
    size_t scratch_max;
    /* Renders one kept site into the range's buffer. Any thread. Optional. */
    int (*render)(const struct site *site, struct buf *out, void *arg, struct err *err);
    /* Takes a range's rendered bytes, in store order. Optional. */
    int (*take)(const struct buf *bytes, void *arg, struct err *err);
    /* After each range: variants looked at so far. Non-zero stops the scan (ERR_PEER). Optional. */
    int (*progress)(uint64_t done, uint64_t total, void *arg);
    void *arg;
};

/* Runs the scan and fills *rows (rows_free by the caller). */
int scan_run(const struct scan *scan, struct rows *rows, struct err *err);

#endif
