/* SPDX-License-Identifier: Apache-2.0 */
/*
 * badfs: LD_PRELOAD for an encoder, so that the files below a store fail as they do on a bad disk.
 * What the file named by $BADFS says at that moment holds for files whose path has $BADFS_MATCH in
 * it:
 *
 *   eio    reading fails        short   reads return half of what they should, at least one byte
 *   stall  reading waits        empty   there is nothing to read
 *   segv   reading is a fault   abort   reading ends the program
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t pread(int fd, void *buf, size_t n, off_t at);
ssize_t pread64(int fd, void *buf, size_t n, off_t at);
ssize_t read(int fd, void *buf, size_t n);
ssize_t preadv2(int fd, const struct iovec *iov, int niov, off_t at, int flags);
ssize_t preadv64v2(int fd, const struct iovec *iov, int niov, off_t at, int flags);

typedef ssize_t pread_fn(int, void *, size_t, off_t);
typedef ssize_t read_fn(int, void *, size_t);

/* Is it a file that is to be spoilt? */
static bool matches(int fd)
{
    const char *part = getenv("BADFS_MATCH");
    char link[64], path[4096];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    if (len <= 0 || part == NULL)
        return false;
    path[len] = '\0';
    return strstr(path, part) != NULL;
}

/* The word in $BADFS; "" if there is none. Opened each time: an encoder closes what it did not
 * open. */
static void look(char word[16])
{
    read_fn *real = (read_fn *)dlsym(RTLD_NEXT, "read");
    const char *path = getenv("BADFS");
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n;

    memset(word, 0, 16);
    n = fd >= 0 ? real(fd, word, 15) : 0;
    word[n > 0 ? n : 0] = '\0';
    word[strcspn(word, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

/* Not NULL itself: a compiler may know what that leads to. */
static int *volatile nowhere;

/* How much to read of n bytes; -1 to fail. */
static ssize_t allowed(int fd, size_t n)
{
    char word[16];

    if (n == 0 || !matches(fd))
        return (ssize_t)n;
    look(word);
    if (strcmp(word, "eio") == 0) {
        errno = EIO;
        return -1;
    }
    while (strcmp(word, "stall") == 0) {
        usleep(10000);
        look(word);
    }
    if (strcmp(word, "segv") == 0)
        *nowhere = 1;
    if (strcmp(word, "abort") == 0)
        abort();
    if (strcmp(word, "short") == 0)
        return (ssize_t)(n - n / 2);
    return strcmp(word, "empty") == 0 ? 0 : (ssize_t)n;
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    pread_fn *real = (pread_fn *)dlsym(RTLD_NEXT, "pread");
    const ssize_t some = allowed(fd, n);

    return some <= 0 ? some : real(fd, buf, (size_t)some, at);
}

ssize_t pread64(int fd, void *buf, size_t n, off_t at)
{
    return pread(fd, buf, n, at);
}

/* What may not wait finds nothing at hand where something is wrong. */
ssize_t preadv2(int fd, const struct iovec *iov, int niov, off_t at, int flags)
{
    char word[16];

    look(word);
    if ((flags & RWF_NOWAIT) != 0 && word[0] != '\0' && matches(fd)) {
        errno = EAGAIN;
        return -1;
    }
    return niov == 1 ? pread(fd, iov->iov_base, iov->iov_len, at) : -1;
}

ssize_t preadv64v2(int fd, const struct iovec *iov, int niov, off_t at, int flags)
{
    return preadv2(fd, iov, niov, at, flags);
}

ssize_t read(int fd, void *buf, size_t n)
{
    read_fn *real = (read_fn *)dlsym(RTLD_NEXT, "read");
    const ssize_t some = allowed(fd, n);

    return some <= 0 ? some : real(fd, buf, (size_t)some);
}
