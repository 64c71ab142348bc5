/*
 * refuse: what formats say of sites and calls that they cannot show.
 */
#ifndef VCZFS_FORMAT_REFUSE_H
#define VCZFS_FORMAT_REFUSE_H

#include "encoderd/format/format.h"

/* Sites with more than two alleles, counted by a pass: one tally a piece, added up in store order.
 * Zero-initialise; refuse_clear_tally. */
struct refuse_tally {
    uint64_t nmulti;
    struct buf first; /* "first: chr19:112, variant 2" */
};
void refuse_count(struct refuse_tally *tally, const struct site *site);
void refuse_add(struct refuse_tally *sum, const struct refuse_tally *piece);
void refuse_clear_tally(struct refuse_tally *tally);

/* ERR_DATA: there are such sites among the selection's. */
int refuse_multiallelic(const struct selection *selection, const struct refuse_tally *tally,
                        struct err *err);

/* ERR_DATA: the ID of the selection's sample `i` would break the columns of the sidecar `suffix`, which
 * the option `without` leaves out. */
int refuse_sample(const struct selection *selection, uint64_t i, const char *suffix,
                  const char *without, struct err *err);

#define REFUSE_PLACE_MAX 224

/* "chr19:112", with a name that is not plain quoted. */
void refuse_show_place(const struct site *site, char out[REFUSE_PLACE_MAX]);

/* ERR_DATA naming the site and the sample of the run's first call that no two-allele record can have.
 * scratch_max: for the reader that looks the site up. */
int refuse_call(const struct format_view *view, size_t scratch_max, const struct call_run *run,
                struct err *err);

#endif
