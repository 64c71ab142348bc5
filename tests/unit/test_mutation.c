/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of seeded corruptions of real stores, each opened and read whole through the library:
 * an error that names what is at fault, or, where the change does not matter, the right bytes.
 *
 * Some changes cannot be noticed by anybody, because what they leave is another well-formed store:
 * a compressed byte without a checksum over it (zstd and LZ4 inside Blosc have none), a raw byte, a
 * chunk that is gone (Zarr reads it as the fill value), two chunks of one array exchanged, a field
 * of the metadata that still has a legal value. Of these only "no crash, no overrun, no hang, no
 * more memory than the budget" is asserted, and they are counted apart (UNSEEN). Everything else is
 * held to "error or right".
 */
#include "common/crc32c.h"
#include "tests/unit/view_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define MUTATIONS_PER_STORE   200
#define MUTATIONS_PER_ARCHIVE 250
#define SECONDS_MAX           20 /* for one of them; sanitizers on a busy machine included */
#define ADDRESS_SPACE_MAX     ((rlim_t)2 << 30)
#define FILES_MAX             1024

enum outcome { REFUSED, RIGHT, WRONG };

struct store_file {
    char key[256];
    bool metadata;
    bool read; /* the view reads this array, or the group */
};

struct subject {
    char path[64];
    struct store_file files[FILES_MAX];
    size_t nfiles;
    struct buf right; /* every file of the view, one after the other */
    bool checksummed; /* every byte of every chunk that is read */
};

struct tally {
    unsigned long total, refused, right, unseen;
};

/* For the handler of a hang, and of a sanitizer's report. */
static char current[512];

static void say_current(void)
{
    ssize_t ignored = write(STDERR_FILENO, current, strlen(current));

    (void)ignored;
}

static void on_alarm(int number)
{
    (void)number;
    say_current();
    _exit(1);
}

void __asan_on_error(void); /* called by the address sanitizer, if there is one */
void __asan_on_error(void)
{
    say_current();
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static size_t pick(uint64_t *state, size_t n)
{
    return (size_t)(next_random(state) % n);
}

/* ---- files ---- */

static void full_path(const struct subject *subject, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s/s.vcz/%s", subject->path, key);
}

static void load_path(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t n;

    assert_non_null(file);
    buf_reset(out);
    do {
        uint8_t *to = buf_reserve(out, 65536);

        assert_non_null(to);
        n = fread(to, 1, 65536, file);
        out->len += n;
    } while (n > 0);
    fclose(file);
}

static void load(const struct subject *subject, const char *key, struct buf *out)
{
    char path[512];

    full_path(subject, key, path, sizeof path);
    load_path(path, out);
}

static void save_path(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void save(const struct subject *subject, const char *key, const void *data, size_t n)
{
    char path[512];

    full_path(subject, key, path, sizeof path);
    save_path(path, data, n);
}

/* Whatever is there, also a directory or a FIFO. */
static void drop(const struct subject *subject, const char *key)
{
    char path[512];

    full_path(subject, key, path, sizeof path);
    assert_true(remove(path) == 0 || errno == ENOENT);
}

static bool is_read(const char *key)
{
    static const char *const names[] = {
        "call_genotype/", "variant_allele/", "variant_position/", "variant_contig/",
        "variant_id/",    "sample_id/",      "contig_id/",        "call_genotype_phased/"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(key, names[i], strlen(names[i])) == 0)
            return true;
    return strchr(key, '/') == NULL;
}

/* What an absent chunk of the vectors is held against: a store may be refused for it, but not look
 * different. */
static bool is_witness(const struct store_file *file)
{
    return file != NULL && (strncmp(file->key, "region_index/", 13) == 0 ||
                            strncmp(file->key, "variant_A", 9) == 0 ||
                            strncmp(file->key, "variant_id_mask/", 16) == 0);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct store_file *)a)->key, ((const struct store_file *)b)->key);
}

