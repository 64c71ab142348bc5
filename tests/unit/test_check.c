/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: clean stores have no problems; each kind of damage is named with its array and chunk.
 */
#include "encoderd/check/check.h"

#include "common/crc32c.h"
#include "tests/unit/made_store.h"
#include "tests/unit/view_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

struct report {
    char *text;
    uint64_t nproblems;
};

static struct report check(const char *path, bool json)
{
    const struct pass_means means = {.nthreads = 2, .scratch_max = FIXTURE_SCRATCH};
    struct report report = {0};
    struct buf text = {0};
    struct err err = {0};

    if (check_store(path, 0, false, &means, json, &text, &report.nproblems, &err) != 0)
        fail_msg("%s", err.msg);
    buf_append(&text, "", 1);
    assert_false(text.failed);
    report.text = (char *)text.data;
    return report;
}

static void expect_clean(const char *path)
{
    struct report report = check(path, false);

    if (report.nproblems != 0)
        fail_msg("%s", report.text);
    assert_non_null(strstr(report.text, "problems  none"));
    free(report.text);
}

static void test_vectors_are_clean(void **state)
{
    static const char *const names[] = {"small.vcz",        "biallelic.vcz",     "phased.vcz",
                                        "haploid.vcz",      "mixedploidy.vcz",   "oddwide.vcz",
                                        "longalleles.vcz",  "codec_gzip.vcz",    "codec_lz4.vcz",
                                        "gt_int32.vcz",     "bigendian.vcz",     "order_f.vcz",
                                        "biallelic_v3.vcz", "v3_sharded.vcz",    "v3_gzip.vcz",
                                        "null_samples.vcz", "no_id_no_phase.vcz"};
    char path[4096];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        vectors_path(path, sizeof path, "stores", names[i]);
        expect_clean(path);
    }
}

/* ---- damage ---- */

