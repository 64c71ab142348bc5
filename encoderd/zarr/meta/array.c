/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/array.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/meta/json_text.h"
#include "encoderd/zarr/meta/meta_ahead.h"
#include "encoderd/zarr/store/fail.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEN_MAX 255

struct zarr_group {
    const struct store *store; /* borrowed */
    struct meta_ahead ahead;
    unsigned format;
    json_t *attrs; /* owned; NULL if none */
    char *stale;   /* owned; see zarr_group_stale */
    size_t nstale;
};

static void cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define AUTO_JSON CLEANUP(cleanup_json)
#define AUTO_BUF  CLEANUP(buf_free)

/* Loads a JSON object, which the caller owns; *out is NULL if the store has no such key. */
static int load_json(const struct zarr_group *group, const char *key, json_t **out, struct err *err)
{
    const struct store *store = group->store;
    AUTO_BUF struct buf text = {0};
    json_error_t at;
    bool found;

    *out = NULL;
    if (meta_ahead_text(&group->ahead, store, key, "", &text, NULL, &found, err) != 0)
        return -1;
    if (!found)
        return 0;
    *out = json_text_load((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &at);
    if (*out == NULL)
        return store_fail(store, key, err, ERR_CORRUPT, "not JSON: line %d: %s", at.line, at.text);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return store_fail(store, key, err, ERR_CORRUPT, "not a JSON object");
}

static int check_format(const struct store *store, const char *key, const json_t *top,
                        json_int_t format, struct err *err)
{
    const json_t *value = json_object_get(top, "zarr_format");

    if (!json_is_integer(value) || json_integer_value(value) != format)
        return store_fail(store, key, err, ERR_CORRUPT, "zarr_format is not %d", (int)format);
    return 0;
}

/* No array can have a name that is not a single step of a key. */
static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= NAME_LEN_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static void metadata_key(unsigned format, const char *name, char buf[ZARR_KEY_MAX])
{
    snprintf(buf, ZARR_KEY_MAX, "%s/%s", name, format == 3 ? "zarr.json" : ".zarray");
}

/* ---- The consolidated copy of the arrays' metadata: only compared with them, never used ---- */

/* The most entries that are compared, because a store can claim any number of them. */
#define COPIES_MAX 65536

/* The name of the array that an entry of the copy describes; NULL if it describes none. */
static const char *copied_array(unsigned format, const char *key, const json_t *node,
                                char name[NAME_LEN_MAX + 1])
{
    const char *type = json_string_value(json_object_get(node, "node_type"));
    const size_t n = strcspn(key, "/");

    if (n > NAME_LEN_MAX || strcmp(key + n, format == 2 ? "/.zarray" : "") != 0 ||
        (format == 3 && (type == NULL || strcmp(type, "array") != 0)))
        return NULL;
    memcpy(name, key, n);
    name[n] = '\0';
    return name_ok(name) ? name : NULL;
}

/* Do both have the same values for everything that decides how chunks are found and read? */
static bool same_array(const json_t *own, const json_t *copy)
{
    static const char *const members[] = {"shape",      "chunks",    "dtype",
                                          "compressor", "filters",   "order",
                                          "fill_value", "data_type", "dimension_separator",
                                          "chunk_grid", "codecs",    "chunk_key_encoding"};

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *a = json_object_get(own, members[i]), *b = json_object_get(copy, members[i]);

        if (a != b && !json_equal(a != NULL ? a : json_null(), b != NULL ? b : json_null()))
            return false;
    }
    return true;
}

/* Does the copy differ from the array's own metadata? If those cannot be read, this is not the
 * place to report it: opening the array will. */
static bool is_stale(const struct zarr_group *group, const char *name, const json_t *copy)
{
    AUTO_JSON json_t *own = NULL;
    struct err unreadable = {0};
    char key[ZARR_KEY_MAX];

    metadata_key(group->format, name, key);
    if (load_json(group, key, &own, &unreadable) != 0)
        return false;
    return own == NULL || !same_array(own, copy);
}

/* The arrays' own. */
static void read_ahead_of_copy(struct zarr_group *group, json_t *copy)
{
    const char *entry;
    json_t *node;

    json_object_foreach (copy, entry, node) {
        char room[NAME_LEN_MAX + 1], key[ZARR_KEY_MAX];
        const char *name = copied_array(group->format, entry, node, room);

        if (group->ahead.n == META_AHEAD_MAX)
            break;
        if (name == NULL)
            continue;
        metadata_key(group->format, name, key);
        meta_ahead_add(&group->ahead, key, name);
    }
    meta_ahead_read(&group->ahead, group->store);
}

