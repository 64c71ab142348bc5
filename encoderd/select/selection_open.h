/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_open: the selection that a user's options make.
 */
#ifndef VCZFS_SELECT_SELECTION_OPEN_H
#define VCZFS_SELECT_SELECTION_OPEN_H

#include "common/option_file.h"
#include "encoderd/select/pass.h"
#include "encoderd/select/selection.h"

/* The user's options, with the meaning that bcftools view and doc/FORMATS.md give them. Everything
 * is borrowed. An option that was not given is NULL, a file without text, or 0. */
struct selection_options {
    uint64_t min_alleles, max_alleles; /* listed alleles, REF counted */
    const char *regions;               /* "chr1:5-9,chr2" */
    const char *targets;               /* the same; with '^' first, variants outside of them */
    const char *samples;               /* "A,B"; with '^' first, all others */
    /* Contents of files; `name` as given, with its '^'. */
    struct option_file regions_file, targets_file, samples_file;
    const char *regions_format, *targets_format; /* of the files: see region_format_named */
    bool force_samples;
    const char *include, *exclude;             /* expressions */
    const char *include_types, *exclude_types; /* "snps,indels" */
    const struct option_file *files;           /* the files that @NAME in an expression means */
    size_t nfiles;
};

/*
 * Makes the selection. It makes a pass over the variants only if an option needs one, and reads
 * only the arrays that the options need. ERR_USAGE if options contradict each other, if the store
 * cannot answer them, or if no sample is left; no variant left is a notice.
 *
 * resume: state_fd (borrowed) was made by selection_save from an equal selection, or is -1 if that
 * made nothing. The options are then not used.
 */
int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int state_fd, struct selection *out,
                   struct err *err);

#endif