/* A copy of a vector, in a directory of its own; remove_store removes it. */
static void copy_vector(const char *name, char *path, size_t size)
{
    char from[4096], command[16384];

    vectors_path(from, sizeof from, "stores", name);
    snprintf(path, size, "/tmp/vczfs-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    snprintf(command, sizeof command, "cp -r '%s' %s/s.vcz", from, path);
    assert_int_equal(system(command), 0);
    strncat(path, "/s.vcz", size - strlen(path) - 1);
}

static void put(const char *store, const char *key, const void *data, size_t n)
{
    char path[4200];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", store, key);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* Every line of a problem names where it is first. */
static void expect_problem(const char *store, const char *where, const char *what)
{
    struct report report = check(store, false);
    char line[512];

    snprintf(line, sizeof line, "\n  %s: ", where);
    if (report.nproblems == 0 || strstr(report.text, line) == NULL ||
        strstr(report.text, what) == NULL)
        fail_msg("%s, %s not found in:\n%s", where, what, report.text);
    free(report.text);
}

/* Replaces a file of a copy of codec_none.vcz, whose chunks are their bytes. */
static void expect_damage(const char *key, const void *data, size_t n, const char *where,
                          const char *what)
{
    char path[4096];

    copy_vector("codec_none.vcz", path, sizeof path);
    put(path, key, data, n);
    expect_problem(path, where, what);
    remove_store(path);
}

static size_t get(const char *store, const char *key, uint8_t *to, size_t room)
{
    char path[4096], full[4400];
    FILE *file;
    size_t n;

    vectors_path(path, sizeof path, "stores", store);
    snprintf(full, sizeof full, "%s/%s", path, key);
    file = fopen(full, "rb");
    assert_non_null(file);
    n = fread(to, 1, room, file);
    assert_int_equal(fclose(file), 0);
    return n;
}

static void test_bytes(void **state)
{
    uint8_t bytes[4096];
    size_t n = get("codec_none.vcz", "call_genotype/1.2.0", bytes, sizeof bytes);

    (void)state;
    assert_int_equal(n, 800);
    expect_damage("call_genotype/1.2.0", bytes, n - 1, "call_genotype/1.2.0", "799 bytes");
    expect_damage("call_genotype/1.2.0", bytes, 0, "call_genotype/1.2.0", "0 bytes");
    bytes[21] = 7;
    expect_damage("call_genotype/1.2.0", bytes, n, "call_genotype/1.2.0",
                  "value [51, 18, 1] = 7 is an allele that the site does not have (1 such value ");
    bytes[21] = (uint8_t)-3;
    expect_damage("call_genotype/1.2.0", bytes, n, "call_genotype/1.2.0", "neither an allele");
    bytes[20] = (uint8_t)-2;
    bytes[21] = 0;
    expect_damage("call_genotype/1.2.0", bytes, n, "call_genotype/1.2.0",
                  "value [51, 18, 1] = 0 is an allele after a fill value");
}

static void test_columns(void **state)
{
    uint8_t bytes[4096];
    size_t n = get("codec_none.vcz", "variant_contig/2", bytes, sizeof bytes);

    (void)state;
    bytes[3] = 100;
    expect_damage("variant_contig/2", bytes, n, "variant_contig/2",
                  "value [103] = 100 is no index into contig_id");
    n = get("codec_none.vcz", "variant_position/2", bytes, sizeof bytes);
    bytes[7] = 0x80;
    expect_damage("variant_position/2", bytes, n, "variant_position/2", "is negative");
    n = get("codec_none.vcz", "call_genotype_phased/0.0", bytes, sizeof bytes);
    bytes[0] = 2;
    expect_damage("call_genotype_phased/0.0", bytes, n, "call_genotype_phased/0.0",
                  "= 2 is neither 0 nor 1");
    n = get("codec_none.vcz", "variant_allele/0.0", bytes, sizeof bytes);
    bytes[4] = 200;
    expect_damage("variant_allele/0.0", bytes, n, "variant_allele/0.0", "string");
    n = get("codec_none.vcz", "sample_id/0", bytes, sizeof bytes);
    bytes[8] = 0xff;
    expect_damage("sample_id/0", bytes, n, "sample_id/0", "not UTF-8");
}

static void test_metadata(void **state)
{
    static const char wrong[] = "{\"zarr_format\":2,\"shape\":[9],\"chunks\":[9],\"dtype\":\"<i4\","
                                "\"fill_value\":0,\"order\":\"C\",\"filters\":null,"
                                "\"compressor\":null}";
    char path[4096], command[8300];

    (void)state;
    expect_damage("variant_quality/.zarray", "{", 1, "variant_quality", "variant_quality");
    expect_damage("variant_quality/.zarray", wrong, sizeof wrong - 1, "variant_quality",
                  "it has 9 variants where variant_position has 257");
    copy_vector("codec_none.vcz", path, sizeof path);
    snprintf(command, sizeof command, "rm %s/variant_position/.zarray", path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/variant_position", path);
    {
        struct report report = check(path, false);

        assert_int_equal(report.nproblems, 1);
        assert_non_null(strstr(report.text, "variant_position"));
        free(report.text);
    }
    remove_store(path);
}

static void run_in(const char *store, const char *fmt)
{
    char command[16384];

    snprintf(command, sizeof command, "cd %s && %s", store, fmt);
    assert_int_equal(system(command), 0);
}

static void test_files(void **state)
{
    char path[4096];

    (void)state;
    copy_vector("codec_zlib.vcz", path, sizeof path);
    run_in(path, "rm call_genotype/0.0.0 && mkdir call_genotype/0.0.0");
    expect_problem(path, "call_genotype/0.0.0", "not a regular file");
    run_in(path, "rmdir call_genotype/0.0.0 && mkfifo call_genotype/0.0.0");
    expect_problem(path, "call_genotype/0.0.0", "regular");
    run_in(path, "rm call_genotype/0.0.0 && ln -s /etc/passwd call_genotype/0.0.0");
    expect_problem(path, "call_genotype/0.0.0", "link");
    run_in(path, "rm call_genotype/0.0.0 && cp variant_position/0 call_genotype/0.0.0");
    expect_problem(path, "call_genotype/0.0.0", "800");
    run_in(path, "rm -r variant_filter/.zarray && mkdir variant_filter/.zarray");
    expect_problem(path, "variant_filter", "not a regular file");
    remove_store(path);
}

/* That chunks are absent, and an order that tools will not like, is said and is no problem. */
static void test_remarks(void **state)
{
    struct report report;
    uint8_t bytes[4096];
    char path[4096];
    size_t n;

    (void)state;
    copy_vector("codec_none.vcz", path, sizeof path);
    run_in(path, "rm call_genotype/3.1.0");
    n = get("codec_none.vcz", "variant_position/2", bytes, sizeof bytes);
    bytes[2] = bytes[3] = 0;
    put(path, "variant_position/2", bytes, n);
    report = check(path, false);
    if (report.nproblems != 0 ||
        strstr(report.text, "call_genotype: 1 of 36 chunks are not stored") == NULL ||
        strstr(report.text, "variant_position: not sorted: variant 101 ") == NULL)
        fail_msg("%s", report.text);
    free(report.text);
    remove_store(path);
}

/* Fails unless the check finds no problem, and the remark. */
static void expect_remark(const char *store, const char *remark)
{
    struct report report = check(store, false);

    if (report.nproblems != 0 || strstr(report.text, remark) == NULL)
        fail_msg("%s not found in:\n%s", remark, report.text);
    free(report.text);
}

/* A tool may write a site without its ALT, and calls of it: they are shown, as plink2 shows them. A
 * second ALT that is not there cannot be. */
static void test_calls_without_alt(void **state)
{
    static const int64_t beyond[] = {0, 0, 0, 1, 1, 1, -1, -1, 0, -2, 2, 0};
    struct made_store store;

    (void)state;
    made_vcz(&store);
    expect_remark(store.path, "call_genotype: 1 value is allele 1 of a site that has no ALT");
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 2, 2}, {0}, beyond, NULL});
    expect_problem(store.path, "call_genotype/0.0.0", "an allele that the site does not have");
    made_remove(&store);
}

