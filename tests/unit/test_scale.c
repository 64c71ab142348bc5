/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 500,000 samples × 100 million variants, without the data: every number on the way from a file's
 * offset to a call's place is as large as it will be, and nothing that is held is proportional to
 * their product.
 */
#include "tests/unit/made_store.h"
#include "tests/unit/settings.h"
#include "tests/unit/view_fixture.h"

#include "encoderd/format/formats.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/serve/plan.h"
#include "encoderd/vcz/vcz_open.h"

#include <sys/resource.h>
#include <unistd.h>

#define NSAMPLES  UINT64_C(500000)
#define NVARIANTS UINT64_C(100000000)
#define CHUNK_V   UINT64_C(1000)
#define CHUNK_S   UINT64_C(10000)
#define BED_ROW   (NSAMPLES / 4)
#define BED_SIZE  (3 + NVARIANTS * BED_ROW)

static struct made_store store;
static struct vcz *vcz;
static struct selection selection;

/* Homozygous for REF all over, by the fill value, but for the last call of all: homozygous for
 * ALT. */
static void put_last_chunk(void)
{
    static const char alt[2] = {1, 1};
    char name[128];
    FILE *file;

    snprintf(name, sizeof name, "call_genotype/%llu.%llu.0",
             (unsigned long long)(NVARIANTS / CHUNK_V - 1),
             (unsigned long long)(NSAMPLES / CHUNK_S - 1));
    file = made_file(&store, name);
    assert_int_equal(fseek(file, (long)(2 * CHUNK_V * CHUNK_S - 2), SEEK_SET), 0);
    assert_int_equal(fwrite(alt, 1, 2, file), 2);
    assert_int_equal(fclose(file), 0);
}

static void put_samples(void)
{
    const char **names = calloc(NSAMPLES, sizeof *names);
    char *text = malloc(NSAMPLES * 8);

    assert_non_null(names);
    assert_non_null(text);
    for (uint64_t i = 0; i < NSAMPLES; i++) {
        names[i] = text + 8 * i;
        snprintf(text + 8 * i, 8, "S%06llu", (unsigned long long)i % 1000000);
    }
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {NSAMPLES}, {0}, NULL, names});
    free(names);
    free(text);
}

static void put_arrays(void)
{
    static const char *const contigs[] = {"1"};

    made_put(&store, &(struct made_array){"call_genotype",
                                          "|i1",
                                          3,
                                          {NVARIANTS, NSAMPLES, 2},
                                          {CHUNK_V, CHUNK_S, 2},
                                          NULL,
                                          NULL});
    made_put(&store,
             &(struct made_array){"variant_contig", "|i1", 1, {NVARIANTS}, {CHUNK_V}, NULL, NULL});
    made_put(&store, &(struct made_array){
                         "variant_position", "<i4", 1, {NVARIANTS}, {CHUNK_V}, NULL, NULL});
    made_put(&store, &(struct made_array){
                         "variant_allele", "|O", 2, {NVARIANTS, 2}, {CHUNK_V, 2}, NULL, NULL});
    made_text(&store, "variant_allele/.zarray",
              "{\"zarr_format\": 2, \"dtype\": \"|O\", \"shape\": [100000000, 2], \"chunks\": "
              "[1000, 2], \"compressor\": null, \"order\": \"C\", \"fill_value\": \"A\", "
              "\"filters\": [{\"id\": \"vlen-utf8\"}]}");
    made_put(&store, &(struct made_array){"contig_id", "|O", 1, {1}, {0}, NULL, contigs});
}

static int setup(void **state)
{
    const struct pass_means means = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};
    struct err err = {0};

    (void)state;
    made_group(&store);
    put_arrays();
    put_samples();
    put_last_chunk();
    if (vcz_open(store.path, FIXTURE_SCRATCH, &vcz, &err) != 0 ||
        selection_open(vcz, &(struct selection_options){0}, &means, false, -1, &selection, &err) !=
            0)
        fail_msg("%s", err.msg);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    selection_close(&selection);
    vcz_free(vcz);
    made_remove(&store);
    return 0;
}

static void open_format(const char *name, struct format_view *out)
{
    const struct pass_means means = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};
    const struct format_options options = {.no_scan = true,
                                           .settings = SETTINGS({"plink", "no-fam", ""},
                                                                {"bgen", "no-sample-file", ""},
                                                                {"bgen", "no-bgi", ""}),
                                           .nsettings = 3};
    const struct format *format = format_find(name);
    struct err err = {0};

    assert_non_null(format);
    *out = (struct format_view){0};
    if (format->open(&selection, &options, &means, false, out, &err) != 0)
        fail_msg("%s", err.msg);
}

