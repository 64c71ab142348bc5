/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of vczfs: one function each, which returns the process's exit status. */
#ifndef VCZFS_FUSED_VERBS_VERBS_H
#define VCZFS_FUSED_VERBS_VERBS_H

#include "common/err.h"
#include "fused/cli/options.h"

#include <stdlib.h>

/* For a command line that is wrong for every store. If it depends on the store, the expression or
 * the system, the status is EXIT_FAILURE. */
#define EXIT_USAGE 2

static inline int verb_failure(const struct err *err)
{
    return err->code == ERR_FORM ? EXIT_USAGE : EXIT_FAILURE;
}

/* log_fd: where log lines go; STDERR_FILENO without --log-file. */
int verb_mount(const struct options *opt, int log_fd, const char *log_path);
int verb_unmount(const struct options *opt);
int verb_status(const struct options *opt);
int verb_info(const struct options *opt, int log_fd);

#endif
