/* What vczfs does: one function a verb, each returning the process's exit status. */
#ifndef VCZFS_FUSED_VERBS_H
#define VCZFS_FUSED_VERBS_H

#include "fused/options.h"

#define EXIT_USAGE 2

/* log_fd is where the log goes; STDERR_FILENO if there is no --log-file. */
int verb_mount(const struct options *opt, int log_fd, const char *log_path);
int verb_unmount(const struct options *opt);
int verb_status(const struct options *opt);
int verb_info(const struct options *opt, int log_fd);

#endif
