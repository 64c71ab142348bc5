/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a zip archive, and the local headers of its members. Names are relative paths,
 * sorted and all different, and every member's bytes lie in the archive, none in another's.
 */
#include "encoderd/zarr/store/zip.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

struct archive {
    const uint8_t *data;
    size_t size;
};

static int read_archive(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct archive *archive = arg;

    (void)err;
    REQUIRE(offset <= archive->size && n <= archive->size - offset);
    if (n > 0)
        memcpy(to, archive->data + offset, n);
    return 0;
}

static void require_plain(const char *name, size_t len)
{
    size_t begin = 0;

    REQUIRE(len > 0 && name[0] != '/');
    for (size_t i = 0; i <= len; i++) {
        if (i < len && name[i] != '/') {
            REQUIRE(name[i] != '\0');
            continue;
        }
        REQUIRE(i - begin != 2 || memcmp(name + begin, "..", 2) != 0);
        begin = i + 1;
    }
}

static void require_ascending(const struct zip_dir *dir, size_t i)
{
    const struct zip_member *a = &dir->members[i - 1], *b = &dir->members[i];
    const size_t least = a->name_len < b->name_len ? a->name_len : b->name_len;
    const int order = memcmp(dir->names + a->name, dir->names + b->name, least);

    REQUIRE(order < 0 || (order == 0 && a->name_len < b->name_len));
}

static void check_member(const struct zip_source *source, const struct zip_dir *dir, size_t i)
{
    const struct zip_member *member = &dir->members[i];
    uint64_t begin = 0;
    struct err err = {0};

    REQUIRE((size_t)member->name + member->name_len <= dir->names_len);
    require_plain(dir->names + member->name, member->name_len);
    if (i > 0)
        require_ascending(dir, i);
    REQUIRE(zip_find(dir, dir->names + member->name, member->name_len) == member);
    REQUIRE(member->header < member->end && member->end <= source->size);
    REQUIRE(member->deflated || member->stored_nbytes == member->nbytes);
    if (zip_member_data(source, dir, member, &begin, &err) != 0) {
        REQUIRE(err.code != ERR_NONE);
        return;
    }
    REQUIRE(begin > member->header && begin <= member->end);
    REQUIRE(member->stored_nbytes <= member->end - begin);
}

static void require_apart(const struct zip_dir *dir)
{
    for (size_t i = 0; i < dir->n; i++)
        for (size_t k = 0; k < i; k++)
            REQUIRE(dir->members[i].end <= dir->members[k].header ||
                    dir->members[k].end <= dir->members[i].header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive archive = {data, size};
    const struct zip_source source = {read_archive, &archive, size};
    struct zip_dir dir = {0};
    struct err err = {0};

    if (zip_dir_read(&source, &dir, &err) == 0) {
        for (size_t i = 0; i < dir.n; i++)
            check_member(&source, &dir, i);
        if (dir.n <= 1000)
            require_apart(&dir);
    } else {
        REQUIRE(err.code != ERR_NONE && err.msg[0] != '\0');
    }
    zip_dir_clear(&dir);
    return 0;
}
