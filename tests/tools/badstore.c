/* SPDX-License-Identifier: Apache-2.0 */
/*
 * badstore: a file system that shows another directory, and fails as a disk or a server does, so
 * that a store can be put on it.
 *
 * usage: badstore DIRECTORY MOUNTPOINT WORDFILE MATCH
 *
 * What WORDFILE says at a moment holds for everything whose path has MATCH in it:
 *
 *   eio    reading fails
 *   short  reads return half of what they should, at least one byte
 *   stall  reading waits
 *   hang   everything waits, stat and open too
 *   empty  there is nothing to read
 *
 * Nothing is cached: every read of a store on it gets here. Runs until it is unmounted or told to
 * end.
 */
#define FUSE_USE_VERSION 314
#include <fuse.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD_BYTES  16
#define NAP_US      10000
#define WAITING_MAX 256 /* requests at once */
#define MOUNT_FLAGS "ro,allow_other,default_permissions,fsname=badstore,subtype=badstore"

static struct {
    int root, words;
    const char *match;
} bad;

static void look(char word[WORD_BYTES])
{
    const ssize_t n = pread(bad.words, word, WORD_BYTES - 1, 0);

    word[n > 0 ? n : 0] = '\0';
    word[strcspn(word, "\n")] = '\0';
}

/* What is wrong with the path at this moment; "" if nothing is. Waits as long as it hangs. */
static void meet(const char *path, bool reading, char word[WORD_BYTES])
{
    bool waits;

    word[0] = '\0';
    if (strstr(path, bad.match) == NULL)
        return;
    do {
        look(word);
        waits = strcmp(word, "hang") == 0 || (reading && strcmp(word, "stall") == 0);
        if (waits)
            usleep(NAP_US);
    } while (waits);
}

static const char *below(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    char word[WORD_BYTES];

    (void)fi;
    meet(path, false, word);
    return fstatat(bad.root, below(path), st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
}

static int op_open(const char *path, struct fuse_file_info *fi)
{
    char word[WORD_BYTES];
    int fd;

    meet(path, false, word);
    fd = openat(bad.root, below(path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    fi->fh = (uint64_t)fd;
    fi->direct_io = 1;
    return 0;
}

static int op_release(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    close((int)fi->fh);
    return 0;
}

static int op_read(const char *path, char *out, size_t n, off_t at, struct fuse_file_info *fi)
{
    char word[WORD_BYTES];
    ssize_t got;

    meet(path, true, word);
    if (strcmp(word, "eio") == 0)
        return -EIO;
    if (strcmp(word, "empty") == 0)
        return 0;
    got = pread((int)fi->fh, out, strcmp(word, "short") == 0 ? n - n / 2 : n, at);
    return got < 0 ? -errno : (int)got;
}

static int op_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t at,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    char word[WORD_BYTES];
    int fd = openat(bad.root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    (void)at;
    (void)fi;
    (void)flags;
    meet(path, false, word);
    if (dir == NULL) {
        const int code = errno;

        if (fd >= 0)
            close(fd);
        return -code;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        fill(buf, entry->d_name, NULL, 0, 0);
    closedir(dir);
    return 0;
}

/* What hangs must not take the place of what does not in the kernel's queue, which has 12 places
 * otherwise. */
static void *op_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
    (void)config;
    conn->max_background = conn->congestion_threshold = 4 * WAITING_MAX;
    return NULL;
}

static const struct fuse_operations ops = {
    .init = op_init,
    .getattr = op_getattr,
    .open = op_open,
    .release = op_release,
    .read = op_read,
    .readdir = op_readdir,
};

/* As fuse_main, but for how many requests may wait at once. */
static int serve(const char *mountpoint)
{
    char *words[] = {(char[]){"badstore"}, (char[]){"-o"}, (char[]){MOUNT_FLAGS}, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, words);
    struct fuse *fuse = fuse_new(&args, &ops, sizeof ops, NULL);
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    int failed = 1;

    fuse_loop_cfg_set_max_threads(config, WAITING_MAX);
    if (fuse != NULL && fuse_mount(fuse, mountpoint) == 0) {
        fuse_set_signal_handlers(fuse_get_session(fuse));
        failed = fuse_loop_mt(fuse, config) != 0;
        fuse_remove_signal_handlers(fuse_get_session(fuse));
        fuse_unmount(fuse);
    }
    if (fuse != NULL)
        fuse_destroy(fuse);
    fuse_loop_cfg_destroy(config);
    fuse_opt_free_args(&args);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: badstore DIRECTORY MOUNTPOINT WORDFILE MATCH");
    bad.match = argv[4];
    bad.root = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
    bad.words = open(argv[3], O_RDONLY | O_CLOEXEC);
    if (bad.root < 0 || bad.words < 0)
        err(2, "%s", bad.root < 0 ? argv[1] : argv[3]);
    return serve(argv[2]);
}
