/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/mounts/preflight.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "fused/mounts/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define FUSE_CONF "/etc/fuse.conf"

static bool in_path(const char *program)
{
    const char *path = getenv("PATH");
    AUTO_FREE char *copy = strdup(path != NULL ? path : "/usr/bin:/bin");
    char *save = NULL;

    if (copy == NULL)
        return false;
    for (char *dir = strtok_r(copy, ":", &save); dir != NULL; dir = strtok_r(NULL, ":", &save)) {
        AUTO_FREE char *file = NULL;

        if (asprintf(&file, "%s/%s", dir, program) < 0)
            file = NULL;
        else if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

/* Is there a line "user_allow_other", apart from blanks and comments? */
static bool others_permitted(void)
{
    FILE *file = fopen(FUSE_CONF, "re");
    char line[256];
    bool found = false;

    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char word[32] = "";

        found = sscanf(line, " %31s", word) == 1 && strcmp(word, "user_allow_other") == 0;
    }
    fclose(file);
    return found;
}

static bool has_capability(unsigned capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    return syscall(SYS_capget, &header, sets) == 0 &&
           (sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

int preflight_fuse(bool allow_other, struct err *err)
{
    if (access("/dev/fuse", F_OK) != 0)
        return err_set(err, ERR_SYSTEM,
                       "there is no /dev/fuse: load the kernel's fuse module (modprobe fuse), or "
                       "give the container the device (--device /dev/fuse --cap-add SYS_ADMIN)");
    if (access("/dev/fuse", R_OK | W_OK) != 0) /* root of a user namespace may lack this, too */
        return err_set(
            err, ERR_SYSTEM,
            "no permission to open /dev/fuse: on this machine only root has it (chmod 666 "
            "/dev/fuse is usual)");
    if (geteuid() == 0)
        return 0;
    if (has_capability(
            CAP_SYS_ADMIN)) /* a service of that user with this right mounts without fusermount3 */
        return 0;
    if (!in_path("fusermount3"))
        return err_set(err, ERR_SYSTEM,
                       "fusermount3 is not installed, and an ordinary user cannot mount without it "
                       "(apt-get install fuse3)");
    if (allow_other && !others_permitted())
        return err_set(err, ERR_SYSTEM,
                       "--allow-other is for root only, unless " FUSE_CONF
                       " has a line 'user_allow_other'");
    return 0;
}

/* Unmounts a mount whose server died: it is still there, but each access fails. */
static int clear_dead_mount(const char *dir, const char *path, struct err *err)
{
    if (mounts_unmount(path, true, err) != 0)
        return err_prefix(err, "the mount on '%s' is dead and cannot be cleared", dir);
    fprintf(stderr, "vczfs: cleared a dead vczfs mount off '%s'\n", dir);
    if (!log_is_stderr())
        log_warning("cleared a dead vczfs mount off '%s'", dir);
    return 0;
}

static int check_unmounted(const char *dir, const char *path, struct err *err)
{
    struct mount_entry entry;

    /* An automount itself is no obstacle: it expects something to be mounted on it. */
    while (mounts_find(path, &entry) && strcmp(entry.type, "autofs") != 0) {
        bool ours = strcmp(entry.type, MOUNTS_TYPE) == 0;

        if (!ours || !mounts_dead(path))
            return err_set(err, ERR_USAGE, "mount point '%s' is in use: %s is mounted on it%s", dir,
                           entry.type, ours ? " (vczfs unmount takes it away)" : "");
        if (clear_dead_mount(dir, path, err) != 0)
            return -1;
    }
    return 0;
}

int preflight_empty(int fd, const char *dir, struct err *err)
{
    AUTO_CLOSE int list = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *handle = list >= 0 ? fdopendir(list) : NULL;
    const struct dirent *entry;

    if (handle == NULL)
        return err_sys(err, ERR_NOT_FOUND, errno, "mount point '%s'", dir);
    list = -1;
    do
        entry = readdir(handle);
    while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    closedir(handle);
    if (entry != NULL)
        return err_set(err, ERR_USAGE,
                       "mount point '%s' is not empty: the mount would hide the files in it", dir);
    return 0;
}

/* The same rule as fusermount3's: in a sticky directory only the owner may mount. */
static int check_owner(int fd, const char *dir, struct err *err)
{
    struct stat st;

    if (geteuid() == 0)
        return 0;
    if (faccessat(fd, ".", W_OK, 0) != 0)
        return err_sys(err, ERR_USAGE, errno,
                       "mount point '%s' must be a directory that you can write to", dir);
    if (fstat(fd, &st) != 0 || ((st.st_mode & S_ISVTX) != 0 && st.st_uid != geteuid()))
        return err_set(err, ERR_USAGE, "mount point '%s' is another user's", dir);
    return 0;
}

static int hold_dir(const char *dir, const char *path, int *fd, struct err *err)
{
    *fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0 && errno == ENOTDIR)
        return err_set(err, ERR_USAGE, "mount point '%s' is not a directory", dir);
    if (*fd < 0)
        return err_sys(err, ERR_NOT_FOUND, errno, "mount point '%s'", dir);
    return check_owner(*fd, dir, err) != 0 ? -1 : preflight_empty(*fd, dir, err);
}

char *preflight_dir(const char *dir, int *fd, struct err *err)
{
    AUTO_FREE char *path = NULL;
    AUTO_CLOSE int held = -1;

    if (access(dir, F_OK) != 0 && errno == ENOENT) {
        err_set(err, ERR_NOT_FOUND, "mount point '%s' does not exist (mkdir makes it)", dir);
        return NULL;
    }
    path = mounts_canonical(dir, err);
    if (path == NULL || check_unmounted(dir, path, err) != 0 ||
        hold_dir(dir, path, &held, err) != 0)
        return NULL;
    *fd = steal_fd(&held);
    return steal_ptr(&path);
}

#define DESCRIPTORS "/dev/fd/"
#define FUSE_MAJOR  10
#define FUSE_MINOR  229

/* Its number, or -1. */
static int descriptor_of(const char *dir)
{
    const char *number = dir + strlen(DESCRIPTORS);
    char *end;
    long fd;

    if (strncmp(dir, DESCRIPTORS, strlen(DESCRIPTORS)) != 0 || *number < '0' || *number > '9')
        return -1;
    fd = strtol(number, &end, 10);
    return *end == '\0' && fd <= INT_MAX ? (int)fd : -1;
}

bool preflight_is_descriptor(const char *dir)
{
    return descriptor_of(dir) >= 0;
}

int preflight_descriptor(const char *dir, struct err *err)
{
    const int fd = descriptor_of(dir);
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_sys(err, ERR_USAGE, errno, "mount point '%s'", dir);
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(FUSE_MAJOR, FUSE_MINOR))
        return err_set(err, ERR_USAGE,
                       "mount point '%s' is a descriptor, but not of /dev/fuse: whoever starts "
                       "vczfs so opens that, mounts, and hands it over",
                       dir);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "mount point '%s'", dir);
    return 0;
}

