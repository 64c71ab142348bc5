/* SPDX-License-Identifier: Apache-2.0 */
/* What vczfs does: one function a verb, each returning the process's exit status. */
#ifndef VCZFS_FUSED_VERBS_VERBS_H
#define VCZFS_FUSED_VERBS_VERBS_H

#include "common/err.h"
#include "fused/cli/options.h"

#include <stdlib.h>

/* What was typed is never right; EXIT_FAILURE is what the store, the expression or the system
 * decides. */
#define EXIT_USAGE 2

static inline int verb_failure(const struct err *err)
{
    return err->code == ERR_FORM ? EXIT_USAGE : EXIT_FAILURE;
}

/* log_fd is where the log goes; STDERR_FILENO if there is no --log-file. */
int verb_mount(const struct options *opt, int log_fd, const char *log_path);
int verb_unmount(const struct options *opt);
int verb_status(const struct options *opt);
int verb_info(const struct options *opt, int log_fd);

#endif
