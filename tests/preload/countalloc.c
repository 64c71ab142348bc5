/* SPDX-License-Identifier: Apache-2.0 */
/*
 * countalloc: LD_PRELOAD that counts a process's calls of malloc and its relatives, in 8 bytes of
 * the file $COUNTALLOC.PID, where a test can read them at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t align, size_t n);

static _Atomic unsigned long before; /* until the file is there */
static _Atomic unsigned long *count = &before;

static void __attribute__((constructor)) begin(void)
{
    const char *prefix = getenv("COUNTALLOC");
    char path[4096];
    void *map;
    int fd;

    if (prefix == NULL)
        return;
    snprintf(path, sizeof path, "%s.%d", prefix, (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *count) != 0)
        abort();
    map = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        abort();
    count = map;
}

static void note(void)
{
    atomic_fetch_add(count, 1);
}

void *malloc(size_t n)
{
    note();
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    note();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    note();
    return __libc_realloc(old, n);
}

void *memalign(size_t align, size_t n)
{
    note();
    return __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *memory = memalign(align, n);

    *out = memory;
    return memory == NULL ? ENOMEM : 0;
}
