#include "fused/verbs.h"

#include "common/cleanup.h"
#include "fused/mounts.h"

#include <stdio.h>
#include <string.h>

static bool is_ours(const char *path)
{
    struct mount_entry entry;

    return mounts_find(path, &entry) && strcmp(entry.type, MOUNTS_TYPE) == 0;
}

/* What a front that was killed left behind; a mount that somebody serves is not touched. */
static int clear_dead(const char *dir, struct err *err)
{
    AUTO_FREE char *path = mounts_canonical(dir, err);

    if (path == NULL)
        return -1;
    return is_ours(path) && mounts_dead(path) ? mounts_unmount(path, true, err) : 0;
}

static int unmount(const char *dir, bool lazy, struct err *err)
{
    AUTO_FREE char *path = mounts_canonical(dir, err);

    if (path == NULL)
        return -1;
    if (!is_ours(path))
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", dir);
    if (mounts_unmount(path, lazy, err) == 0)
        return 0;
    /* Who has files open on a dead mount cannot read them any more. */
    if (err->code == ERR_IO && !lazy && mounts_dead(path))
        return mounts_unmount(path, true, err);
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

    if ((opt->if_dead ? clear_dead(opt->dir, &err) : unmount(opt->dir, opt->lazy, &err)) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return EXIT_FAILURE;
}