static int compare_copy(struct zarr_group *group, json_t *copy, struct err *err)
{
    size_t nseen = 0;
    const char *key;
    json_t *node;

    read_ahead_of_copy(group, copy);
    json_object_foreach (copy, key, node) {
        char room[NAME_LEN_MAX + 1];
        const char *name = copied_array(group->format, key, node, room);

        if (name == NULL || nseen++ >= COPIES_MAX || !is_stale(group, name, node))
            continue;
        if (group->nstale++ > 0)
            continue;
        group->stale = strdup(name);
        if (group->stale == NULL)
            return store_nomem(group->store, NULL, err);
    }
    return 0;
}

static int open_v3(struct zarr_group *group, const json_t *top, struct err *err)
{
    const char *node = json_string_value(json_object_get(top, "node_type"));
    const json_t *consolidated = json_object_get(top, "consolidated_metadata");
    json_t *metadata = json_object_get(consolidated, "metadata");

    if (check_format(group->store, "zarr.json", top, 3, err) != 0)
        return -1;
    if (node == NULL || strcmp(node, "group") != 0)
        return store_fail(group->store, "zarr.json", err, ERR_CORRUPT,
                          "not the metadata of a group");
    if (consolidated != NULL && !json_is_null(consolidated) && !json_is_object(metadata))
        return store_fail(group->store, "zarr.json", err, ERR_CORRUPT,
                          "consolidated_metadata has no metadata");
    group->format = 3;
    group->attrs = json_incref(json_object_get(top, "attributes"));
    return compare_copy(group, metadata, err);
}

/* Loads the consolidated copy. If it is too large, the comparison is skipped, unless the attributes
 * of the group are only in the copy. */
static int load_copy(const struct zarr_group *group, json_t **out, struct err *err)
{
    struct err why;

    if (load_json(group, ".zmetadata", out, &why) == 0)
        return 0;
    if (why.code == ERR_UNSUPPORTED && group->attrs != NULL)
        return 0;
    if (err != NULL)
        *err = why;
    return -1;
}

static int open_v2(struct zarr_group *group, const json_t *top, struct err *err)
{
    AUTO_JSON json_t *consolidated = NULL;
    json_t *metadata;

    if (check_format(group->store, ".zgroup", top, 2, err) != 0 ||
        load_json(group, ".zattrs", &group->attrs, err) != 0 ||
        load_copy(group, &consolidated, err) != 0)
        return -1;
    metadata = json_object_get(consolidated, "metadata");
    if (consolidated != NULL && !json_is_object(metadata))
        return store_fail(group->store, ".zmetadata", err, ERR_CORRUPT, "it has no metadata");
    group->format = 2;
    if (group->attrs == NULL)
        group->attrs = json_incref(json_object_get(metadata, ".zattrs"));
    return compare_copy(group, metadata, err);
}

/* Arrays that will be asked for. */
struct wanted_arrays {
    const char *const *names;
    size_t n;
};

static void add_ahead(struct zarr_group *group, unsigned format, const struct wanted_arrays *arrays)
{
    for (size_t i = 0; i < arrays->n; i++) {
        char key[ZARR_KEY_MAX];

        metadata_key(format, arrays->names[i], key);
        meta_ahead_add(&group->ahead, key, arrays->names[i]);
        if (format == 3)
            continue;
        snprintf(key, sizeof key, "%s/.zattrs", arrays->names[i]);
        meta_ahead_add(&group->ahead, key, "");
    }
}

/* Where that costs no time, those of the arrays are looked for before it is known which ones the
 * store has. */