static void list_files(struct subject *subject, const char *below)
{
    char path[512];
    const struct dirent *entry;
    DIR *dir;

    full_path(subject, below, path, sizeof path);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char key[256];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(key, sizeof key, "%s%s%.100s", below, *below != '\0' ? "/" : "", entry->d_name);
        if (entry->d_type == DT_DIR) {
            list_files(subject, key);
            continue;
        }
        assert_true(subject->nfiles < FILES_MAX);
        subject->files[subject->nfiles] = (struct store_file){
            .metadata = strstr(key, ".z") != NULL || strstr(key, "zarr.json") != NULL,
            .read = is_read(key),
        };
        strcpy(subject->files[subject->nfiles++].key, key);
    }
    closedir(dir);
}

/* ---- what a store gives ---- */

static void append_sidecar(const struct view_file *file, struct buf *out)
{
    uint8_t *to = buf_reserve(out, file->size + 1);

    assert_non_null(to);
    assert_int_equal(pread(file->fd, to, file->size, 0), file->size);
    out->len += file->size;
}

/* All files of the PLINK view; -1 and *err if there is none. */
static int read_view(const struct subject *subject, struct buf *out, struct err *err)
{
    char path[512];
    struct view *view;
    uint8_t *bed;

    buf_reset(out);
    full_path(subject, "", path, sizeof path);
    path[strlen(path) - 1] = '\0';
    view = open_plink(path, err);
    if (view == NULL)
        return -1;
    bed = encode_range(view, 0, view->files[0].size, err);
    if (bed != NULL)
        buf_append(out, bed, view->files[0].size);
    for (size_t i = 1; i < view->nfiles; i++)
        append_sidecar(&view->files[i], out);
    free(bed);
    view_free(view);
    return bed != NULL ? 0 : -1;
}

static enum outcome judge(const struct subject *subject, const char *key, struct buf *got)
{
    char name[256];
    struct err err = {0};

    if (read_view(subject, got, &err) == 0)
        return got->len == subject->right.len &&
                       memcmp(got->data, subject->right.data, got->len) == 0
                   ? RIGHT
                   : WRONG;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(key, "/"), key);
    if (err.code == ERR_NONE ||
        (strstr(err.msg, subject->path) == NULL && strstr(err.msg, name) == NULL))
        fail_msg("%s: the message names neither array nor store: '%s'", current, err.msg);
    return REFUSED;
}

/* ---- metadata ---- */

static json_t *deep_value(void)
{
    json_t *value = json_null();

    for (int i = 0; i < 200; i++) {
        json_t *outer = json_array();

        assert_int_equal(json_array_append_new(outer, value), 0);
        value = outer;
    }
    return value;
}

/* Values of every kind; strings are none that some field allows. */
static json_t *hostile_value(uint64_t *random)
{
    static const int64_t numbers[] = {-1, 0, INT64_MAX, INT64_C(1) << 32, INT64_C(1) << 62};
    static const char *const texts[] = {"", "<i9", "|V8", "\xc3\xa9\xe2\x82\xac", "../x", "zlib2"};

    switch (pick(random, 8)) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_real(pick(random, 2) == 0 ? 1e308 : 0.5);
    case 3:
        return json_array();
    case 4:
        return json_object();
    case 5:
        return deep_value();
    case 6:
        return json_string(texts[pick(random, sizeof texts / sizeof texts[0])]);
    default:
        return json_integer(numbers[pick(random, sizeof numbers / sizeof numbers[0])]);
    }
}

/* Replaces, or takes out, one field anywhere in the document; `where` gets its name. */
static void change_field(json_t *node, uint64_t *random, char *where, size_t size)
{
    size_t n = json_is_object(node) ? json_object_size(node) : json_array_size(node);
    size_t i = pick(random, n);
    bool remove_it = pick(random, 6) == 0;
    json_t *child, *value;
    const char *key = NULL;
    void *at;

    if (json_is_object(node)) {
        at = json_object_iter(node);
        for (size_t k = 0; k < i; k++)
            at = json_object_iter_next(node, at);
        key = json_object_iter_key(at);
        child = json_object_iter_value(at);
        snprintf(where, size, "%s", key);
    } else {
        child = json_array_get(node, i);
    }
    if ((json_object_size(child) > 0 || json_array_size(child) > 0) && pick(random, 4) != 0) {
        change_field(child, random, where, size);
        return;
    }
    value = hostile_value(random);
    if (remove_it && key != NULL)
        json_object_del(node, key);
    else if (remove_it)
        json_array_remove(node, i);
    else if (key != NULL)
        json_object_set(node, key, value);
    else
        json_array_set(node, i, value);
    json_decref(value);
}