/* Bytes [begin, end) of the format's stream; the caller frees. */
static uint8_t *encode(const struct format_view *format, uint64_t begin, uint64_t end)
{
    struct encode_worker worker;
    uint8_t *bytes = malloc(end - begin);
    const struct encode_target target = {.begin = begin, .end = end, .out = bytes};
    struct err err = {0};

    assert_non_null(bytes);
    assert_int_equal(encode_worker_init(&worker, FIXTURE_SCRATCH, NULL, &err), 0);
    if (encode_target(format, &target, &worker, &err) != 0)
        fail_msg("%s", err.msg);
    encode_worker_clear(&worker);
    return bytes;
}

static void test_bed(void **state)
{
    struct format_view format;
    uint8_t *bytes;

    (void)state;
    open_format("plink", &format);
    assert_int_equal(format_stream_size(&format.layout), BED_SIZE);
    assert_int_equal(BED_SIZE, UINT64_C(12500000000003));
    bytes = encode(&format, BED_SIZE - BED_ROW - 1, BED_SIZE);
    for (uint64_t i = 0; i < BED_ROW; i++)
        assert_int_equal(bytes[i], 0xff);
    assert_int_equal(bytes[BED_ROW], 0x3f);
    free(bytes);
    /* A row in the middle: variant 50,000,000. */
    bytes = encode(&format, 3 + NVARIANTS / 2 * BED_ROW, 3 + NVARIANTS / 2 * BED_ROW + 4096);
    assert_int_equal(bytes[0], 0xff);
    assert_int_equal(bytes[4095], 0xff);
    free(bytes);
    format.format->close(&format);
}

static void test_bgen(void **state)
{
    struct format_view format;
    uint64_t size, row;
    uint8_t *bytes;

    (void)state;
    open_format("bgen", &format);
    size = format_stream_size(&format.layout);
    row = format.layout.row_nbytes;
    assert_true(row > 3 * NSAMPLES && row < 3 * NSAMPLES + 1000);
    assert_int_equal(size, format.layout.header_nbytes + NVARIANTS * row);
    bytes = encode(&format, size - row, size);
    /* The last call's P(RR), P(RA), before the checksum; the one before it is homozygous for
     * REF. */
    assert_int_equal(bytes[row - 6], 0);
    assert_int_equal(bytes[row - 5], 0);
    assert_int_equal(bytes[row - 8], 255);
    assert_int_equal(bytes[row - 7], 0);
    free(bytes);
    format.format->close(&format);
}

/* Every span that a reader of either file could get, at the end of it. */
static void test_plan(void **state)
{
    static const char *const formats[] = {"plink", "bgen"};
    const struct plan_limits limits = {.span_max = UINT64_C(2) << 20, .skip_max = 1};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct format_view format;
        struct reader reader = {0};
        uint64_t size, at;

        open_format(formats[i], &format);
        size = format_stream_size(&format.layout);
        for (at = size - (UINT64_C(64) << 20); at < size;) {
            const struct extent_plan plan =
                plan_read(&reader, &format.layout, size, &limits, at, 131072);

            assert_true(plan.begin <= at && at < plan.end && plan.end <= size);
            at = plan.end;
        }
        assert_int_equal(at, size);
        assert_true(reader.streak > 0);
        format.format->close(&format);
    }
}

/* A choice of variants costs a bit and a half for each, and finds the last as it finds the
 * first. */
static void test_rows(void **state)
{
    struct rows rows;
    struct err err = {0};

    (void)state;
    assert_int_equal(rows_init_none(&rows, NVARIANTS, &err), 0);
    for (uint64_t v = 0; v < NVARIANTS; v += 3)
        rows_keep(&rows, v);
    assert_int_equal(rows_finish(&rows, &err), 0);
    assert_int_equal(rows.nrows, NVARIANTS / 3 + 1);
    assert_int_equal(rows_variant(&rows, rows.nrows - 1), NVARIANTS - 1);
    assert_int_equal(rows_variant(&rows, 20000000), 60000000);
    assert_int_equal(rows_lower_bound(&rows, NVARIANTS - 1), rows.nrows - 1);
    rows_free(&rows);
}

/* All of the above, in a process that may have less than a byte for each variant. */
static void test_memory(void **state)
{
    struct rusage used;

    (void)state;
    getrusage(RUSAGE_SELF, &used);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true((uint64_t)used.ru_maxrss * 1024 < NVARIANTS);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bed),  cmocka_unit_test(test_bgen),   cmocka_unit_test(test_plan),
        cmocka_unit_test(test_rows), cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
