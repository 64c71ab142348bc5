/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse: messages about sites and calls that formats cannot show.
 */
#ifndef VCZFS_FORMAT_REFUSE_H
#define VCZFS_FORMAT_REFUSE_H

#include "encoderd/format/format.h"
#include "encoderd/format/misread.h"

/* Sites that cannot be shown, counted by a pass: one tally a piece, added up in store order.
 * Zero-initialise before; refuse_clear_tally at the end. */
struct refuse_tally {
    uint64_t n;
    struct buf first; /* the text about the first one */
};
void refuse_add(struct refuse_tally *sum, const struct refuse_tally *piece);
void refuse_clear_tally(struct refuse_tally *tally);

/* A site with more than two alleles. */
void refuse_count(struct refuse_tally *tally, const struct site *site);

/* ERR_DATA: the selection has such sites. */
int refuse_multiallelic(const struct selection *selection, const struct refuse_tally *tally,
                        struct err *err);

/* If a name of the site, which has at most two alleles, cannot be shown in its place, counts the
 * site and returns true. contig_why: the reason for its contig, as from misread_why. A site without
 * ALT has '.' there. */
struct site_places {
    enum misread_place id, allele;
};
bool refuse_count_names(struct refuse_tally *tally, const struct site *site, const char *contig_why,
                        const struct site_places *places);

/* ERR_DATA: there are such sites; `suffix` (".bim") cannot be made, and `without` (", or use
 * --no-bim ...") says how to do without it. */
int refuse_names(const struct selection *selection, const struct refuse_tally *tally,
                 const char *suffix, const char *without, struct err *err);

/* ERR_DATA if a sample ID of the selection cannot be in the file `suffix`, which the option
 * `without` omits. */
int refuse_samples(const struct selection *selection, enum misread_place place, const char *suffix,
                   const char *without, struct err *err);

#define REFUSE_PLACE_MAX 224

/* "chr19:112"; a name that is not plain is quoted. */
void refuse_show_place(const struct site *site, char out[REFUSE_PLACE_MAX]);

/* ERR_DATA that names the site and the sample of the run's first call that cannot be in a
 * two-allele record. scratch_max: for the reader that finds the site. */
int refuse_call(const struct format_view *view, size_t scratch_max, const struct call_run *run,
                struct err *err);

#endif
