/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BGEN views: every case of the vectors byte for byte, index rows included; what a resume keeps;
 * what is refused; and what a random read costs.
 */
#include "encoderd/serve/sched.h"
#include "encoderd/serve/sidecar.h"
#include "tests/unit/made_store.h"
#include "tests/unit/settings.h"
#include "tests/unit/view_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pass_means means = {.nthreads = 2, .scratch_max = FIXTURE_SCRATCH};

static struct view_options bgen_options(void)
{
    return (struct view_options){.formats = {"bgen"}, .nformats = 1, .basename = "x"};
}

static struct view *open_bgen(const char *path, const struct view_options *options, struct err *err)
{
    struct view *view = NULL;

    *err = (struct err){0};
    return view_open(path, options, -1, &means, NULL, &view, err) == 0 ? view : NULL;
}

static const struct view_file *file_named(const struct view *view, const char *name)
{
    for (size_t i = 0; i < view->nfiles; i++)
        if (strcmp(view->files[i].name, name) == 0)
            return &view->files[i];
    return NULL;
}

/* ---- the index ---- */

/* Fetches the view's index, as a server would, into a file that the caller removes. */
static void fetch_index(const struct view *view, char path[32])
{
    const struct view_file *file = file_named(view, "x.bgen.bgi");
    const struct sidecar_config config = {.view = view,
                                          .file = (size_t)(file - view->files),
                                          .mtime = 1234567890,
                                          .scratch_max = FIXTURE_SCRATCH,
                                          .temporary = sidecar_open_temporary()};
    struct err err = {0};
    struct sidecar_job *fetch = sidecar_start(&config, &err);
    struct pollfd ready;
    struct made_sidecar made;
    uint8_t *bytes;
    int copy, temporary;

    assert_non_null(fetch);
    ready = (struct pollfd){.fd = sidecar_wake_fd(fetch), .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 60000), 1);
    if (sidecar_result(fetch, &made, &err) != 0)
        fail_msg("%s", err.msg);
    temporary = sidecar_end(fetch);
    if (temporary >= 0)
        close(temporary);
    bytes = malloc(made.size);
    assert_int_equal(pread(made.fd, bytes, made.size, 0), made.size);
    close(made.fd);
    strcpy(path, "/tmp/vczfs-test-bgi-XXXXXX");
    copy = mkstemp(path);
    assert_int_equal(write(copy, bytes, made.size), made.size);
    close(copy);
    free(bytes);
}

static void column_to(struct buf *out, sqlite3_stmt *row, int column, char end)
{
    buf_append(out, sqlite3_column_text(row, column), (size_t)sqlite3_column_bytes(row, column));
    buf_append_char(out, end);
}

/* The Variant table in file order, as the vectors have it. */
static void index_rows(const char *path, struct buf *out)
{
    sqlite3 *db;
    sqlite3_stmt *rows;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(rows, 0), "ok");
    sqlite3_finalize(rows);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT chromosome, position, rsid, number_of_alleles, "
                                        "allele1, allele2, file_start_position, size_in_bytes "
                                        "FROM Variant ORDER BY file_start_position",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW)
        for (int i = 0; i < 8; i++)
            column_to(out, rows, i, i < 7 ? '\t' : '\n');
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void check_metadata(const char *path, const struct view *view)
{
    const uint64_t size = view->files[0].size, nfirst = size < 1000 ? size : 1000;
    struct err err = {0};
    uint8_t *whole = encode_range(view, 0, size, &err);
    sqlite3 *db;
    sqlite3_stmt *row;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT filename, file_size, last_write_time, "
                                        "first_1000_bytes, index_creation_time FROM Metadata",
                                        -1, &row, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(row, 0), "x.bgen");
    assert_int_equal(sqlite3_column_int64(row, 1), size);
    assert_int_equal(sqlite3_column_int64(row, 2), 1234567890);
    assert_int_equal(sqlite3_column_bytes(row, 3), nfirst);
    assert_memory_equal(sqlite3_column_blob(row, 3), whole, nfirst);
    assert_int_equal(sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 2));
    assert_int_equal(sqlite3_step(row), SQLITE_DONE);
    sqlite3_finalize(row);
    sqlite3_close(db);
    free(whole);
}

