/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cleanup.h"
#include "common/log.h"
#include "common/open_files.h"
#include "common/signals.h"
#include "common/version.h"
#include "fused/cli/completion.h"
#include "fused/cli/help.h"
#include "fused/cli/log_file.h"
#include "fused/cli/option_parse.h"
#include "fused/verbs/verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens descriptors 0 to 2 if they are closed. Otherwise the first socket would become one of them,
 * and messages to stderr would go to it. */
static void open_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int usage_error(const struct options *opt, const struct err *err)
{
    const char *verb = opt->command.name;

    fprintf(stderr, "vczfs: %s\nTry 'vczfs %s%s--help'.\n", err->msg, verb,
            verb[0] != '\0' ? " " : "");
    return EXIT_USAGE;
}

static int run(const struct options *opt)
{
    AUTO_FREE char *log_path = NULL;
    const int log_fd = log_file_open(opt, &log_path);
    struct err err;
    int status;

    if (log_fd < 0)
        return EXIT_FAILURE;
    log_init("vczfs", opt->log_level, log_fd);
    if (open_files_raise(OPEN_FILES_LEAST, &err) != 0) {
        fprintf(stderr, "vczfs: %s\n", err.msg);
        return EXIT_FAILURE;
    }
    status = opt->verb == VERB_INFO ? verb_info(opt, log_fd) : verb_mount(opt, log_fd, log_path);
    if (log_fd != STDERR_FILENO)
        close(log_fd);
    return status;
}

static int print(struct buf *text)
{
    const bool ok = !text->failed && fwrite(text->data, 1, text->len, stdout) == text->len;

    buf_free(text);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int dispatch(const struct options *opt)
{
    struct buf text = {0};

    switch (opt->verb) {
    case VERB_HELP:
        help_make(&opt->command, &text);
        return print(&text);
    case VERB_COMPLETION:
        completion_make(&text);
        return print(&text);
    case VERB_VERSION:
        return puts("vczfs " VCZFS_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    case VERB_UNMOUNT:
        return verb_unmount(opt);
    case VERB_STATUS:
        return verb_status(opt);
    case VERB_MOUNT:
    case VERB_INFO:
        break;
    }
    return run(opt);
}

int main(int argc, char **argv)
{
    struct options opt;
    struct err err = {0};
    int status;

    open_standard_fds();
    signals_begin();
    if (options_parse(argc, argv, &opt, &err) != 0)
        status = usage_error(&opt, &err);
    else
        status = dispatch(&opt);
    options_free(&opt);
    if (fflush(stdout) != 0 && status == EXIT_SUCCESS)
        status = EXIT_FAILURE;
    return status;
}
