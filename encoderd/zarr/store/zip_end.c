/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/zip_end.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"

#include <string.h>

#define END_NBYTES     ((size_t)22)
#define LOCATOR_NBYTES ((size_t)20)
#define END64_NBYTES   ((size_t)56)
#define COMMENT_MAX    ((size_t)65535)

#define END_SIGNATURE     0x06054b50
#define LOCATOR_SIGNATURE 0x07064b50
#define END64_SIGNATURE   0x06064b50

int zip_corrupt(const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s; " ZIP_DAMAGED, what);
}

static int no_end(const struct zip_source *source, struct err *err)
{
    uint8_t magic[2] = {0};

    if (source->size >= sizeof magic && source->read(source->arg, 0, magic, sizeof magic, err) != 0)
        return -1;
    if (memcmp(magic, "PK", sizeof magic) == 0)
        return zip_corrupt("its end record is missing", err);
    return err_set(err, ERR_UNSUPPORTED,
                   "neither a directory nor a zip archive: vczfs reads no other kind of store");
}

/* Finds the last end record whose comment ends exactly at the end of the archive. */
static int find_end(const struct zip_source *source, uint8_t end[END_NBYTES], uint64_t *at,
                    struct err *err)
{
    size_t n = (size_t)size_min(source->size, END_NBYTES + COMMENT_MAX);
    AUTO_FREE uint8_t *tail = malloc(n + 1);

    if (tail == NULL)
        return err_nomem(err, "the directory of an archive");
    if (source->read(source->arg, source->size - n, tail, n, err) != 0)
        return -1;
    for (size_t i = n >= END_NBYTES ? n - END_NBYTES + 1 : 0; i > 0; i--) {
        const uint8_t *here = tail + i - 1;

        if (get_le32(here) != END_SIGNATURE || get_le16(here + 20) != n - (i - 1) - END_NBYTES)
            continue;
        memcpy(end, here, END_NBYTES);
        *at = source->size - n + (i - 1);
        return 0;
    }
    return no_end(source, err);
}

/* Is there a locator of a zip64 end record before the end record? */
static int find_end64(const struct zip_source *source, uint64_t end_at,
                      uint8_t locator[LOCATOR_NBYTES], bool *found, struct err *err)
{
    *found = false;
    if (end_at < LOCATOR_NBYTES)
        return 0;
    if (source->read(source->arg, end_at - LOCATOR_NBYTES, locator, LOCATOR_NBYTES, err) != 0)
        return -1;
    *found = get_le32(locator) == LOCATOR_SIGNATURE;
    return 0;
}

/* Compares the values that the end record has itself with those of the zip64 record. */
static bool ends_agree(const struct zip_bounds *end, const struct zip_bounds *end64)
{
    return (end->nmembers == UINT16_MAX || end->nmembers == end64->nmembers) &&
           (end->nbytes == UINT32_MAX || end->nbytes == end64->nbytes) &&
           (end->begin == UINT32_MAX || end->begin == end64->begin);
}

static int read_end64(const struct zip_source *source, uint64_t end_at,
                      const uint8_t locator[LOCATOR_NBYTES], struct zip_bounds *bounds,
                      uint64_t *until, struct err *err)
{
    const struct zip_bounds plain = *bounds;
    uint8_t end[END64_NBYTES];
    uint64_t at = get_le64(locator + 8);

    if (get_le32(locator + 4) != 0 || get_le32(locator + 16) > 1 ||
        !size_range_ok(at, END64_NBYTES, end_at - LOCATOR_NBYTES))
        return zip_corrupt("its zip64 end record is missing", err);
    if (source->read(source->arg, at, end, sizeof end, err) != 0)
        return -1;
    *bounds = (struct zip_bounds){
        .nmembers = get_le64(end + 32), .nbytes = get_le64(end + 40), .begin = get_le64(end + 48)};
    if (get_le32(end) != END64_SIGNATURE ||
        get_le64(end + 4) != end_at - LOCATOR_NBYTES - at - 12 || get_le32(end + 16) != 0 ||
        get_le32(end + 20) != 0 || get_le64(end + 24) != get_le64(end + 32) ||
        !ends_agree(&plain, bounds))
        return zip_corrupt("its zip64 end record contradicts itself", err);
    *until = at;
    return 0;
}

static bool ends_at(const struct zip_bounds *bounds, uint64_t at)
{
    return size_range_ok(bounds->begin, bounds->nbytes, at) && bounds->begin + bounds->nbytes == at;
}

/* If the directory ends where the end record begins, there is no zip64 record between them, even
 * with 65,535 members. Otherwise there must be one, even if no number needs it: Python writes one
 * from 2 GiB on. */
static int find_bounds(const struct zip_source *source, const uint8_t end[END_NBYTES], uint64_t at,
                       struct zip_bounds *out, struct err *err)
{
    uint8_t locator[LOCATOR_NBYTES] = {0};
    uint64_t until = at;
    bool found = false;

    *out = (struct zip_bounds){
        .nmembers = get_le16(end + 10), .nbytes = get_le32(end + 12), .begin = get_le32(end + 16)};
    if (!ends_at(out, at) && find_end64(source, at, locator, &found, err) != 0)
        return -1;
    if (found && read_end64(source, at, locator, out, &until, err) != 0)
        return -1;
    if (!found && (get_le16(end + 4) != 0 || get_le16(end + 6) != 0 ||
                   get_le16(end + 8) != get_le16(end + 10)))
        return err_set(err, ERR_UNSUPPORTED, "an archive in several parts is not supported");
    if (ends_at(out, until))
        return 0;
    if (!found &&
        (out->nmembers == UINT16_MAX || out->nbytes == UINT32_MAX || out->begin == UINT32_MAX))
        return zip_corrupt("its zip64 end record is missing", err);
    return zip_corrupt("its directory is not where its end record says", err);
}

int zip_read_end(const struct zip_source *source, struct zip_bounds *out, struct err *err)
{
    uint8_t end[END_NBYTES] = {0};
    uint64_t at = 0;

    if (find_end(source, end, &at, err) != 0 || find_bounds(source, end, at, out, err) != 0)
        return -1;
    if (out->nmembers > out->nbytes / ZIP_ENTRY_NBYTES)
        return zip_corrupt("its directory is too short for its members", err);
    if (out->nbytes > ZIP_DIR_NBYTES_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "its directory of %llu members is longer than the %llu MiB that are held in "
                       "memory: unpack it, or rewrite the store with larger chunks",
                       (unsigned long long)out->nmembers,
                       (unsigned long long)(ZIP_DIR_NBYTES_MAX >> 20));
    return 0;
}