static int refused_to_root(const char *store, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND,
                   "cannot read the store '%s': permission denied to root, by the file system or "
                   "because a service has few rights; run vczfs as the store's user (vczfs(1), "
                   "SERVICES, says how)",
                   store);
}

/* Looks at names of files only, because reading them is the encoder's work. */
static bool looks_like_store(const char *path)
{
    static const char *const files[] = {".zgroup", "zarr.json"};
    const size_t n = strlen(path);

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        AUTO_FREE char *file = NULL;

        if (asprintf(&file, "%s/%s", path, files[i]) < 0)
            file = NULL;
        else if (access(file, F_OK) == 0)
            return true;
    }
    return n > 4 && strcasecmp(path + n - 4, ".zip") == 0 && access(path, F_OK) == 0;
}

int preflight_order(const char *store, const char *dir, struct err *err)
{
    if (!looks_like_store(dir) || looks_like_store(store))
        return 0;
    return err_set(err, ERR_USAGE,
                   "'%s' looks like a store, and '%s' does not: the store comes first, then the "
                   "directory to mount it on",
                   dir, store);
}

/* Adds a hint for a prefix: plink's programs take the prefix of three files, so a plink user may
 * give one for the store. */
static void not_there(const char *store, struct err *err)
{
    char bed[PATH_MAX];

    if (snprintf(bed, sizeof bed, "%s.bed", store) < (int)sizeof bed && access(bed, F_OK) == 0)
        err_set(err, ERR_NOT_FOUND,
                "no such store: %s; there is %s, and `plink2zarr convert PREFIX OUT.vcz` makes a "
                "store of such files",
                store, bed);
    else
        err_set(err, ERR_NOT_FOUND, "no such store: %s", store);
}

char *preflight_store(const char *store, struct err *err)
{
    char *path = strstr(store, "://") != NULL ? strdup(store) : realpath(store, NULL);

    if (path == NULL && (errno == ENOENT || errno == ENOTDIR))
        not_there(store, err);
    else if (path == NULL && errno == EACCES && geteuid() == 0)
        refused_to_root(store, err);
    else if (path == NULL)
        err_sys(err, ERR_NOT_FOUND, errno, "cannot reach the store '%s'", store);
    return path;
}

int preflight_readable(const char *store, struct err *err)
{
    if (geteuid() == 0 && access(store, R_OK) != 0 && errno == EACCES)
        return refused_to_root(store, err);
    return 0;
}