/* A call of ploidy 0 is shown as missing; stored or not, on an axis of any length and chunking. */
static void test_zero_ploidy(void **state)
{
    static const int64_t calls[] = {0, -2, -2, -2, 1, 1, -2, -2, 0, -2, 1, 0};
    static const uint64_t chunks[][3] = {{0}, {2, 1, 1}, {2, 1, 2}, {5, 3, 4}};
    struct made_store store;

    (void)state;
    made_vcz(&store);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct made_array array = {"call_genotype", "|i1", 3, {3, 2, 2}, {0}, calls, NULL};

        memcpy(array.chunk, chunks[i], sizeof array.chunk);
        made_put(&store, &array);
        expect_remark(store.path, "call_genotype: 2 calls are of no alleles");
    }
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 2, 1}, {0}, calls, NULL});
    expect_remark(store.path, "call_genotype: 3 calls are of no alleles");
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 2, 2}, {2}, NULL, NULL});
    made_text(&store, "call_genotype/.zarray",
              "{\"zarr_format\":2,\"shape\":[3,2,2],\"chunks\":[2,2,2],\"dtype\":\"|i1\","
              "\"fill_value\":-2,\"order\":\"C\",\"filters\":null,\"compressor\":null}");
    expect_remark(store.path, "call_genotype: 6 calls are of no alleles");
    made_remove(&store);
}

