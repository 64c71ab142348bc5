/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select_options: the options that say which samples and variants, made ready for the encoder.
 *
 * Files that they name are read here: the encoder is in a sandbox, or another user, or on its
 * second life when they are long gone.
 */
#ifndef VCZFS_FUSED_CLI_SELECT_OPTIONS_H
#define VCZFS_FUSED_CLI_SELECT_OPTIONS_H

#include "common/err.h"

#include <stdbool.h>

/* As typed; argv's; NULL: not given. */
struct select_options {
    const char *regions, *regions_file;
    const char *targets, *targets_file;
    const char *regions_format, *targets_format;
    const char *samples, *samples_file;
    bool force_samples;
    const char *include, *exclude;
    const char *types, *exclude_types;
};

/* The request in a sealed memfd (see proto/selection_request.h) for the caller to close; -1 and no
 * error if nothing was asked for. Returns -1 with a message when a file cannot be read. */
int select_options_gather(const struct select_options *options, int *fd, struct err *err);

#endif
