/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/zip.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/store/zip_end.h"

#include <string.h>
#include <sys/stat.h>

#define LOCAL_NBYTES ((size_t)30)
#define PIECE_NBYTES ((size_t)64 << 10)

#define ENTRY_SIGNATURE 0x02014b50
#define LOCAL_SIGNATURE 0x04034b50

#define FLAG_ENCRYPTED  (1u << 0 | 1u << 6 | 1u << 13)
#define FLAG_DESCRIPTOR (1u << 3)
#define METHOD_STORED   0
#define METHOD_DEFLATED 8
#define MADE_BY_UNIX    3
/* The most decoded bytes for one byte of deflate. */
#define DEFLATE_RATIO_MAX ((uint64_t)1032)

static int bad_member(const char *name, size_t len, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its member \"%.*s\" %s; " ZIP_DAMAGED,
                   (int)size_min(len, 200), name, what);
}

static int unsupported_member(const char *name, size_t len, const char *what, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "its member \"%.*s\" %s: make the archive anew or unpack it",
                   (int)size_min(len, 200), name, what);
}

/* ---- The directory ---- */

/* A position in the directory, which is read in pieces. */
struct cursor {
    const struct zip_source *source;
    uint64_t at, end;
    size_t piece_at, piece_n;
    uint8_t *piece; /* PIECE_NBYTES */
};

static int take(struct cursor *cursor, void *to, size_t n, struct err *err)
{
    uint8_t *out = to;

    while (n > 0) {
        size_t here = size_min(n, cursor->piece_n - cursor->piece_at);

        if (here == 0) {
            cursor->piece_n = (size_t)size_min(PIECE_NBYTES, cursor->end - cursor->at);
            cursor->piece_at = 0;
            if (cursor->piece_n == 0)
                return zip_corrupt("its directory is cut short", err);
            if (cursor->source->read(cursor->source->arg, cursor->at, cursor->piece,
                                     cursor->piece_n, err) != 0)
                return -1;
            cursor->at += cursor->piece_n;
            continue;
        }
        memcpy(out, cursor->piece + cursor->piece_at, here);
        cursor->piece_at += here;
        out += here;
        n -= here;
    }
    return 0;
}

/* Sizes and offset of a member that do not fit in 32 bits are in an extra field, in this order. */
static int take_zip64(const uint8_t *extra, size_t n, struct zip_member *member)
{
    uint64_t *wide[] = {&member->nbytes, &member->stored_nbytes, &member->header};

    for (size_t i = 0; i < 3; i++) {
        if (*wide[i] != UINT32_MAX)
            continue;
        if (n < 8)
            return -1;
        *wide[i] = get_le64(extra);
        extra += 8;
        n -= 8;
    }
    return 0;
}

static int read_extra(const uint8_t *extra, size_t n, struct zip_member *member)
{
    bool wanted = member->nbytes == UINT32_MAX || member->stored_nbytes == UINT32_MAX ||
                  member->header == UINT32_MAX;

    for (size_t at = 0; wanted && n - at >= 4;) {
        size_t len = get_le16(extra + at + 2);

        if (len > n - at - 4)
            return -1;
        if (get_le16(extra + at) == 1)
            return take_zip64(extra + at + 4, len, member);
        at += 4 + len;
    }
    return 0;
}

/* Is it a plain relative path? The name of a directory ends in '/'. */
static bool name_ok(const char *name, size_t len)
{
    size_t at = 0;

    if (len == 0 || memchr(name, '\0', len) != NULL)
        return false;
    while (at < len) {
        const char *slash = memchr(name + at, '/', len - at);
        size_t n = slash != NULL ? (size_t)(slash - name) - at : len - at;

        if (n == 0 || (n == 1 && name[at] == '.') ||
            (n == 2 && name[at] == '.' && name[at + 1] == '.'))
            return false;
        at += n + 1;
    }
    return true;
}

/* Programs on Unix store the file's mode in the upper half of the attributes; other programs store
 * 0. */
static bool is_special(const uint8_t *entry)
{
    mode_t type = entry[5] == MADE_BY_UNIX ? get_le32(entry + 38) >> 16 & S_IFMT : 0;

    return type != 0 && type != S_IFREG && type != S_IFDIR;
}

static int check_member(const uint8_t *entry, const struct zip_member *member, const char *name,
                        struct err *err)
{
    size_t len = member->name_len;
    unsigned method = get_le16(entry + 10);