static void put_dtype(const struct made_store *store, const char *name, const char *dtype)
{
    char key[64], text[256];

    made_put(store, &(struct made_array){name, "|i1", 1, {3}, {0}, NULL, NULL});
    snprintf(key, sizeof key, "%s/.zarray", name);
    snprintf(text, sizeof text,
             "{\"zarr_format\":2,\"shape\":[3],\"chunks\":[3],\"dtype\":%s,\"fill_value\":null,"
             "\"order\":\"C\",\"filters\":null,\"compressor\":null}",
             dtype);
    made_text(store, key, text);
}

/* What is legal and not read here is no fault of the store, unless a view needs it; what is no type
 * is. */
static void test_dtypes(void **state)
{
    static const char *const legal[] = {"\"<M8[ns]\"", "\"|V8\"", "\"<c16\"",
                                        "[[\"a\",\"<i4\"],[\"b\",\"<f8\"]]"};
    struct made_store store;

    (void)state;
    made_vcz(&store);
    for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++) {
        put_dtype(&store, "collected", legal[i]);
        expect_remark(store.path, "\n  collected: ");
    }
    put_dtype(&store, "collected", "\"<i9\"");
    expect_problem(store.path, "collected", "none that there is");
    made_drop(&store, "collected");
    put_dtype(&store, "variant_id", "\"<M8[ns]\"");
    expect_problem(store.path, "variant_id", "not supported");
    made_remove(&store);
}

/* What metadata alone say takes no time in proportion, and is held to the same rules. */
static void test_absent(void **state)
{
    static const char strings[] = "{\"zarr_format\":2,\"shape\":[257,1000000000000],\"chunks\":"
                                  "[257,1000000000000],\"dtype\":\"|O\",\"fill_value\":\"x\","
                                  "\"order\":\"C\",\"filters\":[{\"id\":\"vlen-utf8\"}],"
                                  "\"compressor\":null}";
    struct report report;
    char path[4096];

    (void)state;
    copy_vector("codec_none.vcz", path, sizeof path);
    run_in(path, "mkdir variant_claim");
    put(path, "variant_claim/.zarray", strings, sizeof strings - 1);
    report = check(path, false);
    if (report.nproblems != 0 ||
        strstr(report.text, "variant_claim: 1 of 1 chunks are not stored") == NULL)
        fail_msg("%s", report.text);
    free(report.text);
    remove_store(path);
}

/* A genotype chunk that is not stored, of more rows than a block has: sites of one allele are at
 * its end. */
static void test_absent_genotypes(void **state)
{
    enum { N = 3000, SAMPLES = 300 };
    static const char *alleles[2 * N], *samples[SAMPLES];
    static const int64_t contig[N], position[N];
    static char names[SAMPLES][8];
    struct made_store store;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        alleles[2 * i] = "A";
        alleles[2 * i + 1] = i < N - 2 ? "C" : "";
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        snprintf(names[i], sizeof names[i], "S%zu", i);
        samples[i] = names[i];
    }
    made_vcz(&store);
    made_drop(&store, "variant_id");
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {N}, {0}, contig, NULL});
    made_put(&store, &(struct made_array){"variant_position", "<i4", 1, {N}, {0}, position, NULL});
    made_put(&store, &(struct made_array){"variant_allele", "|O", 2, {N, 2}, {0}, NULL, alleles});
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {SAMPLES}, {0}, NULL, samples});
    made_put(&store, &(struct made_array){
                         "call_genotype", "|i1", 3, {N, SAMPLES, 2}, {N + 7, 320, 2}, NULL, NULL});
    made_text(&store, "call_genotype/.zarray",
              "{\"zarr_format\":2,\"shape\":[3000,300,2],\"chunks\":[3007,320,2],\"dtype\":\"|i1\","
              "\"fill_value\":2,\"order\":\"C\",\"filters\":null,\"compressor\":null}");
    expect_problem(store.path, "call_genotype/0.0.0",
                   "value [0, 0, 0] = 2 is an allele that the site does not have (1800000 such "
                   "values in this chunk)");
    made_text(&store, "call_genotype/.zarray",
              "{\"zarr_format\":2,\"shape\":[3000,300,2],\"chunks\":[3007,320,2],\"dtype\":\"|i1\","
              "\"fill_value\":1,\"order\":\"C\",\"filters\":null,\"compressor\":null}");
    expect_remark(store.path, "1200 values are allele 1 of a site that has no ALT");
    made_remove(&store);
}