/* Fields whose values have alternatives that are legal and mean other data. */
static bool has_meaning(const char *field)
{
    static const char *const names[] = {"fill_value", "chunks",    "chunk_shape",         "order",
                                        "dtype",      "data_type", "dimension_separator", "endian",
                                        "separator",  "shape"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(field, names[i]) == 0)
            return true;
    return false;
}

static void strip_meaning(json_t *node)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;

    json_object_foreach_safe (node, next, key, value) {
        if (has_meaning(key))
            json_object_del(node, key);
        else
            strip_meaning(value);
    }
    json_array_foreach (node, i, value)
        strip_meaning(value);
}

/* Do the texts differ in such fields only? */
static bool differ_in_meaning(const struct buf *a, const struct buf *b)
{
    json_t *x = json_loadb((const char *)a->data, a->len, 0, NULL);
    json_t *y = json_loadb((const char *)b->data, b->len, 0, NULL);
    bool same = false;

    if (x != NULL && y != NULL) {
        strip_meaning(x);
        strip_meaning(y);
        same = json_equal(x, y) != 0;
    }
    json_decref(x);
    json_decref(y);
    return same;
}

/* ---- mutations ---- */

struct mutation {
    const struct subject *subject;
    const struct store_file *file;
    struct buf before; /* the file's bytes */
    struct buf after;
    bool unseen_ok;                 /* what is left may be another well-formed store */
    const struct store_file *other; /* exchanged with; or NULL */
    struct buf other_before;
};

