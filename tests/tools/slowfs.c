/*
 * slowfs: a directory as a slow disk shows it: read-only, so many bytes a second for all readers together, and so
 * long before each read. The kernel's cache is in front of it, as it is in front of a disk.
 *
 * usage: slowfs MB_PER_SECOND MS_PER_READ FROM DIR
 *
 * Says "ready" and shows FROM at DIR until SIGTERM, SIGINT or an unmount.
 */
#define FUSE_USE_VERSION 314
#include <fuse.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static struct {
    int root;
    double ns_per_byte;
    int64_t ns_per_read;
    pthread_mutex_t lock;
    int64_t busy_until; /* under the lock: when the disk has done what it was asked for */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* One transfer after the other; latencies of several readers overlap. */
static void wait_for_disk(size_t nbytes)
{
    const int64_t begin = now();
    struct timespec until;
    int64_t end;

    pthread_mutex_lock(&disk.lock);
    if (disk.busy_until < begin)
        disk.busy_until = begin;
    disk.busy_until += (int64_t)((double)nbytes * disk.ns_per_byte);
    end = disk.busy_until + disk.ns_per_read;
    pthread_mutex_unlock(&disk.lock);
    until = (struct timespec){.tv_sec = end / SECOND, .tv_nsec = end % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static const char *below(const char *path)
{
    return path[1] == '\0' ? "." : path + 1;
}

static void *op_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
    (void)conn;
    config->use_ino = 1;
    config->attr_timeout = config->entry_timeout = config->negative_timeout = 86400;
    config->kernel_cache = 1;
    return NULL;
}

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    return fstatat(disk.root, below(path), st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int op_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    int fd = openat(disk.root, below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    (void)offset, (void)fi, (void)flags;
    if (dir == NULL)
        return -errno;
    while ((entry = readdir(dir)) != NULL)
        fill(buf, entry->d_name, NULL, 0, 0);
    closedir(dir);
    return 0;
}

static int op_open(const char *path, struct fuse_file_info *fi)
{
    int fd = openat(disk.root, below(path), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    fi->fh = (uint64_t)fd;
    return 0;
}

static int op_read(const char *path, char *buf, size_t size, off_t offset,
                   struct fuse_file_info *fi)
{
    ssize_t n = pread((int)fi->fh, buf, size, offset);

    (void)path;
    if (n < 0)
        return -errno;
    wait_for_disk((size_t)n);
    return (int)n;
}

static int op_release(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    close((int)fi->fh);
    return 0;
}

static const struct fuse_operations ops = {
    .init = op_init,
    .getattr = op_getattr,
    .readdir = op_readdir,
    .open = op_open,
    .read = op_read,
    .release = op_release,
};

int main(int argc, char **argv)
{
    char *fuse_argv[] = {argv[0], "-o", "ro", "-o", "fsname=slowfs", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(5, fuse_argv);
    struct fuse *fuse;
    int failed;

    if (argc != 5 || atof(argv[1]) <= 0)
        errx(2, "usage: slowfs MB_PER_SECOND MS_PER_READ FROM DIR");
    disk.ns_per_byte = 1e3 / atof(argv[1]);
    disk.ns_per_read = (int64_t)(atof(argv[2]) * 1e6);
    disk.root = open(argv[3], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (disk.root < 0)
        err(1, "%s", argv[3]);
    fuse = fuse_new(&args, &ops, sizeof(ops), NULL);
    if (fuse == NULL || fuse_mount(fuse, argv[4]) != 0 ||
        fuse_set_signal_handlers(fuse_get_session(fuse)) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    failed = fuse_loop_mt(fuse, NULL) < 0;
    fuse_unmount(fuse);
    fuse_destroy(fuse);
    fuse_opt_free_args(&args);
    return failed;
}
