/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cleanup.h"
#include "common/log.h"
#include "common/time_slice.h"
#include "fused/process/background.h"
#include "fused/verbs/mount_impl.h"
#include "fused/verbs/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void free_mount(struct mount *mount)
{
    fs_free(&mount->fs);
    free(mount->store);
    free(mount->dir);
    free(mount->encoder);
    free(mount->encoder_socket);
    if (mount->dir_fd >= 0)
        close(mount->dir_fd);
    if (mount->selection_fd >= 0)
        close(mount->selection_fd);
}

static int serve(struct mount *mount)
{
    AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    fs_init(&mount->fs);
    progress_init(&mount->progress);
    if (null < 0)
        err_sys(&mount->err, ERR_SYSTEM, errno, "/dev/null");
    else if (mount_make_parts(mount, null, &mount->err) == 0) {
        time_slice_ask_short();
        link_start(mount->link);
        event_base_dispatch(mount->base);
    }
    progress_clear(&mount->progress);
    mount_take_down(mount);
    return mount->err.code == ERR_NONE ? 0 : -1;
}

static int run(struct mount *mount)
{
    if (mount_check(mount, &mount->err) != 0) {
        service_failed(NULL, mount->err.msg);
        return -1;
    }
    if (mount->opt->background) {
        mount->status_fd = background_fork(mount->handed ? NULL : mount->dir, &mount->err);
        if (mount->status_fd < 0)
            return -1;
    }
    return serve(mount);
}

int verb_mount(const struct options *opt, int log_fd, const char *log_path)
{
    struct mount mount = {.opt = opt,
                          .log_fd = log_fd,
                          .log_path = log_path,
                          .status_fd = -1,
                          .dir_fd = -1,
                          .selection_fd = -1};
    int status = EXIT_SUCCESS;

    /* These signals end a mount even if a script's shell has set them to be ignored, and even while
     * the mount waits for a pipe. */
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (run(&mount) != 0) {
        fprintf(stderr, "vczfs: %s\n", mount.err.msg);
        if (log_fd != STDERR_FILENO)
            log_error("%s", mount.err.msg);
        status = verb_failure(&mount.err);
    }
    free_mount(&mount);
    if (mount.status_fd >= 0)
        close(mount.status_fd);
    return status;
}