/* ---- the vectors ---- */

static bool take_word(struct view_options *options, const char *word, char **save)
{
    const struct option_spec *spec;

    if (strcmp(word, "-M") == 0) {
        options->max_alleles = strtoull(strtok_r(NULL, " ", save), NULL, 10);
        return true;
    }
    if (strcmp(word, "--unphased") == 0) {
        assert_string_equal(options->settings[0].key, "phased");
        options->settings[0].key = "unphased";
        return true;
    }
    spec = strncmp(word, "--", 2) == 0 ? declared_option(&declared_bgen, word + 2) : NULL;
    if (spec == NULL)
        return false;
    set(options, "bgen", spec->name, spec->kind == OPTION_SWITCH ? "" : strtok_r(NULL, " ", save));
    return true;
}

/* The reference shows phase and ploidy as they are stored. False for a case with options that are
 * not this format's, or whose error is the front's to find. */
static bool take_options(struct view_options *options, char *text)
{
    char *save;

    *options = bgen_options();
    set(options, "bgen", "phased", "");
    set(options, "bgen", "haploid", "");
    if (strstr(text, "--pad-byte XY") != NULL)
        return false;
    for (char *word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        if (!take_word(options, word, &save))
            return false;
    return true;
}

static void check_due(const char *path, const void *got, size_t nbytes, const uint8_t *due,
                      size_t size)
{
    if (nbytes != size || memcmp(got, due, size) != 0)
        fail_msg("%s differs (%zu bytes of %zu)", path, nbytes, size);
}

static void check_bytes(const char *path, const void *got, size_t nbytes, bool wanted)
{
    size_t size = 0;
    uint8_t *due = fixture_read(path, &size);

    assert_int_equal(due != NULL, wanted);
    if (due != NULL)
        check_due(path, got, nbytes, due, size);
    free(due);
}

/* The reference's has three columns: a fourth one is due. */
static void check_sample_file(const char *path, const void *got, size_t nbytes)
{
    static const char *const fourth[] = {" sex", " D", " NA"};
    size_t size = 0, line = 0;
    uint8_t *three = fixture_read(path, &size);
    struct buf due = {0};

    assert_non_null(three);
    for (size_t i = 0; i < size; i++) {
        if (three[i] == '\n')
            buf_append_str(&due, fourth[line < 2 ? line++ : 2]);
        buf_append_char(&due, (char)three[i]);
    }
    check_due(path, got, nbytes, due.data, due.len);
    buf_free(&due);
    free(three);
}

static void check_view(const struct view *view, struct view_options *options, const char *expected)
{
    const struct view_file *sample = file_named(view, "x.sample");
    char path[4200], index[32];
    struct err err = {0};
    struct buf rows = {0};
    uint8_t *stream = encode_range(view, 0, view->files[0].size, &err);

    if (stream == NULL)
        fail_msg("%s: %s", expected, err.msg);
    snprintf(path, sizeof path, "%s/x.bgen", expected);
    check_bytes(path, stream, view->files[0].size, true);
    assert_int_equal(stream[view->files[0].size], 0xa5);
    free(stream);
    snprintf(path, sizeof path, "%s/x.sample", expected);
    assert_int_equal(sample == NULL, setting_of(options, "bgen", "no-sample-file") != NULL);
    if (sample != NULL) {
        uint8_t *bytes = malloc(sample->size);

        assert_int_equal(pread(sample->fd, bytes, sample->size, 0), sample->size);
        check_sample_file(path, bytes, sample->size);
        free(bytes);
    }
    assert_int_equal(file_named(view, "x.bgen.bgi") == NULL,
                     setting_of(options, "bgen", "no-bgi") != NULL);
    if (setting_of(options, "bgen", "no-bgi") != NULL)
        return;
    fetch_index(view, index);
    index_rows(index, &rows);
    check_metadata(index, view);
    snprintf(path, sizeof path, "%s/x.bgi.tsv", expected);
    check_bytes(path, rows.data, rows.len, true);
    buf_free(&rows);
    unlink(index);
}

static void check_case(const char *id, const char *store, struct view_options *options)
{
    char path[4096], expected[4096], error[4200];
    struct err err;
    struct view *view;

    vectors_path(path, sizeof path, "stores", store);
    vectors_path(expected, sizeof expected, "expected", id);
    snprintf(error, sizeof error, "%s/error.txt", expected);
    view = open_bgen(path, options, &err);
    if (access(error, F_OK) == 0) {
        assert_null(view);
        assert_int_equal(err.code, ERR_DATA);
        assert_non_null(strstr(err.msg, "--max-alleles 2"));
        return;
    }
    if (view == NULL)
        fail_msg("%s: %s", id, err.msg);
    check_view(view, options, expected);
    view_free(view);
}

static void every_case_of_the_vectors(void **state)
{
    char path[4096], *save;
    size_t size = 0, ncases = 0;
    char *text;

    (void)state;
    vectors_path(path, sizeof path, "cases.tsv", "");
    path[strlen(path) - 1] = '\0';
    text = (char *)fixture_read(path, &size);
    assert_non_null(text);
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char id[128], store[128], format[16], rest[512] = "";
        struct view_options options;

        if (sscanf(line, "%127[^\t]\t%127[^\t]\t%15[^\t]\t%511[^\n]", id, store, format, rest) <
                3 ||
            strcmp(format, "bgen") != 0 || strstr(store, ".zip") != NULL ||
            !take_options(&options, rest))
            continue;
        options.absent_fill = strcmp(store, "missing_chunks.vcz") == 0;
        check_case(id, store, &options);
        ncases++;
    }
    assert_true(ncases >= 42);
    free(text);
}

