/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse: what formats say of sites and calls that they cannot show.
 */
#ifndef VCZFS_FORMAT_REFUSE_H
#define VCZFS_FORMAT_REFUSE_H

#include "encoderd/format/format.h"
#include "encoderd/format/misread.h"

/* Sites that cannot be shown, counted by a pass: one tally a piece, added up in store order.
 * Zero-initialise; refuse_clear_tally. */
struct refuse_tally {
    uint64_t n;
    struct buf first; /* what is said of the first one */
};
void refuse_add(struct refuse_tally *sum, const struct refuse_tally *piece);
void refuse_clear_tally(struct refuse_tally *tally);

/* A site with more than two alleles. */
void refuse_count(struct refuse_tally *tally, const struct site *site);

/* ERR_DATA: there are such sites among the selection's. */
int refuse_multiallelic(const struct selection *selection, const struct refuse_tally *tally,
                        struct err *err);

/* Counts a site of two alleles at most if a name of it cannot stand in its place; true if so.
 * contig_why: of its contig, as misread_why. A site without ALT has '.' there. */
struct site_places {
    enum misread_place id, allele;
};
bool refuse_count_names(struct refuse_tally *tally, const struct site *site, const char *contig_why,
                        const struct site_places *places);

/* ERR_DATA: there are such sites; `suffix` (".bim") cannot be made, and `without` (", or use
 * --no-bim ...") says how to do without it. */
int refuse_names(const struct selection *selection, const struct refuse_tally *tally,
                 const char *suffix, const char *without, struct err *err);

/* ERR_DATA if any of the selection's sample IDs cannot stand in the file `suffix`, which the option
 * `without` leaves out. */
int refuse_samples(const struct selection *selection, enum misread_place place, const char *suffix,
                   const char *without, struct err *err);

#define REFUSE_PLACE_MAX 224

/* "chr19:112", with a name that is not plain quoted. */
void refuse_show_place(const struct site *site, char out[REFUSE_PLACE_MAX]);

/* ERR_DATA naming the site and the sample of the run's first call that no two-allele record can
 * have. scratch_max: for the reader that looks the site up. */
int refuse_call(const struct format_view *view, size_t scratch_max, const struct call_run *run,
                struct err *err);

#endif