    if (!name_ok(name, len))
        return bad_member(name, len, "has no name that may be a file's in a store", err);
    if ((get_le16(entry + 8) & FLAG_ENCRYPTED) != 0)
        return unsupported_member(name, len, "is encrypted", err);
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return unsupported_member(name, len, "is compressed by another method than deflate", err);
    if (is_special(entry))
        return bad_member(name, len, "is a link or a device and not a file", err);
    if (get_le16(entry + 34) != 0 && get_le16(entry + 34) != UINT16_MAX)
        return bad_member(name, len, "is in another part of the archive", err);
    if (method == METHOD_STORED && member->stored_nbytes != member->nbytes)
        return bad_member(name, len, "is stored and has two sizes", err);
    if (member->nbytes / DEFLATE_RATIO_MAX > member->stored_nbytes)
        return bad_member(name, len, "says that it is longer than deflate can have made it", err);
    if (name[len - 1] == '/' && member->nbytes > 0)
        return bad_member(name, len, "is a directory with contents", err);
    return 0;
}

static int read_member(struct cursor *cursor, struct zip_dir *dir, uint8_t *extra, struct err *err)
{
    struct zip_member *member = &dir->members[dir->n];
    char *name = dir->names + dir->names_len;
    uint8_t entry[ZIP_ENTRY_NBYTES];
    size_t extra_len, comment_len;

    if (take(cursor, entry, sizeof entry, err) != 0)
        return -1;
    if (get_le32(entry) != ENTRY_SIGNATURE)
        return zip_corrupt("its directory is broken", err);
    *member = (struct zip_member){
        .header = get_le32(entry + 42),
        .stored_nbytes = get_le32(entry + 20),
        .nbytes = get_le32(entry + 24),
        .crc32 = get_le32(entry + 16),
        .name = (uint32_t)dir->names_len,
        .name_len = get_le16(entry + 28),
        .deflated = get_le16(entry + 10) == METHOD_DEFLATED,
    };
    extra_len = get_le16(entry + 30);
    comment_len = get_le16(entry + 32);
    if (take(cursor, name, member->name_len, err) != 0 || take(cursor, extra, extra_len, err) != 0)
        return -1;
    if (read_extra(extra, extra_len, member) != 0)
        return bad_member(name, member->name_len, "has a broken zip64 field", err);
    if (take(cursor, extra, comment_len, err) != 0 || check_member(entry, member, name, err) != 0)
        return -1;
    dir->names_len += member->name_len;
    dir->n++;
    return 0;
}

static int read_members(const struct zip_source *source, const struct zip_bounds *bounds,
                        struct zip_dir *dir, struct err *err)
{
    AUTO_FREE uint8_t *piece = malloc(PIECE_NBYTES), *extra = malloc(UINT16_MAX + 1);
    struct cursor cursor = {
        .source = source,
        .at = bounds->begin,
        .end = bounds->begin + bounds->nbytes,
        .piece = piece,
    };
    char *names;

    dir->members = calloc((size_t)bounds->nmembers + 1, sizeof *dir->members);
    /* The names are a part of the directory, so its size is enough room. */
    dir->names = malloc((size_t)bounds->nbytes + 1);
    if (piece == NULL || extra == NULL || dir->members == NULL || dir->names == NULL)
        return err_nomem(err, "a directory of %llu members", (unsigned long long)bounds->nmembers);
    for (uint64_t i = 0; i < bounds->nmembers; i++)
        if (read_member(&cursor, dir, extra, err) != 0)
            return -1;
    if (cursor.at != cursor.end || cursor.piece_at != cursor.piece_n)
        return zip_corrupt("its directory has more than its members", err);
    names = realloc(dir->names, dir->names_len + 1);
    if (names != NULL)
        dir->names = names;
    return 0;
}

/* ---- Order ---- */

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, size_min(a_len, b_len));

    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_names(const struct zip_dir *dir, const struct zip_member *x,
                         const struct zip_member *y)
{
    return compare(dir->names + x->name, x->name_len, dir->names + y->name, y->name_len);
}

/* Names are stored in the directory's order, so of two equal names the later one sorts last. */
static int compare_members(const void *a, const void *b, void *dir)
{
    const struct zip_member *x = a, *y = b;
    int order = compare_names(dir, x, y);

    return order != 0 ? order : (x->name > y->name) - (x->name < y->name);
}

static void sort_by_name(struct zip_dir *dir)
{
    if (dir->n > 0)
        qsort_r(dir->members, dir->n, sizeof *dir->members, compare_members, dir);
}

/* Keeps the last member of each name. Python's zipfile, and so zarr's ZipStore, adds a new member
 * when a file is overwritten, and reads the last one. */
