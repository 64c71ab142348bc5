/*
 * selection: what a view shows of a store: samples and variants.
 */
#ifndef VCZFS_SELECT_SELECTION_H
#define VCZFS_SELECT_SELECTION_H

#include "common/notices.h"
#include "common/option_file.h"
#include "encoderd/select/pass.h"
#include "encoderd/select/row_map.h"
#include "encoderd/vcz/vcz.h"

/* What the user asked for, as bcftools view and doc/FORMATS.md have it; everything is borrowed. A NULL string,
 * a file without text and a 0 were not given. */
struct selection_options {
    uint64_t min_alleles, max_alleles; /* listed alleles, REF counted */
    const char *regions;               /* "chr1:5-9,chr2" */
    const char *targets;               /* the same, '^' first for what is outside */
    const char *samples;               /* "A,B", '^' first for all others */
    /* Contents of files; `name` as given, with its '^'. */
    struct option_file regions_file, targets_file, samples_file;
    const char *regions_format, *targets_format; /* of the files: see region_format_named */
    bool force_samples;
    const char *include, *exclude;             /* expressions */
    const char *include_types, *exclude_types; /* "snps,indels" */
    const struct option_file *files;           /* what @NAME in an expression means */
    size_t nfiles;
};

struct selection {
    const struct vcz *vcz; /* borrowed */
    /* Samples in output order. */
    uint64_t nsamples;
    const uint64_t *sample_column; /* column in call_genotype of output sample i */
    const struct str *sample_id;   /* the text is vcz's */
    /* What those two point to where samples were chosen; else it is vcz's. */
    uint64_t *own_column; /* owned */
    struct str *own_id;   /* owned */
    /* Output sample i is column first_column + i for every i: no gather is needed. */
    bool contiguous;
    uint64_t first_column;
    bool store_order; /* sample_column ascends */
    /* Columns in ascending order, and which output sample each is. NULL when contiguous; owned. */
    uint64_t *sorted_column, *sorted_sample;
    struct row_map rows;
    struct notices
        notices; /* for the user: unknown samples that were left out, no variant left, ... */
};

/*
 * Makes the selection; a pass over the variants only if an option needs one, and only over the arrays that
 * the options name. ERR_USAGE for options that contradict each other or that the store cannot answer, and
 * when no sample is left; no variant left is a notice.
 * resume: state_fd is what selection_save made of an earlier, equal selection (borrowed), or -1 if it
 * made nothing; then no option is looked at.
 */
int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int state_fd, struct selection *out,
                   struct err *err);
void selection_close(struct selection *selection);

/* What resuming needs, in a sealed memfd; *fd is -1 if that is nothing: all samples and variants. */
int selection_save(const struct selection *selection, int *fd, struct err *err);

#endif