static void describe(struct mutation *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void describe(struct mutation *m, const char *fmt, ...)
{
    char what[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    snprintf(current, sizeof current, "%s: %.120s: %s", m->subject->path, m->file->key, what);
}

static void put_after(struct mutation *m)
{
    save(m->subject, m->file->key, m->after.data, m->after.len);
}

static void mutate_field(struct mutation *m, uint64_t *random)
{
    json_t *top = json_loadb((const char *)m->before.data, m->before.len, 0, NULL);
    char where[128] = "", *text;

    assert_non_null(top);
    change_field(top, random, where, sizeof where);
    text = json_dumps(top, 0);
    assert_non_null(text);
    buf_append(&m->after, text, strlen(text));
    describe(m, "field %s: %.120s", where, text);
    put_after(m);
    /* A fill value may be any number. The lengths of these two axes are held against nothing
     * else. */
    m->unseen_ok = strcmp(where, "fill_value") == 0 || strcmp(where, "dimension_separator") == 0 ||
                   ((strcmp(where, "shape") == 0 || strcmp(where, "chunks") == 0 ||
                     strcmp(where, "chunk_shape") == 0) &&
                    differ_in_meaning(&m->before, &m->after));
    free(text);
    json_decref(top);
}

/* Does no change of byte `at` go unnoticed? */
static bool is_guarded(const struct mutation *m, size_t at)
{
    const struct buf *data = &m->before;
    bool blosc = data->len >= 16 && data->data[0] == 2 && data->data[1] == 1;

    if (m->subject->checksummed)
        return true;
    /* Flags and type size say how a block was shuffled: any other way is as good. */
    return blosc && (at == 0 || (at >= 4 && at < 16));
}

static void mutate_byte(struct mutation *m, uint64_t *random)
{
    const size_t at = pick(random, m->before.len);
    /* Half of them where formats keep their headers. */
    const size_t place = pick(random, 2) == 0 ? at : at % 32 % m->before.len;

    buf_append(&m->after, m->before.data, m->before.len);
    m->after.data[place] = (uint8_t)(m->after.data[place] ^ (1 + pick(random, 255)));
    describe(m, "byte %zu: %02x to %02x", place, m->before.data[place], m->after.data[place]);
    put_after(m);
    m->unseen_ok =
        m->file->metadata ? differ_in_meaning(&m->before, &m->after) : !is_guarded(m, place);
}

static void mutate_length(struct mutation *m, uint64_t *random)
{
    size_t n =
        pick(random, 3) == 0 ? m->before.len + 1 + pick(random, 64) : pick(random, m->before.len);

    buf_append(&m->after, m->before.data, m->before.len < n ? m->before.len : n);
    while (m->after.len < n)
        buf_append_char(&m->after, (char)next_random(random));
    describe(m, "%zu bytes instead of %zu", n, m->before.len);
    put_after(m);
}

static void mutate_kind(struct mutation *m, uint64_t *random)
{
    static const char *const targets[] = {"/etc/passwd", "..", "/dev/zero", "nowhere"};
    const size_t kind = pick(random, 4);
    char path[512];

    full_path(m->subject, m->file->key, path, sizeof path);
    drop(m->subject, m->file->key);
    if (kind == 0) {
        describe(m, "removed");
        /* A chunk that is not there is fill values, an ID or consolidated metadata may be left
         * out. */
        m->unseen_ok = !m->file->metadata || strncmp(m->file->key, "variant_id/", 11) == 0;
    } else if (kind == 1) {
        describe(m, "directory");
        assert_int_equal(mkdir(path, 0700), 0);
    } else if (kind == 2) {
        describe(m, "FIFO");
        assert_int_equal(mkfifo(path, 0600), 0);
    } else {
        const char *target = targets[pick(random, sizeof targets / sizeof targets[0])];

        describe(m, "link to %s", target);
        assert_int_equal(symlink(target, path), 0);
    }
}

static void mutate_swap(struct mutation *m, uint64_t *random)
{
    m->other = &m->subject->files[pick(random, m->subject->nfiles)];
    load(m->subject, m->other->key, &m->other_before);
    describe(m, "exchanged with %s", m->other->key);
    save(m->subject, m->file->key, m->other_before.data, m->other_before.len);
    save(m->subject, m->other->key, m->before.data, m->before.len);
    m->unseen_ok = !m->file->metadata && !m->other->metadata;
}

static void mutate(struct mutation *m, uint64_t *random)
{
    const size_t kind = pick(random, 10);

    if (m->file->metadata && kind < 5)
        mutate_field(m, random);
    else if (kind < 7 && m->before.len > 0)
        mutate_byte(m, random);
    else if (kind < 8 && m->before.len > 0)
        mutate_length(m, random);
    else if (kind < 9)
        mutate_kind(m, random);
    else
        mutate_swap(m, random);
}

static void restore(struct mutation *m)
{
    drop(m->subject, m->file->key);
    save(m->subject, m->file->key, m->before.data, m->before.len);
    if (m->other != NULL)
        save(m->subject, m->other->key, m->other_before.data, m->other_before.len);
    buf_free(&m->before);
    buf_free(&m->after);
    buf_free(&m->other_before);
}

/* Three of four in what the view reads, and half of them in metadata, which are fewer files. */
static const struct store_file *pick_file(const struct subject *subject, uint64_t *random)
{
    const bool read = pick(random, 4) != 0, metadata = pick(random, 2) == 0;
    const struct store_file *file;

    do
        file = &subject->files[pick(random, subject->nfiles)];
    while (file->read != read || file->metadata != metadata);
    return file;
}

static void try_one(const struct subject *subject, uint64_t *random, struct buf *got,
                    struct tally *tally)
{
    struct mutation m = {.subject = subject, .file = pick_file(subject, random)};
    enum outcome outcome;

    load(subject, m.file->key, &m.before);
    mutate(&m, random);
    alarm(SECONDS_MAX);
    outcome = judge(subject, m.file->key, got);
    alarm(0);
    if (outcome == WRONG && !m.unseen_ok)
        fail_msg("%s: wrong bytes were served", current);
    if (outcome != RIGHT && !m.file->read && (m.other == NULL || !m.other->read) &&
        !(outcome == REFUSED && (is_witness(m.file) || is_witness(m.other))))
        fail_msg("%s: it matters, though the view does not read it", current);
    tally->total++;
    tally->refused += outcome == REFUSED;
    tally->right += outcome == RIGHT;
    tally->unseen += outcome == WRONG;
    restore(&m);
}

/* ---- subjects ---- */

static void make_place(struct subject *subject)
{
    strcpy(subject->path, "/tmp/vczfs-mutation-XXXXXX");
    assert_non_null(mkdtemp(subject->path));
}

static void copy_store(struct subject *subject, const char *name)
{
    char from[512], command[1600];

    vectors_path(from, sizeof from, "stores", name);
    make_place(subject);
    snprintf(command, sizeof command, "cp -r '%s' %s/s.vcz", from, subject->path);
    assert_int_equal(system(command), 0);
    list_files(subject, "");
    qsort(subject->files, subject->nfiles, sizeof subject->files[0], compare_files);
}

static void remove_subject(struct subject *subject)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", subject->path);
    assert_int_equal(system(command), 0);
    buf_free(&subject->right);
}

/* Gives every array of a v3 store that the view reads a checksum over its chunks. */
static void add_checksums(struct subject *subject)
{
    for (size_t i = 0; i < subject->nfiles; i++) {
        const struct store_file *file = &subject->files[i];
        struct buf data = {0};
        json_t *top, *codecs;

        load(subject, file->key, &data);
        if (!file->metadata) {
            const uint32_t sum = crc32c(data.data, data.len);

            for (int k = 0; k < 4; k++)
                buf_append_char(&data, (char)(sum >> (8 * k)));
            save(subject, file->key, data.data, data.len);
        } else if (strchr(file->key, '/') != NULL) {
            top = json_loadb((const char *)data.data, data.len, 0, NULL);
            codecs = json_object_get(top, "codecs");
            assert_int_equal(json_array_append_new(codecs, json_pack("{s:s}", "name", "crc32c")),
                             0);
            buf_reset(&data);
            {
                char *text = json_dumps(top, 0);

                buf_append_str(&data, text);
                free(text);
            }
            save(subject, file->key, data.data, data.len);
            json_decref(top);
        }
        buf_free(&data);
    }
}

static void run_subject(const char *name, bool checksums)
{
    struct subject *subject = calloc(1, sizeof *subject);
    /* Another seed tries other changes: for those who have the time. */
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15) + strtoull(env_or("VCZFS_SEED", "0"), NULL, 10);
    struct tally tally = {0};
    struct buf got = {0};
    struct err err = {0};

    assert_non_null(subject);
    for (const char *c = name; *c != '\0'; c++)
        random = (random ^ (uint64_t)*c) * UINT64_C(0x100000001b3);
    copy_store(subject, name);
    if (checksums)
        add_checksums(subject);
    subject->checksummed =
        checksums || strstr(name, "gzip") != NULL || strstr(name, "codec_zlib") != NULL;
    if (read_view(subject, &subject->right, &err) != 0)
        fail_msg("%s: %s", name, err.msg);
    for (int i = 0; i < MUTATIONS_PER_STORE; i++)
        try_one(subject, &random, &got, &tally);
    print_message("%-34s %lu changes: %lu refused, %lu made no difference, %lu cannot be seen\n",
                  name, tally.total, tally.refused, tally.right, tally.unseen);
    /* Damage that is never noticed would mean that nothing is damaged. */
    assert_true(tally.refused > tally.total / 10 && tally.right > 0);
    assert_true(!subject->checksummed || tally.unseen < tally.total / 10);
    buf_free(&got);
    remove_subject(subject);
    free(subject);
}

