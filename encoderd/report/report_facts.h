/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_facts: the facts of a report, before they are printed as text or JSON.
 */
#ifndef VCZFS_REPORT_REPORT_FACTS_H
#define VCZFS_REPORT_REPORT_FACTS_H

#include "encoderd/format/format.h"
#include "encoderd/select/selection_open.h"

struct report_array {
    char *name;               /* owned */
    struct zarr_array *array; /* owned; NULL if its metadata cannot be read: see why */
    struct err why;
    uint64_t stored_nobjects, stored_nbytes;
    uint64_t decoded_nbytes; /* if known: strings have no fixed size */
    bool decoded_known;
};

struct report_file {
    const char *suffix;
    uint64_t nbytes;
    bool lazy; /* made when it is first looked up: nbytes is not known */
};

/* One format's view of the store. */
struct report_view {
    const char *name;
    bool refused; /* the view cannot be mounted: see why */
    struct err why;
    /* every site was looked at: the list of files is complete, and the view can be mounted */
    bool scanned;
    struct report_file files[FORMAT_SIDECARS_MAX + 1];
    size_t nfiles;
};

#define REPORT_VIEWS_MAX 8

struct report_facts {
    uint64_t stored_nobjects, stored_nbytes; /* of the whole store */
    uint64_t *contig_nvariants;              /* owned; one for each contig of the store */
    /* ERR_NONE, or why the contigs' counts are not known */
    struct err contigs_why;
    struct report_array *arrays; /* owned */
    size_t narrays;
    /* the selection could be made, so a view is possible */
    bool selected;
    uint64_t shown_nsamples, shown_nvariants; /* of the selection */
    struct report_view views[REPORT_VIEWS_MAX];
    size_t nviews;
};

/* *out is zero-initialised before. Call report_facts_clear afterwards, also if this failed. */
int report_facts_gather(const struct vcz *vcz, const struct selection_options *options,
                        const struct format_options *formats, const struct pass_means *means,
                        struct report_facts *out, struct err *err);
void report_facts_clear(struct report_facts *facts);

/* Appends one JSON object and a newline. */
int report_json(const struct vcz *vcz, const struct report_facts *facts, struct buf *out,
                struct err *err);

#endif