static void keep_last(struct zip_dir *dir)
{
    size_t kept = 0;

    for (size_t i = 0; i < dir->n; i++)
        if (i + 1 == dir->n || compare_names(dir, &dir->members[i], &dir->members[i + 1]) != 0)
            dir->members[kept++] = dir->members[i];
    dir->n = kept;
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_member *const *x = a, *const *y = b;

    return ((*x)->header > (*y)->header) - ((*x)->header < (*y)->header);
}

/* Each member must end before the next one, or before the directory. */
static int check_places(struct zip_dir *dir, uint64_t dir_begin, struct err *err)
{
    AUTO_FREE struct zip_member **order = calloc(dir->n + 1, sizeof *order);

    if (order == NULL)
        return err_nomem(err, "a directory of %zu members", dir->n);
    for (size_t i = 0; i < dir->n; i++)
        order[i] = &dir->members[i];
    qsort(order, dir->n, sizeof(struct zip_member *), compare_places);
    for (size_t i = 0; i < dir->n; i++) {
        struct zip_member *member = order[i];
        uint64_t n;

        member->end = i + 1 < dir->n ? order[i + 1]->header : dir_begin;
        if (!size_add(member->stored_nbytes, LOCAL_NBYTES + member->name_len, &n) ||
            !size_range_ok(member->header, n, member->end))
            return bad_member(dir->names + member->name, member->name_len,
                              "runs into another, or out of the archive", err);
    }
    return 0;
}

int zip_dir_read(const struct zip_source *source, struct zip_dir *out, struct err *err)
{
    struct zip_bounds bounds;

    *out = (struct zip_dir){0};
    if (zip_read_end(source, &bounds, err) != 0 || read_members(source, &bounds, out, err) != 0)
        goto fail;
    sort_by_name(out);
    if (check_places(out, bounds.begin, err) != 0)
        goto fail;
    keep_last(out);
    return 0;
fail:
    zip_dir_clear(out);
    return -1;
}

void zip_dir_clear(struct zip_dir *dir)
{
    free(dir->members);
    free(dir->names);
    *dir = (struct zip_dir){0};
}

/* ---- Members ---- */

size_t zip_lower_bound(const struct zip_dir *dir, const char *name, size_t len)
{
    size_t begin = 0, end = dir->n;

    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        const struct zip_member *member = &dir->members[middle];

        if (compare(dir->names + member->name, member->name_len, name, len) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

bool zip_has_prefix(const struct zip_dir *dir, const struct zip_member *member, const char *prefix,
                    size_t len)
{
    return member->name_len >= len && memcmp(dir->names + member->name, prefix, len) == 0;
}

const struct zip_member *zip_find(const struct zip_dir *dir, const char *name, size_t len)
{
    size_t i = zip_lower_bound(dir, name, len);

    if (i == dir->n || dir->members[i].name_len != len ||
        !zip_has_prefix(dir, &dir->members[i], name, len))
        return NULL;
    return &dir->members[i];
}

/* The header's own sizes count, unless a flag says that sizes follow the data. */
static bool header_agrees(const uint8_t *header, const struct zip_member *member)
{
    uint32_t stored = get_le32(header + 18), nbytes = get_le32(header + 22);

    if ((get_le16(header + 8) == METHOD_DEFLATED) != member->deflated ||
        get_le16(header + 26) != member->name_len || (get_le16(header + 6) & FLAG_ENCRYPTED) != 0)
        return false;
    if ((get_le16(header + 6) & FLAG_DESCRIPTOR) != 0)
        return true;
    return get_le32(header + 14) == member->crc32 &&
           (stored == UINT32_MAX || stored == member->stored_nbytes) &&
           (nbytes == UINT32_MAX || nbytes == member->nbytes);
}

int zip_member_data(const struct zip_source *source, const struct zip_dir *dir,
                    const struct zip_member *member, uint64_t *out, struct err *err)
{
    const char *name = dir->names + member->name;
    AUTO_FREE uint8_t *header = malloc(LOCAL_NBYTES + member->name_len);

    if (header == NULL)
        return err_nomem(err, "the header of a member");
    if (source->read(source->arg, member->header, header, LOCAL_NBYTES + member->name_len, err) !=
        0)
        return -1;
    if (get_le32(header) != LOCAL_SIGNATURE || !header_agrees(header, member) ||
        memcmp(header + LOCAL_NBYTES, name, member->name_len) != 0)
        return bad_member(name, member->name_len, "is another there than in the directory", err);
    *out = member->header + LOCAL_NBYTES + member->name_len + get_le16(header + 28);
    if (!size_range_ok(*out, member->stored_nbytes, member->end))
        return bad_member(name, member->name_len, "runs into another, or out of the archive", err);
    return 0;
}