/* ---- archives as files ---- */

static uint32_t get_number(const struct buf *data, size_t at, unsigned nbytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < nbytes; i++)
        value |= (uint32_t)data->data[at + i] << (8 * i);
    return value;
}

/* Where the central directory begins: the last record says it. */
static size_t directory_begin(const struct buf *archive)
{
    const size_t at = archive->len - 22;

    assert_true(archive->len > 22 && get_number(archive, at, 4) == 0x06054b50);
    return get_number(archive, at + 16, 4);
}

/* Half of the changes in the directory and its end. Returns the first byte that is not as it
 * was. */
static size_t change_archive(const char *name, const struct buf *archive, size_t directory,
                             uint64_t *random, struct buf *out)
{
    const bool head = pick(random, 2) == 0;
    size_t at = head ? directory + pick(random, archive->len - directory) : pick(random, directory);
    const size_t kind = pick(random, 8);
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};

    buf_reset(out);
    if (kind == 0) {
        buf_append(out, archive->data, at);
    } else if (kind == 1) {
        /* Some bytes twice. */
        buf_append(out, archive->data, at);
        buf_append(out, archive->data + at / 2, archive->len - at / 2);
        at = at / 2;
    } else {
        buf_append(out, archive->data, archive->len);
        for (size_t i = 0, n = kind == 2 ? 4 : kind == 3 ? 2 : 1; i < n && at + i < out->len; i++) {
            uint64_t byte = kind == 2 ? ones[i] : next_random(random);

            if (kind > 3)
                byte = out->data[at + i] ^ (1u << pick(random, 8));
            out->data[at + i] = (uint8_t)byte;
        }
    }
    assert_false(out->failed);
    snprintf(current, sizeof current, "%s: change %zu at byte %zu of %zu (directory at %zu)", name,
             kind, at, archive->len, directory);
    return at;
}

