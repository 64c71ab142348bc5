/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_open: the selection that a user's options make.
 */
#ifndef VCZFS_SELECT_SELECTION_OPEN_H
#define VCZFS_SELECT_SELECTION_OPEN_H

#include "common/option_file.h"
#include "encoderd/select/pass.h"
#include "encoderd/select/selection.h"

/* What the user asked for, as bcftools view and doc/FORMATS.md have it; everything is borrowed. A
 * NULL string, a file without text and a 0 were not given. */
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

/*
 * Makes the selection; a pass over the variants only if an option needs one, and only over the
 * arrays that the options name. ERR_USAGE for options that contradict each other or that the store
 * cannot answer, and when no sample is left; no variant left is a notice. resume: state_fd is what
 * selection_save made of an earlier, equal selection (borrowed), or -1 if it made nothing; then no
 * option is looked at.
 */
int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int state_fd, struct selection *out,
                   struct err *err);

#endif