static void read_ahead_of_root(struct zarr_group *group, const struct wanted_arrays *arrays)
{
    static const char *const keys[] = {"zarr.json", ".zgroup", ".zattrs", ".zmetadata"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        meta_ahead_add(&group->ahead, keys[i], "");
    for (unsigned format = 2; format <= 3 && store_is_far(group->store); format++)
        add_ahead(group, format, arrays);
    meta_ahead_read(&group->ahead, group->store);
}

static int open_root(struct zarr_group *group, struct err *err)
{
    AUTO_JSON json_t *top = NULL;

    if (load_json(group, "zarr.json", &top, err) != 0)
        return -1;
    if (top != NULL)
        return open_v3(group, top, err);
    if (load_json(group, ".zgroup", &top, err) != 0)
        return -1;
    if (top != NULL)
        return open_v2(group, top, err);
    return store_fail(group->store, NULL, err, ERR_NOT_FOUND,
                      "not a Zarr store: it has neither .zgroup nor zarr.json");
}

int zarr_group_open(const struct store *store, struct zarr_group **out, struct err *err)
{
    return zarr_group_open_with(store, NULL, 0, out, err);
}

int zarr_group_open_with(const struct store *store, const char *const *arrays, size_t n,
                         struct zarr_group **out, struct err *err)
{
    const struct wanted_arrays names = {arrays, n};
    struct zarr_group *group = calloc(1, sizeof *group);

    *out = NULL;
    if (group == NULL)
        return store_nomem(store, NULL, err);
    group->store = store;
    read_ahead_of_root(group, &names);
    if (open_root(group, err) != 0) {
        zarr_group_free(group);
        return -1;
    }
    add_ahead(group, group->format, &names);
    meta_ahead_read(&group->ahead, store);
    *out = group;
    return 0;
}

void zarr_group_free(struct zarr_group *group)
{
    if (group == NULL)
        return;
    json_decref(group->attrs);
    meta_ahead_clear(&group->ahead);
    free(group->stale);
    free(group);
}

unsigned zarr_group_format(const struct zarr_group *group)
{
    return group->format;
}

void zarr_group_forget(struct zarr_group *group)
{
    meta_ahead_clear(&group->ahead);
}

void zarr_group_dims(const struct zarr_group *group, const char *array, struct zarr_dims *out)
{
    const bool v3 = group->format == 3;
    AUTO_JSON json_t *top = NULL;
    struct err unreadable = {0};
    char key[ZARR_KEY_MAX];
    const json_t *list;

    *out = (struct zarr_dims){0};
    snprintf(key, sizeof key, "%s/%s", array, v3 ? "zarr.json" : ".zattrs");
    if (load_json(group, key, &top, &unreadable) != 0)
        return;
    list = json_object_get(top, v3 ? "dimension_names" : "_ARRAY_DIMENSIONS");
    for (size_t d = 0; d < json_array_size(list) && d < ZARR_DIMS_MAX; d++) {
        const char *name = json_string_value(json_array_get(list, d));

        if (name != NULL && strlen(name) < sizeof out->names[d])
            strcpy(out->names[d], name);
    }
}

const char *zarr_group_stale(const struct zarr_group *group, size_t *n)
{
    *n = group->nstale;
    return group->stale;
}

const char *zarr_group_copy(const struct zarr_group *group)
{
    return group->format == 3 ? "consolidated_metadata in zarr.json" : ".zmetadata";
}

const char *zarr_group_attr(const struct zarr_group *group, const char *name)
{
    return json_string_value(json_object_get(group->attrs, name));
}

char *zarr_group_attr_text(const struct zarr_group *group, const char *name)
{
    const json_t *value = json_object_get(group->attrs, name);

    if (json_is_string(value))
        return strdup(json_string_value(value));
    return json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
                                 : NULL;
}

bool zarr_group_attr_count(const struct zarr_group *group, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(group->attrs, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

bool zarr_group_attr_list(const struct zarr_group *group, const char *name,
                          int (*visit)(const char *text, size_t len, void *arg), void *arg)
{
    const json_t *list = json_object_get(group->attrs, name), *item;
    size_t i;

    if (!json_is_array(list))
        return false;
    json_array_foreach (list, i, item) {
        if (!json_is_string(item))
            return false;
    }
    json_array_foreach (list, i, item) {
        if (visit(json_string_value(item), json_string_length(item), arg) != 0)
            break;
    }
    return true;
}

/* Does this v3 metadata describe a group? If not, the array's parser will judge it. */
static bool is_group_text(const struct buf *text)
{
    AUTO_JSON json_t *top = json_text_load((const char *)text->data, text->len, 0, NULL);
    const char *type = json_string_value(json_object_get(top, "node_type"));

    return type != NULL && strcmp(type, "group") == 0;
}

/* Reads the array's metadata text and the key of its object. *found is false if the group has no
 * such array. */
static int array_text(const struct zarr_group *group, const char *name, char key[ZARR_KEY_MAX],
                      struct buf *out, struct meta_digest *digest, bool *found, struct err *err)
{
    metadata_key(group->format, name, key);
    if (meta_ahead_text(&group->ahead, group->store, key, name, out, digest, found, err) != 0)
        return -1;
    if (*found && group->format == 3 && is_group_text(out))
        *found = false;
    return 0;
}

struct array_names {
    json_t *set; /* owned */
    const struct zarr_group *group;
    struct err *err;
};

static int add_child(const char *name, void *arg)
{
    struct array_names *list = arg;
    AUTO_BUF struct buf text = {0};
    char key[ZARR_KEY_MAX];
    bool found = false;

    if (!name_ok(name))
        return 0;
    if (array_text(list->group, name, key, &text, NULL, &found, list->err) != 0)
        return -1;
    /* Array names that are not UTF-8 are refused here, so no array can be opened by such a name. */
    if (found)
        json_object_set_new(list->set, name, json_null());
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int visit_sorted(json_t *set, int (*visit)(const char *name, void *arg), void *arg,
                        struct err *err)
{
    size_t n = 0, total = json_object_size(set);
    AUTO_FREE const char **names = calloc(total + 1, sizeof *names);
    const char *name;
    json_t *value;

    if (names == NULL)
        return err_nomem(err, "the names of arrays");
    json_object_foreach (set, name, value) {
        (void)value;
        names[n++] = name;
    }
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        int rc = visit(names[i], arg);

        if (rc != 0)
            return rc;
    }
    return 0;
}

int zarr_group_arrays(const struct zarr_group *group, int (*visit)(const char *name, void *arg),
                      void *arg, struct err *err)
{
    AUTO_JSON json_t *set = json_object();
    struct array_names list = {set, group, err};

    if (set == NULL)
        return store_nomem(group->store, NULL, err);
    if (store_children(group->store, "", add_child, &list, err) != 0)
        return -1;
    return visit_sorted(set, visit, arg, err);
}

static int parse_array(const struct zarr_group *group, const struct buf *text,
                       struct zarr_array *array, struct err *err)
{
    const char *json = (const char *)text->data;
    int rc = group->format == 3
                 ? zarr_meta_parse_v3(array->name, json, text->len, &array->meta, err)
                 : zarr_meta_parse_v2(array->name, json, text->len, &array->meta, err);

    return rc != 0 ? err_name(err, "%s", store_path(group->store)) : 0;
}

static struct zarr_array *array_new(const struct zarr_group *group, const char *name,
                                    const char *meta_key)
{
    struct zarr_array *array = calloc(1, sizeof *array);

    if (array == NULL)
        return NULL;
    array->store = group->store;
    array->name = strdup(name);
    array->meta_key = strdup(meta_key);
    if (array->name != NULL && array->meta_key != NULL)
        return array;
    zarr_array_free(array);
    return NULL;
}

int zarr_array_open(const struct zarr_group *group, const char *name, struct zarr_array **out,
                    struct err *err)
{
    AUTO_BUF struct buf text = {0};
    char key[ZARR_KEY_MAX];
    struct zarr_array *array;
    struct meta_digest digest;
    bool found = false;

    *out = NULL;
    if (!name_ok(name))
        return 0;
    if (array_text(group, name, key, &text, &digest, &found, err) != 0)
        return -1;
    if (!found)
        return 0;
    array = array_new(group, name, key);
    if (array == NULL)
        return err_nomem(err, "array %s", name);
    memcpy(array->identity, digest.sums, sizeof array->identity);
    if (parse_array(group, &text, array, err) != 0) {
        zarr_array_free(array);
        return -1;
    }
    *out = array;
    return 0;
}

int zarr_array_fail(const struct zarr_array *array, struct err *err, enum err_code code,
                    const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, code, fmt, ap);
    va_end(ap);
    return err_name(err, "%s (%s)", array->name, store_path(array->store));
}

void zarr_array_free(struct zarr_array *array)
{
    if (array == NULL)
        return;
    zarr_meta_clear(&array->meta);
    free(array->name);
    free(array->meta_key);
    free(array);
}

void zarr_chunk_key(const struct zarr_array *array, const uint64_t *index, char buf[ZARR_KEY_MAX])
{
    const struct zarr_meta *meta = &array->meta;
    size_t used = (size_t)snprintf(buf, ZARR_KEY_MAX, "%s/%s", array->name,
                                   meta->key_prefix  ? "c"
                                   : meta->ndim == 0 ? "0"
                                                     : "");

    for (unsigned d = 0; d < meta->ndim; d++) {
        const char separator[2] = {d > 0 || meta->key_prefix ? meta->separator : '\0', '\0'};
        uint64_t number = index[d] / meta->sharding.chunks[d];

        used += (size_t)snprintf(buf + used, ZARR_KEY_MAX - used, "%s%llu", separator,
                                 (unsigned long long)number);
    }
}
