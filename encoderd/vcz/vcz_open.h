/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcz_open: opens a VCF Zarr store, and judges each of its parts.
 */
#ifndef VCZFS_VCZ_VCZ_OPEN_H
#define VCZFS_VCZ_VCZ_OPEN_H

#include "encoderd/vcz/vcz.h"

/*
 * Opens and checks a whole store: the required arrays and the optional ones, their dtypes and
 * shapes, ploidy 1 or 2, at least one sample, no duplicate sample ID. Any fault is an error. Errors
 * name the store and the array. scratch_max: for the decoder that reads the small arrays.
 */
int vcz_open(const char *path, size_t scratch_max, struct vcz **out, struct err *err);

/* Options of vcz_open_with. */
struct vcz_opening {
    unsigned store_flags; /* of store_open_with */
    struct spill *spill;  /* for store_set_spill */
    int64_t since;        /* for store_watch_from; INT64_MAX to look for no changes */
    size_t scratch_max;
    bool sites_soon; /* all sites will be read next, so their chunks are requested: early.h */
};

/* The same, with options; but faults of the store's parts are kept, for vcz_need. It is an error if
 * the path is no VCF Zarr store at all (the message says what it is instead), or if the system
 * fails. */
int vcz_open_with(const char *path, const struct vcz_opening *how, struct vcz **out,
                  struct err *err);

/* To be called when the store has begun to be watched (store_watch_from): ends what was asked for
 * early, and forgets which chunks were absent before. If the store is being written, forgets also
 * which files chunks were in: a file that took the place of one of them may look as old. */
void vcz_watched(struct vcz *vcz, bool is_written);

/* To be called when a view is open: closes the chunks that were opened for that, and frees the
 * metadata texts. No pass may use the table any more. */
void vcz_forget(struct vcz *vcz);

void vcz_free(struct vcz *vcz);

#endif
