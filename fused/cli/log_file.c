/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/log_file.h"

#include "common/append.h"
#include "common/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX (4 << 20) /* bytes; a longer file of earlier mounts is renamed to FILE.1 */

/* The folder of default files; owned by the caller, NULL if there is none. */
static char *state_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (state != NULL && state[0] == '/')
        n = asprintf(&path, "%s/vczfs", state);
    else if (getuid() == 0)
        n = asprintf(&path, "/var/log/vczfs");
    else if (home != NULL && home[0] == '/')
        n = asprintf(&path, "%s/.local/state/vczfs", home);
    return n < 0 ? NULL : path;
}

/* The default file for a mount on `dir`, which need not exist. It is DIR.log, where DIR is the path
 * with '-' for '/', in $XDG_STATE_HOME/vczfs, or else in /var/log/vczfs for root and
 * ~/.local/state/vczfs for others. Owned by the caller; NULL if there is no such folder. */
static char *default_path(const char *dir)
{
    AUTO_FREE char *real = realpath(dir, NULL);
    AUTO_FREE char *name = strdup(real != NULL ? real : dir);
    AUTO_FREE char *folder = state_folder();
    const char *begin;
    char *path;

    if (name == NULL || folder == NULL)
        return NULL;
    for (char *at = name; *at != '\0'; at++)
        if (*at == '/')
            *at = '-';
    begin = name + strspn(name, "-");
    return asprintf(&path, "%s/%s.log", folder, begin[0] != '\0' ? begin : "root") < 0 ? NULL
                                                                                       : path;
}

static int open_default(const char *dir, char **path)
{
    int fd = -1;

    *path = default_path(dir);
    if (*path != NULL)
        fd = append_open_made(*path, KEPT_MAX);
    if (fd >= 0)
        return fd;
    fprintf(stderr, "vczfs: there will be no log of this mount (see --log-file)%s%s: %s\n",
            *path != NULL ? ": " : "", *path != NULL ? *path : "",
            *path != NULL ? strerror(errno) : "no place for it is known");
    free(*path);
    *path = NULL;
    return STDERR_FILENO;
}

int log_file_open(const struct options *opt, char **path)
{
    int fd;

    *path = NULL;
    if (opt->log_file == NULL)
        return opt->background ? open_default(opt->dir, path) : STDERR_FILENO;
    fd = append_open(opt->log_file);
    if (fd < 0)
        fprintf(stderr, "vczfs: cannot write to the log file '%s': %s\n", opt->log_file,
                strerror(errno));
    else
        *path = realpath(opt->log_file, NULL);
    return fd;
}