/* What is within a shard is named once. */
static void test_shard_names(void **state)
{
    char path[4096];

    (void)state;
    copy_vector("v3_sharded.vcz", path, sizeof path);
    run_in(path, ": > call_genotype/c/0/0/0");
    expect_problem(path, "call_genotype/c/0/0/0: chunk 0.0.0", "0 bytes are too few for a shard");
    remove_store(path);
}

static void test_json(void **state)
{
    struct report report;
    char path[4096];

    (void)state;
    copy_vector("codec_zstd.vcz", path, sizeof path);
    put(path, "call_genotype/0.0.0", "x", 1);
    put(path, "call_genotype/5.5.0", "y", 1);
    report = check(path, true);
    assert_int_equal(report.nproblems, 2);
    assert_non_null(strstr(report.text, "\"nproblems\": 2"));
    assert_non_null(strstr(report.text, "\"chunk\": \"call_genotype/5.5.0\""));
    free(report.text);
    remove_store(path);
}

static int stop_at_once(const char *what, uint64_t done, uint64_t total, void *arg)
{
    uint64_t *ncalls = arg;

    assert_non_null(what);
    assert_true(done <= total);
    ++*ncalls;
    return -1;
}

static void test_stopped(void **state)
{
    uint64_t ncalls = 0, nproblems;
    const struct pass_means means = {.nthreads = 2,
                                     .scratch_max = FIXTURE_SCRATCH,
                                     .progress = stop_at_once,
                                     .progress_arg = &ncalls};
    struct buf text = {0};
    struct err err = {0};
    char path[4096];

    (void)state;
    vectors_path(path, sizeof path, "stores", "biallelic.vcz");
    assert_int_equal(check_store(path, 0, false, &means, false, &text, &nproblems, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(ncalls, 1);
    buf_free(&text);
}

struct told {
    uint64_t done, total;
    char what[64];
};

static int tell(const char *what, uint64_t done, uint64_t total, void *arg)
{
    struct told *told = arg;

    if (strncmp(what, "checking, ", strlen("checking, ")) != 0)
        return 0;
    assert_true(told->done <= done && done <= total);
    told->done = done;
    told->total = total;
    snprintf(told->what, sizeof told->what, "%s", what);
    return 0;
}

/* What is said at the end: all bytes that the arrays have in the store, of all of them. */
static void test_progress(void **state)
{
    struct told told = {0};
    const struct pass_means means = {
        .nthreads = 2, .scratch_max = FIXTURE_SCRATCH, .progress = tell, .progress_arg = &told};
    struct buf text = {0};
    struct err err = {0};
    char path[4096];
    uint64_t nproblems;

    (void)state;
    vectors_path(path, sizeof path, "stores", "biallelic.vcz");
    assert_int_equal(check_store(path, 0, false, &means, false, &text, &nproblems, &err), 0);
    assert_int_equal(told.done, told.total);
    assert_int_equal(told.total, 53383); /* the sizes of all files in the arrays' folders */
    assert_string_equal(told.what, "checking, 52.1 KiB of 52.1 KiB");
    buf_free(&text);
}

static void test_nothing_there(void **state)
{
    const struct pass_means means = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};
    uint64_t nproblems;
    struct buf text = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(check_store("/nowhere", 0, false, &means, false, &text, &nproblems, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_are_clean),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_remarks),
        cmocka_unit_test(test_calls_without_alt),
        cmocka_unit_test(test_zero_ploidy),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_absent_genotypes),
        cmocka_unit_test(test_shard_names),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_nothing_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
