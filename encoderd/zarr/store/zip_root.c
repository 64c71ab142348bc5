/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_root: finds where the store is in an archive.
 */
#include "encoderd/zarr/store/zip_impl.h"

#include "common/size.h"
#include "encoderd/zarr/store/fail.h"

#include <stdio.h>
#include <string.h>

/* Is there a group's metadata in this top folder ("" or "name/")? */
static bool holds_group(const struct zip_dir *dir, const char *root, size_t len)
{
    static const char *const files[] = {"zarr.json", ".zgroup"};
    char name[ZIP_NAME_MAX];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int n = snprintf(name, sizeof name, "%.*s%s", (int)len, root, files[i]);

        if (n > 0 && n < ZIP_NAME_MAX && zip_find(dir, name, (size_t)n) != NULL)
            return true;
    }
    return false;
}

/* Is it one of the files that macOS and Windows add to an archive or a folder? */
static bool is_clutter(const struct zip_dir *dir, const struct zip_member *member)
{
    static const char *const names[] = {"__MACOSX/", "._", ".DS_Store", "Thumbs.db", "desktop.ini"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (zip_has_prefix(dir, member, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The first member from i on that is not clutter, or n. */
static size_t skip_clutter(const struct zip_dir *dir, size_t i)
{
    while (i < dir->n && is_clutter(dir, &dir->members[i]))
        i++;
    return i;
}

/* Is everything outside the folder clutter? */
static bool is_alone(const struct zip_dir *dir, const char *folder, size_t len)
{
    for (size_t i = skip_clutter(dir, 0); i < dir->n; i = skip_clutter(dir, i + 1))
        if (!zip_has_prefix(dir, &dir->members[i], folder, len))
            return false;
    return true;
}

int zip_find_root(struct zip_store *store, struct err *err)
{
    const struct zip_dir *dir = &store->dir;
    const size_t i = skip_clutter(dir, 0);
    const char *first = i < dir->n ? dir->names + dir->members[i].name : "";
    const char *slash = i < dir->n ? memchr(first, '/', dir->members[i].name_len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - first) + 1 : 0;

    if (len == 0 || holds_group(dir, "", 0) || !holds_group(dir, first, len))
        return 0;
    if (!is_alone(dir, first, len))
        return store_fail(&store->base, NULL, err, ERR_CORRUPT,
                          "the archive holds a store in its folder \"%.*s\" and other things "
                          "beside it: make an archive of the store alone, or unpack it",
                          (int)len, first);
    store->root = first;
    store->root_len = len;
    return 0;
}
