/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_names: finds the member of a key, and the members below a key.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/name_list.h"
#include "encoderd/zarr/store/zip_impl.h"

#include <stdio.h>
#include <string.h>

/* Writes the member's name for a key, followed by `end`. Returns its length, or 0 if no member can
 * have that name. */
static size_t member_name(const struct zip_store *store, const char *key, const char *end,
                          char name[ZIP_NAME_MAX])
{
    int n = snprintf(name, ZIP_NAME_MAX, "%.*s%s%s", (int)store->root_len,
                     store->root_len > 0 ? store->root : "", key, end);

    return n < 0 || n >= ZIP_NAME_MAX ? 0 : (size_t)n;
}

const struct zip_member *zip_find_key(const struct zip_store *store, const char *key)
{
    char name[ZIP_NAME_MAX];
    const size_t len = member_name(store, key, "", name);

    return len > 0 ? zip_find(&store->dir, name, len) : NULL;
}

size_t zip_first_below(const struct zip_store *store, const char *key, char prefix[ZIP_NAME_MAX],
                       size_t *prefix_len)
{
    size_t i;

    *prefix_len = member_name(store, key, *key == '\0' ? "" : "/", prefix);
    if (*prefix_len == 0)
        return *key == '\0' ? 0 : store->dir.n;
    i = zip_lower_bound(&store->dir, prefix, *prefix_len);
    if (i < store->dir.n &&
        !zip_has_prefix(&store->dir, &store->dir.members[i], prefix, *prefix_len))
        return store->dir.n;
    return i;
}

/* Visits the names directly below a prefix; the name of a tree only once. */
static int list_names(const struct zip_store *store, size_t first, char prefix[ZIP_NAME_MAX],
                      size_t prefix_len, struct name_list *names)
{
    const struct zip_dir *dir = &store->dir;

    for (size_t i = first; i < dir->n; i++) {
        const struct zip_member *member = &dir->members[i];
        const char *name = dir->names + member->name + prefix_len, *slash, *last;
        size_t len;

        if (!zip_has_prefix(dir, member, prefix, prefix_len))
            break;
        len = member->name_len - prefix_len;
        slash = memchr(name, '/', len);
        len = slash != NULL ? (size_t)(slash - name) : len;
        last = names->n > 0 ? names->items[names->n - 1] : "";
        if (len > 0 && (strlen(last) != len || memcmp(last, name, len) != 0) &&
            name_list_add(names, name, len) != 0)
            return -1;
    }
    return 0;
}

/* Visits the trees directly below a prefix. Members are in byte order, so those of a tree are in a
 * row, and end where names with '0' begin, the character after '/'. */
static int list_trees(const struct zip_store *store, size_t first, char prefix[ZIP_NAME_MAX],
                      size_t prefix_len, struct name_list *names)
{
    const struct zip_dir *dir = &store->dir;
    size_t i = first;

    while (i < dir->n && zip_has_prefix(dir, &dir->members[i], prefix, prefix_len)) {
        const char *name = dir->names + dir->members[i].name + prefix_len;
        size_t left = dir->members[i].name_len - prefix_len;
        const char *slash = memchr(name, '/', left);
        size_t len = slash != NULL ? (size_t)(slash - name) : 0;

        i++;
        if (len == 0 || prefix_len + len + 1 > ZIP_NAME_MAX)
            continue;
        if (name_list_add(names, name, len) != 0)
            return -1;
        memcpy(prefix + prefix_len, name, len);
        prefix[prefix_len + len] = '0';
        i = zip_lower_bound(dir, prefix, prefix_len + len + 1);
    }
    return 0;
}

/* Lists what is directly below a prefix. It may write after the prefix. -1 if out of memory. */
typedef int list_below(const struct zip_store *store, size_t first, char prefix[ZIP_NAME_MAX],
                       size_t prefix_len, struct name_list *names);

static int visit_below(const struct store *base, const char *key, list_below *list,
                       int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    CLEANUP(name_list_free) struct name_list names = {0};
    char prefix[ZIP_NAME_MAX];
    size_t prefix_len, first = zip_first_below(store, key, prefix, &prefix_len);
    int rc = 0;

    if (first < store->dir.n && list(store, first, prefix, prefix_len, &names) != 0)
        return store_nomem(base, key, err);
    name_list_sort(&names);
    for (size_t i = 0; i < names.n && rc == 0; i++)
        rc = visit(names.items[i], arg);
    return rc;
}

int zip_children(const struct store *base, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    return visit_below(base, key, list_trees, visit, arg, err);
}

int zip_names(const struct store *base, const char *key, int (*visit)(const char *name, void *arg),
              void *arg, struct err *err)
{
    return visit_below(base, key, list_names, visit, arg, err);
}

static void add_usage(const struct zip_store *store, const struct zip_member *member,
                      uint64_t *nobjects, uint64_t *nbytes)
{
    if (store->dir.names[member->name + member->name_len - 1] == '/')
        return;
    *nobjects += 1;
    *nbytes += member->stored_nbytes;
}

int zip_usage(const struct store *base, const char *key, uint64_t *nobjects, uint64_t *nbytes,
              struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    const struct zip_dir *dir = &store->dir;
    const struct zip_member *member = zip_find_key(store, key);
    char name[ZIP_NAME_MAX];
    size_t len, i;

    (void)err;
    if (member != NULL)
        add_usage(store, member, nobjects, nbytes);
    for (i = zip_first_below(store, key, name, &len);
         i < dir->n && zip_has_prefix(dir, &dir->members[i], name, len); i++)
        add_usage(store, &dir->members[i], nobjects, nbytes);
    return 0;
}
