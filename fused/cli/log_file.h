/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_file: where log lines go: stderr, the file of --log-file, or, for a mount in the background,
 * which has no terminal to complain on, a file of its own.
 */
#ifndef VCZFS_FUSED_CLI_LOG_FILE_H
#define VCZFS_FUSED_CLI_LOG_FILE_H

#include "fused/cli/options.h"

/* A descriptor to log to; -1 after a message on stderr if --log-file cannot be written. Of a mount
 * in the background without --log-file: the default file, or, after a warning, stderr, which will
 * lead nowhere. *path is where that is, owned by the caller; NULL for stderr. */
int log_file_open(const struct options *opt, char **path);

/* The default file of a mount on `dir`, which need not exist: $XDG_STATE_HOME/vczfs/DIR.log,
 * /var/log/vczfs for root or ~/.local/state/vczfs, where DIR is the path with '-' for '/'. Owned by
 * the caller; NULL if there is no such place. */
char *log_file_default(const char *dir);

#endif
