/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/mount_impl.h"

#include "fused/cli/select_options.h"
#include "fused/encoder/encoder_start.h"
#include "fused/mounts/preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_dir(struct mount *mount, struct err *err)
{
    const struct options *opt = mount->opt;

    mount->handed = preflight_is_descriptor(opt->dir);
    if (mount->handed) {
        mount->dir = strdup(opt->dir);
        return mount->dir == NULL ? err_nomem(err, "the name of the mount point")
                                  : preflight_descriptor(opt->dir, err);
    }
    if (preflight_fuse(opt->allow_other, err) != 0)
        return -1;
    mount->dir = preflight_dir(opt->dir, &mount->dir_fd, err);
    return mount->dir == NULL ? -1 : 0;
}

int mount_check(struct mount *mount, struct err *err)
{
    const struct options *opt = mount->opt;

    if (preflight_order(opt->store, opt->dir, err) != 0 ||
        (mount->store = preflight_store(opt->store, err)) == NULL || check_dir(mount, err) != 0 ||
        select_options_gather(&opt->select, &mount->selection_fd, err) != 0)
        return -1;
    if (opt->encoder_socket == NULL) {
        mount->encoder = encoder_find(opt->encoder, err);
        return mount->encoder == NULL ? -1 : preflight_readable(mount->store, err);
    }
    mount->encoder_socket = realpath(opt->encoder_socket, NULL);
    if (mount->encoder_socket == NULL)
        return err_sys(err, ERR_NOT_FOUND, errno, "no encoder listens at '%s'",
                       opt->encoder_socket);
    return 0;
}
