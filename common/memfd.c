/* SPDX-License-Identifier: Apache-2.0 */
#include "common/memfd.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS_ARENA (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define SEALS_FINAL (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int memfd_open(const char *name, struct err *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot create shared memory '%s'", name);
    return fd;
}

int memfd_arena(const char *name, uint64_t size, struct err *err)
{
    int fd = memfd_open(name, err);

    if (fd < 0)
        return -1;
    if (size > INT64_MAX || ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, SEALS_ARENA) != 0) {
        err_sys(err, ERR_MEMORY, errno, "cannot size shared memory '%s' to %" PRIu64 " bytes", name,
                size);
        close(fd);
        return -1;
    }
    return fd;
}

int memfd_seal(int fd, struct err *err)
{
    if (fcntl(fd, F_ADD_SEALS, SEALS_FINAL) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot seal shared memory");
    return 0;
}

int memfd_of(const char *name, const void *data, size_t n, const char *what, struct err *err)
{
    AUTO_CLOSE int fd = memfd_open(name, err);

    if (fd < 0 || io_write_all(fd, data, n, what, err) != 0 || memfd_seal(fd, err) != 0)
        return -1;
    return steal_fd(&fd);
}

int memfd_map(int fd, uint64_t size, const uint8_t **out, struct err *err)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    void *map;

    *out = NULL;
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return err_set(err, ERR_PEER, "shared memory is not sealed against shrinking");
    if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size < size)
        return err_set(err, ERR_PEER,
                       "shared memory is shorter than the %" PRIu64 " bytes announced", size);
    if (size == 0)
        return 0;
    map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return err_sys(err, ERR_SYSTEM, errno, "cannot map %" PRIu64 " bytes of shared memory",
                       size);
    *out = map;
    return 0;
}

void memfd_unmap(const uint8_t *map, uint64_t size)
{
    if (map != NULL)
        munmap((void *)(uintptr_t)map, (size_t)size);
}