/* ---- resume ---- */

static void a_resume_knows_the_string_length(void **state)
{
    struct view_options options = bgen_options();
    struct view_resume resume;
    struct view *first, *second = NULL;
    char path[4096];
    struct err err = {0};
    uint8_t *a, *b;

    (void)state;
    vectors_path(path, sizeof path, "stores", "longalleles.vcz");
    first = open_bgen(path, &options, &err);
    assert_non_null(first);
    assert_int_equal(first->notices.n, 1);
    assert_non_null(strstr(first->notices.text[0], "--total-string-length"));
    assert_true(first->state_fd >= 0);
    resume = (struct view_resume){first->fingerprint, first->state_fd};
    assert_int_equal(view_open(path, &options, -1, &means, &resume, &second, &err), 0);
    assert_int_equal(second->nfiles, first->nfiles);
    assert_int_equal(second->files[0].size, first->files[0].size);
    a = encode_range(first, 0, first->files[0].size, &err);
    b = encode_range(second, 0, second->files[0].size, &err);
    assert_memory_equal(a, b, first->files[0].size);
    view_free(second);
    /* Without its state the same view cannot be had, and another option is another view. */
    resume.state_fd = -1;
    assert_int_equal(view_open(path, &options, -1, &means, &resume, &second, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    resume.state_fd = first->state_fd;
    set(&options, "bgen", "phased", "");
    assert_int_equal(view_open(path, &options, -1, &means, &resume, &second, &err), -1);
    assert_int_equal(err.code, ERR_CHANGED);
    free(a);
    free(b);
    view_free(first);
}

static void a_spoiled_state_is_refused(void **state)
{
    const struct view_options options = bgen_options();
    struct view *first, *second = NULL;
    char path[4096];
    struct err err = {0};
    uint8_t bytes[4096];
    ssize_t n;

    (void)state;
    vectors_path(path, sizeof path, "stores", "phased.vcz");
    first = open_bgen(path, &options, &err);
    assert_non_null(first);
    n = pread(first->state_fd, bytes, sizeof bytes, 0);
    assert_true(n > 16);
    for (ssize_t cut = 0; cut < n; cut += 7) {
        FILE *file = tmpfile();
        struct view_resume resume = {first->fingerprint, fileno(file)};

        assert_int_equal(fwrite(bytes, 1, (size_t)cut, file), cut);
        fflush(file);
        assert_int_equal(view_open(path, &options, -1, &means, &resume, &second, &err), -1);
        assert_int_equal(err.code, ERR_PEER);
        fclose(file);
    }
    for (size_t at = 0; at < 32; at++) {
        FILE *file = tmpfile();
        struct view_resume resume = {first->fingerprint, fileno(file)};

        bytes[at] ^= 0x80;
        assert_int_equal(fwrite(bytes, 1, (size_t)n, file), n);
        fflush(file);
        bytes[at] ^= 0x80;
        if (view_open(path, &options, -1, &means, &resume, &second, &err) == 0) {
            view_free(second);
            fail_msg("a state with byte %zu spoiled was taken", at);
        }
        fclose(file);
    }
    view_free(first);
}

/* ---- refusals ---- */

static void too_short_a_string_length_names_the_worst(void **state)
{
    struct view_options options = bgen_options();
    char path[4096], number[32];
    struct err err = {0};
    struct view *view;
    uint64_t least;

    (void)state;
    vectors_path(path, sizeof path, "stores", "longalleles.vcz");
    set(&options, "bgen", "total-string-length", "64");
    assert_null(open_bgen(path, &options, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "variant "));
    least = strtoull(strstr(err.msg, "needs ") + strlen("needs "), NULL, 10);
    snprintf(number, sizeof number, "give %llu or more", (unsigned long long)least);
    assert_non_null(strstr(err.msg, number));
    snprintf(number, sizeof number, "%llu", (unsigned long long)least - 1);
    set(&options, "bgen", "total-string-length", number);
    assert_null(open_bgen(path, &options, &err));
    snprintf(number, sizeof number, "%llu", (unsigned long long)least);
    view = open_bgen(path, &options, &err);
    assert_non_null(view);
    view_free(view);
}

static void a_format_that_refuses_is_left_out(void **state)
{
    struct view_options options = {
        .formats = {"plink", "bgen"}, .nformats = 2, .basename = "x", .formats_optional = true};
    struct err err = {0};
    struct view *view;
    char path[4096];

    (void)state;
    vectors_path(path, sizeof path, "stores", "phased.vcz");
    view = open_bgen(path, &options, &err);
    assert_non_null(view);
    assert_int_equal(view->nfiles, 6);
    assert_int_equal(view->notices.n, 0);
    view_free(view);
    /* Both refuse, for one reason: it is said once. */
    vectors_path(path, sizeof path, "stores", "small.vcz");
    assert_null(open_bgen(path, &options, &err));
    assert_int_equal(err.code, ERR_DATA);
    assert_null(strstr(err.msg, "no format is left"));
}

/* Only --phased needs the phase; a store that does not know it has none to show. */
static void a_faulty_phase_is_refused_where_it_is_shown(void **state)
{
    static const int64_t calls[12] = {0};
    struct view_options options = {
        .formats = {"plink", "bgen"}, .nformats = 2, .basename = "x", .formats_optional = true};
    struct made_store store;
    struct err err = {0};
    struct view *view;

    (void)state;
    made_vcz(&store);
    set(&options, "bgen", "phased", "");
    view = open_bgen(store.path, &options, &err);
    assert_non_null(view);
    assert_int_equal(view->nfiles, 6);
    assert_int_equal(view->notices.n, 0);
    view_free(view);
    made_put(&store,
             &(struct made_array){"call_genotype_phased", "|b1", 2, {4, 3}, {0}, calls, NULL});
    view = open_bgen(store.path, &options, &err);
    assert_non_null(view);
    assert_int_equal(view->nfiles, 3);
    assert_int_equal(view->notices.n, 1);
    assert_non_null(strstr(view->notices.text[0], "call_genotype_phased"));
    view_free(view);
    options.nsettings = 0;
    view = open_bgen(store.path, &options, &err);
    assert_non_null(view);
    assert_int_equal(view->nfiles, 6);
    view_free(view);
    made_remove(&store);
}

static const int64_t calls_with_one[] = {2, 0, 0, 1, 1, 1, -1, -1, 0, -2, 1, 0};

/* The rows of the index of a store whose first variant has a call that cannot be, or not. */
static void rows_of_index(const struct view_options *options, bool good, struct buf *rows,
                          uint64_t *nfirst, uint64_t *nheader)
{
    struct made_store store;
    struct err err = {0};
    struct view *view;
    char path[32];
    sqlite3 *db;
    sqlite3_stmt *row;

    made_vcz(&store);
    if (!good)
        made_put(&store, &(struct made_array){
                             "call_genotype", "|i1", 3, {3, 2, 2}, {0}, calls_with_one, NULL});
    view = open_bgen(store.path, options, &err);
    assert_non_null(view);
    *nheader = view->files[0].stream->layout.header_nbytes;
    fetch_index(view, path);
    index_rows(path, rows);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT length(first_1000_bytes) FROM Metadata", -1, &row, NULL);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    *nfirst = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    unlink(path);
    view_free(view);
    made_remove(&store);
}

/* The index is of every variant. What it says of the file's first bytes is as much as can be read
 * of them. */
static void a_call_that_cannot_be_is_not_the_index(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct view_options options = bgen_options();
        struct buf good = {0}, bad = {0};
        uint64_t nfirst, nheader;

        if (i == 1) {
            set(&options, "bgen", "haploid", "");
            set(&options, "bgen", "variant-id-field", "varid");
        }
        rows_of_index(&options, true, &good, &nfirst, &nheader);
        assert_true(nfirst > nheader);
        rows_of_index(&options, false, &bad, &nfirst, &nheader);
        assert_int_equal(nfirst, nheader);
        assert_int_equal(bad.len, good.len);
        assert_memory_equal(bad.data, good.data, good.len);
        buf_free(&good);
        buf_free(&bad);
    }
}

/* ---- what a read costs ---- */

static uint64_t blocks_for(const struct view *view, uint64_t begin, uint64_t end)
{
    struct encode_worker worker;
    struct decoder_stats stats;
    struct err err = {0};
    uint8_t *bytes = malloc(end - begin);
    const struct encode_target target = {.begin = begin, .end = end, .out = bytes};

    assert_int_equal(encode_worker_init(&worker, FIXTURE_SCRATCH, NULL, &err), 0);
    if (encode_target(view->files[0].stream, &target, &worker, &err) != 0)
        fail_msg("%s", err.msg);
    decoder_stats(worker.decoder, &stats);
    encode_worker_clear(&worker);
    free(bytes);
    return stats.blocks;
}

static void one_variant_costs_its_own_blocks(void **state)
{
    struct view_options options = bgen_options();
    char path[4096];
    struct err err = {0};
    struct view *view;
    const struct stream_layout *layout;

    (void)state;
    assert_int_equal(make_store(path, sizeof path,
                                "--samples 3000 --variants 2000 --chunk-variants 1000 "
                                "--blocksize 65536"),
                     0);
    options.max_alleles = 2;
    set(&options, "bgen", "phased", "");
    view = open_bgen(path, &options, &err);
    if (view == NULL)
        fail_msg("%s", err.msg);
    layout = &view->files[0].stream->layout;
    for (uint64_t row = 0; row < layout->nrows; row += 97) {
        const uint64_t at = layout->header_nbytes + row * layout->row_nbytes;

        /* A row of genotypes is 6000 bytes and its flags are 3000: one block of each, or two where
         * it crosses from one to the next. */
        assert_true(blocks_for(view, at, at + layout->row_nbytes) <= 4);
    }
    assert_int_equal(blocks_for(view, 0, layout->header_nbytes), 0);
    view_free(view);
    remove_store(path);
}

/* Any rows are what they are in the whole. */
static void rows_do_not_depend_on_the_target(void **state)
{
    static const char *const made[] = {
        ("--samples 30000 --variants 30 --haploid-fraction 0.3 --missing 0.05 --half-missing 0.01 "
         "--phased 0.5 --chunk-samples 7001 --chunk-variants 11"),
        "--samples 301 --variants 700 --ploidy 1 --missing 0.05",
        "--samples 22000 --variants 9 --no-phased",
    };

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof made / sizeof made[0]); i++) {
        struct view_options options = bgen_options();
        char path[4096];
        struct err err = {0};
        struct view *view;
        const struct stream_layout *layout;
        uint8_t *whole;

        if (i % 2 != 0) {
            set(&options, "bgen", "phased", "");
            set(&options, "bgen", "haploid", "");
        }
        assert_int_equal(make_store(path, sizeof path, made[i / 2]), 0);
        view = open_bgen(path, &options, &err);
        if (view == NULL)
            fail_msg("%s", err.msg);
        layout = &view->files[0].stream->layout;
        whole = encode_range(view, 0, view->files[0].size, &err);
        if (whole == NULL)
            fail_msg("%s", err.msg);
        for (uint64_t row = 0; row < layout->nrows; row += 1 + row / 3) {
            const uint64_t at = layout->header_nbytes + row * layout->row_nbytes;
            uint8_t *one = encode_range(view, at, at + layout->row_nbytes, &err);

            assert_memory_equal(one, whole + at, layout->row_nbytes);
            assert_int_equal(one[layout->row_nbytes], 0xa5);
            free(one);
        }
        free(whole);
        view_free(view);
        remove_store(path);
    }
}

