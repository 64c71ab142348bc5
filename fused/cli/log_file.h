/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file: where log lines go: to stderr, or to the file of --log-file. A mount in the background
 * has no terminal, so without --log-file it gets a default file of its own.
 */
#ifndef VCZFS_FUSED_CLI_LOG_FILE_H
#define VCZFS_FUSED_CLI_LOG_FILE_H

#include "fused/cli/options.h"

/* A descriptor for log lines; -1, after a message on stderr, if --log-file cannot be written. A
 * mount in the background without --log-file gets the default file. If that cannot be opened, it
 * gets stderr after a warning that log lines will be lost. *path is the path of the file, owned by
 * the caller, or NULL for stderr. */
int log_file_open(const struct options *opt, char **path);

#endif
