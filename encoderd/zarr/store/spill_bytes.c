/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill_bytes: reads and writes the bytes of the temporary file.
 */
#include "common/size.h"
#include "encoderd/zarr/store/spill_impl.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_failed(const struct spill *spill, int errnum, struct err *err)
{
    if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
        return err_sys(err, ERR_BUDGET, errnum,
                       "it does not fit the memory budget, and cannot be decoded into a temporary "
                       "file in %s either: make room there, set TMPDIR to another directory, or "
                       "raise --memory",
                       spill->dir);
    return err_sys(err, ERR_IO, errnum, "the temporary file in %s", spill->dir);
}

int spill_write(struct spill_entry *entry, unsigned area, uint64_t offset, const void *from,
                size_t n, struct err *err)
{
    struct spill *const spill = entry->spill;
    const uint8_t *at = from;

    if (spill_take_room(entry, area, offset + n, err) != 0)
        return -1;
    while (n > 0) {
        const ssize_t put = pwrite(spill->fd, at, n, (off_t)(entry->areas[area].begin + offset));

        if (put < 0 && (errno == EINTR || spill_gave_way(spill, errno)))
            continue;
        if (put <= 0)
            return write_failed(spill, put < 0 ? errno : ENOSPC, err);
        at += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return 0;
}

int spill_append(struct spill_entry *entry, unsigned area, const void *from, size_t n,
                 struct err *err)
{
    return spill_write(entry, area, entry->areas[area].used, from, n, err);
}

uint64_t spill_nbytes(const struct spill_entry *entry, unsigned area)
{
    return entry->areas[area].used;
}

int spill_read(const struct spill_entry *entry, unsigned area, uint64_t offset, void *to, size_t n,
               struct err *err)
{
    struct spill *const spill = entry->spill;
    uint8_t *at = to;

    if (!size_range_ok(offset, n, entry->areas[area].used))
        return err_set(err, ERR_SYSTEM, "bytes of a temporary file that were not written");
    while (n > 0) {
        const ssize_t got = pread(spill->fd, at, n, (off_t)(entry->areas[area].begin + offset));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_sys(err, ERR_IO, got < 0 ? errno : EIO, "the temporary file in %s",
                           spill->dir);
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

uint8_t *spill_map(struct spill_entry *entry, unsigned area, uint64_t *room, struct err *err)
{
    struct spill *const spill = entry->spill;
    void *map;

    *room = entry->areas[area].room;
    map = mmap(NULL, *room, PROT_READ | PROT_WRITE, MAP_SHARED, spill->fd,
               (off_t)entry->areas[area].begin);
    if (map != MAP_FAILED)
        return map;
    err_sys(err, ERR_MEMORY, errno, "the temporary file in %s cannot be mapped", spill->dir);
    return NULL;
}

int spill_back(struct spill_entry *entry, unsigned area, uint64_t until, struct err *err)
{
    static const uint8_t zeroes[256 << 10];

    while (entry->areas[area].used < until)
        if (spill_append(entry, area, zeroes,
                         (size_t)size_min(sizeof zeroes, until - entry->areas[area].used),
                         err) != 0)
            return -1;
    return 0;
}

void spill_unmap(const struct spill_entry *entry, unsigned area, uint8_t *map)
{
    munmap(map, entry->areas[area].room);
}