static void read_through(const struct view *view, const uint8_t *whole, unsigned nthreads,
                         uint64_t step)
{
    const struct sched_config config = {nthreads, (size_t)8 << 20, (size_t)4 << 20, (size_t)4 << 20,
                                        (size_t)4 << 20};
    const uint64_t size = view->files[0].size;
    struct err err = {0};
    struct arena *arena = arena_new((uint64_t)16 << 20, &err);
    struct sched *sched = sched_new(view, arena, &config, &err);

    assert_non_null(sched);
    for (uint64_t at = 0; at < size;) {
        const struct sched_read read = {.id = at, .handle = 1, .offset = at, .length = step};
        struct pollfd wake = {.fd = sched_wake_fd(sched), .events = POLLIN};
        struct sched_answer answer;

        sched_read(sched, &read);
        while (sched_answers(sched, &answer, 1) == 0)
            assert_true(poll(&wake, 1, 20000) == 1);
        if (answer.failed)
            fail_msg("%s", answer.err.msg);
        assert_memory_equal(arena_at(arena, answer.at), whole + answer.offset, answer.length);
        at = answer.offset + answer.length;
        assert_true(sched_return(sched, answer.lease));
    }
    sched_free(sched);
    arena_free(arena);
}

/* Blocks that reach from one span into the next are written into both by one worker; whoever is
 * last finishes the rows. And what is phased in blocks that are stored alike, as where all calls
 * are or nearly, is found out once; encode_range, which has nowhere to keep it, each time. */
