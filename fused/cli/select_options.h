/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select_options: prepares for the encoder the options that say which samples and variants to show.
 *
 * The front reads the files that these options name, because the encoder may not be able to: it
 * runs in a sandbox or as another user, and a later encoder may start after the files have been
 * deleted.
 */
#ifndef VCZFS_FUSED_CLI_SELECT_OPTIONS_H
#define VCZFS_FUSED_CLI_SELECT_OPTIONS_H

#include "common/err.h"

#include <stdbool.h>

/* As typed (strings of argv); NULL: not given. */
struct select_options {
    const char *regions, *regions_file;
    const char *targets, *targets_file;
    const char *regions_format, *targets_format;
    const char *samples, *samples_file;
    bool force_samples;
    const char *include, *exclude;
    const char *types, *exclude_types;
};

/* Packs the request into a sealed memfd (see proto/selection_request.h), which the caller closes.
 * *fd is -1 if nothing is selected. Returns -1, with a message, if a file cannot be read. */
int select_options_gather(const struct select_options *options, int *fd, struct err *err);

#endif
