/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/verbs.h"

#include "common/cleanup.h"
#include "fused/mounts/holders.h"
#include "fused/mounts/mount_place.h"
#include "fused/mounts/mounts.h"
#include "fused/process/clock.h"
#include "fused/verbs/status_look.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define END_WAIT_MS 10000
#define END_LOOK_MS 5

static int take_away(const struct mount_place *place, bool lazy, struct err *err)
{
    return mounts_unmount_at(place->above, place->name, place->path, lazy, err);
}

/* Takes away a mount whose front was killed, but not one that is still served. */
static int clear_dead(const char *dir, struct err *err)
{
    CLEANUP(mount_place_free) struct mount_place place;

    if (mount_place_hold(dir, &place, err) != 0)
        return -1;
    return mount_place_is_ours(&place) && mounts_dead(place.by) ? take_away(&place, true, err) : 0;
}

/* Has the process ended? A zombie, whose parent has not reaped it yet, has. */
static bool has_ended(pid_t pid)
{
    char path[32], text[256] = "";
    const char *name;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return true;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    name = strrchr(text, ')');
    return name == NULL || name[1] == '\0' || name[2] == 'Z' || name[2] == 'X';
}

/* Waits for the front to end. After the mount is gone it still stops its encoder and writes its
 * logs. */
static int await_end(pid_t front, const char *dir, struct err *err)
{
    const uint64_t end = clock_ms() + END_WAIT_MS;

    while (!has_ended(front)) {
        if (clock_ms() >= end)
            return err_set(err, ERR_IO,
                           "'%s' is unmounted, but its vczfs, process %d, has not ended in %d s",
                           dir, (int)front, END_WAIT_MS / 1000);
        poll(NULL, 0, END_LOOK_MS);
    }
    return 0;
}

static int refuse_busy(const char *path, const char *dir, pid_t front, struct err *err)
{
    char holders[256];

    holders_text(path, front, holders, sizeof holders);
    return err_set(err, ERR_IO,
                   "'%s' is in use%s%s: close the files that are open on it, and leave the "
                   "directory; or use --lazy, and they fail from now on",
                   dir, holders[0] != '\0' ? " by process " : "", holders);
}

static int unmount(const char *dir, bool lazy, struct err *err)
{
    CLEANUP(mount_place_free) struct mount_place place;
    pid_t front;

    if (mount_place_hold(dir, &place, err) != 0)
        return -1;
    if (!mount_place_is_ours(&place))
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", dir);
    front = lazy ? 0
                 : status_look_front(
                       place.by); /* after a lazy one the front lives as long as readers do */
    if (take_away(&place, lazy, err) == 0)
        return front > 0 ? await_end(front, dir, err) : 0;
    /* The files that are open on a dead mount cannot be read any more, so unmounting it harms
     * nobody. */
    if (err->code == ERR_IO && !lazy && mounts_dead(place.by))
        return take_away(&place, true, err);
    return err->code == ERR_IO ? refuse_busy(place.path, dir, front, err) : -1;
}

int verb_unmount(const struct options *opt)
{
    struct err err = {0};

    if ((opt->if_dead ? clear_dead(opt->dir, &err) : unmount(opt->dir, opt->lazy, &err)) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return EXIT_FAILURE;
}