static void any_number_of_workers_makes_the_same_bytes(void **state)
{
    static const char *const made[] = {
        "--samples 30000 --variants 30 --haploid-fraction 0.5 --phased 0.5 --chunk-samples 9001",
        "--samples 2504 --variants 900 --chunk-variants 100",
        "--samples 2504 --variants 900 --chunk-variants 100 --phased 0.97 --blocksize 65536",
        "--samples 1300 --variants 600 --chunk-variants 90 --chunk-samples 501 --phased 0.97",
    };

    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        struct view_options options = bgen_options();
        char path[4096];
        struct err err = {0};
        struct view *view;
        uint8_t *whole;

        set(&options, "bgen", "phased", "");
        if (i % 2 == 0)
            set(&options, "bgen", "haploid", "");
        assert_int_equal(make_store(path, sizeof path, made[i]), 0);
        view = open_bgen(path, &options, &err);
        assert_non_null(view);
        whole = encode_range(view, 0, view->files[0].size, &err);
        assert_non_null(whole);
        for (unsigned round = 0; round < 12; round++)
            read_through(view, whole, 1 + round % 4, UINT64_C(32768) << round % 3);
        free(whole);
        view_free(view);
        remove_store(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_vectors),
        cmocka_unit_test(a_resume_knows_the_string_length),
        cmocka_unit_test(a_spoiled_state_is_refused),
        cmocka_unit_test(too_short_a_string_length_names_the_worst),
        cmocka_unit_test(a_format_that_refuses_is_left_out),
        cmocka_unit_test(a_faulty_phase_is_refused_where_it_is_shown),
        cmocka_unit_test(a_call_that_cannot_be_is_not_the_index),
        cmocka_unit_test(one_variant_costs_its_own_blocks),
        cmocka_unit_test(rows_do_not_depend_on_the_target),
        cmocka_unit_test(any_number_of_workers_makes_the_same_bytes),
    };

    return cmocka_run_group_tests_name("bgen", tests, NULL, NULL);
}