/* Deflated members have a checksum over all of them; what the directory calls a member may be
 * another name, and then a chunk is not there. Of stored members only parts are read. */
static void run_archive(const char *name, bool deflated)
{
    struct subject *subject = calloc(1, sizeof *subject);
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15) + strtoull(env_or("VCZFS_SEED", "0"), NULL, 10);
    struct buf archive = {0}, changed = {0}, got = {0};
    char from[512], path[512], command[1600];
    struct tally tally = {0};
    struct err err = {0};
    size_t directory;

    assert_non_null(subject);
    vectors_path(from, sizeof from, "stores", name);
    make_place(subject);
    snprintf(path, sizeof path, "%s/s.vcz", subject->path);
    snprintf(command, sizeof command, "cp '%s' %s", from, path);
    assert_int_equal(system(command), 0);
    if (read_view(subject, &subject->right, &err) != 0)
        fail_msg("%s: %s", name, err.msg);
    load_path(path, &archive);
    directory = directory_begin(&archive);
    for (int i = 0; i < MUTATIONS_PER_ARCHIVE; i++) {
        const size_t at = change_archive(name, &archive, directory, &random, &changed);
        enum outcome outcome;

        save_path(path, changed.data, changed.len);
        alarm(SECONDS_MAX);
        outcome = judge(subject, "s.vcz", &got);
        alarm(0);
        if (outcome == WRONG && deflated && at < directory)
            fail_msg("%s: wrong bytes were served", current);
        tally.total++;
        tally.refused += outcome == REFUSED;
        tally.right += outcome == RIGHT;
        tally.unseen += outcome == WRONG;
    }
    print_message("%-34s %lu changes: %lu refused, %lu made no difference, %lu cannot be seen\n",
                  name, tally.total, tally.refused, tally.right, tally.unseen);
    assert_true(tally.refused > tally.total / 10 && tally.right > 0);
    buf_free(&archive);
    buf_free(&changed);
    buf_free(&got);
    remove_subject(subject);
    free(subject);
}

static void test_archives(void **state)
{
    (void)state;
    run_archive("biallelic.vcz.zip", true);
    run_archive("biallelic_v3.vcz.zip", true);
    run_archive("biallelic_stored.vcz.zip", false);
}

static void test_stores(void **state)
{
    static const char *const names[] = {
        "biallelic.vcz",         "codec_none.vcz",
        "codec_gzip.vcz",        "codec_zlib.vcz",
        "codec_lz4.vcz",         "codec_zstd.vcz",
        "codec_blosc_lz4_0.vcz", "codec_blosc_zstd_bit_smallblocks.vcz",
        "gt_int16.vcz",          "order_f.vcz",
        "consolidated.vcz",      "haploid.vcz",
        "biallelic_v3.vcz",      "v3_gzip.vcz",
        "v3_consolidated.vcz",   "v3_sharded.vcz",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        run_subject(names[i], false);
}

static void test_checksummed(void **state)
{
    (void)state;
    run_subject("v3_zstd.vcz", true);
    run_subject("biallelic_v3.vcz", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stores),
                                       cmocka_unit_test(test_checksummed),
                                       cmocka_unit_test(test_archives)};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit limit = {ADDRESS_SPACE_MAX, ADDRESS_SPACE_MAX};

    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
#endif
    signal(SIGALRM, on_alarm);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
