#include "fused/verbs.h"

#include "common/cleanup.h"
#include "fused/mounts.h"

#include <stdio.h>
#include <string.h>

static int unmount(const char *dir, bool lazy, struct err *err)
{
    AUTO_FREE char *path = mounts_canonical(dir, err);
    struct mount_entry entry;

    if (path == NULL)
        return -1;
    if (!mounts_find(path, &entry) || strcmp(entry.type, MOUNTS_TYPE) != 0)
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", dir);
    if (mounts_unmount(path, lazy, err) == 0)
        return 0;
    if (err->code == ERR_IO)
        err_set(err, ERR_IO,
                "'%s' is in use: close the files that are open on it, and leave the directory; or "
                "use --lazy, and they fail from now on",
                dir);
    return -1;
}

int verb_unmount(const struct options *opt)
{
    struct err err = {0};

    if (unmount(opt->dir, opt->lazy, &err) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return EXIT_FAILURE;
}
