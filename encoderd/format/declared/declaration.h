/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declaration: the declaration of an output format for both programs, in one place: its name, its
 * files and its options.
 */
#ifndef VCZFS_FORMAT_DECLARATION_H
#define VCZFS_FORMAT_DECLARATION_H

#include "common/option_spec.h"

#define FORMAT_SUFFIXES_MAX 5

struct declared_format {
    const char *name;  /* "plink": mount-plink, --formats plink, and the format on the wire */
    const char *title; /* of its options in the help */
    const char *shown; /* what a view is: "a PLINK 1 fileset" */
    const char *suffixes[FORMAT_SUFFIXES_MAX + 1]; /* of its files; the stream's first */
    const struct option_spec *options;
    size_t noptions;
};

/* Options of more than one format. */
#define DECLARED_FID                                                                               \
    {                                                                                              \
        .name = "fid", .kind = OPTION_WORD, .argument = "ID|0", .words = {"ID", "0"},              \
        .otherwise = "ID", .help = "the family ID of each sample: its ID again, or 0"              \
    }

#endif
