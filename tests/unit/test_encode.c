/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: whole streams against the vectors, and any range of bytes against the whole.
 */
#include "tests/unit/made_store.h"
#include "tests/unit/view_fixture.h"

static void check_vector(const char *store, const char *expected_case)
{
    struct err err = {0};
    struct view *view = open_vector(store, &err);
    char path[4096];
    size_t size = 0;
    uint8_t *due, *got;

    if (view == NULL)
        fail_msg("%s: %s", store, err.msg);
    vectors_path(path, sizeof path, "expected", expected_case);
    strcat(path, "/x.bed");
    due = fixture_read(path, &size);
    assert_non_null(due);
    assert_int_equal(view->files[0].size, size);
    got = encode_range(view, 0, size, &err);
    if (got == NULL)
        fail_msg("%s: %s", store, err.msg);
    assert_memory_equal(got, due, size);
    free(due);
    free(got);
    view_free(view);
}

static void test_vectors(void **state)
{
    static const char *const cases[][2] = {
        {"small.vcz", "small-opt00"},
        {"biallelic.vcz", "biallelic_vcz-plink"},
        {"biallelic_onechunk.vcz", "biallelic_onechunk_vcz-plink"},
        {"biallelic_v3.vcz", "biallelic_v3_vcz-plink"},
        {"phased.vcz", "phased_vcz-plink"},
        {"unphased.vcz", "unphased_vcz-plink"},
        {"mixedploidy.vcz", "mixedploidy_vcz-plink"},
        {"longalleles.vcz", "longalleles_vcz-plink"},
        {"oddwide.vcz", "oddwide_vcz-plink"},
        {"missing_chunks.vcz", "missing_chunks_vcz-plink"},
        {"null_samples.vcz", "null_samples_vcz-plink"},
        {"no_id_no_phase.vcz", "no_id_no_phase_vcz-plink"},
        {"consolidated.vcz", "consolidated_vcz-plink"},
        {"gt_int16.vcz", "gt_int16_vcz-plink"},
        {"gt_int32.vcz", "gt_int32_vcz-plink"},
        {"order_f.vcz", "order_f_vcz-plink"},
        {"v3_sharded.vcz", "v3_sharded_vcz-plink"},
        {"biallelic.vcz.zip", "biallelic_vcz_zip-plink"},
        {"biallelic_stored.vcz.zip", "biallelic_stored_vcz_zip-plink"},
        {"biallelic_v3.vcz.zip", "biallelic_v3_vcz_zip-plink"},
        {"v3_zstd.vcz", "v3_zstd_vcz-plink"},
        {"v3_gzip.vcz", "v3_gzip_vcz-plink"},
        {"bigendian.vcz", "bigendian_vcz-plink"},
        {"sep_slash.vcz", "sep_slash_vcz-plink"},
        {"codec_none.vcz", "codec_none_vcz-plink"},
        {"codec_zstd.vcz", "codec_zstd_vcz-plink"},
        {"codec_blosc_zstd_bit_smallblocks.vcz", "codec_blosc_zstd_bit_smallblocks_vcz-plink"},
        {"codec_blosc_lz4_2.vcz", "codec_blosc_lz4_2_vcz-plink"},
        {"codec_blosc_blosclz_2.vcz", "codec_blosc_blosclz_2_vcz-plink"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_vector(cases[i][0], cases[i][1]);
}

static void check_ranges(const struct view *view, unsigned n)
{
    struct err err = {0};
    const uint64_t size = view->files[0].size;
    uint8_t *whole = encode_range(view, 0, size, &err);

    if (whole == NULL)
        fail_msg("%s", err.msg);
    for (unsigned i = 0; i < n; i++) {
        const uint64_t begin = (uint64_t)rand() % size;
        const uint64_t most = i % 3 == 0 ? 64 : i % 3 == 1 ? 4096 : size;
        const uint64_t length = 1 + (uint64_t)rand() % (most < size - begin ? most : size - begin);
        uint8_t *part = encode_range(view, begin, begin + length, &err);

        if (part == NULL)
            fail_msg("%s", err.msg);
        assert_memory_equal(part, whole + begin, length);
        assert_int_equal(part[length], 0xa5);
        free(part);
    }
    free(whole);
}

static void test_ranges_of_vectors(void **state)
{
    static const char *const stores[] = {"biallelic.vcz",
                                         "oddwide.vcz",
                                         "null_samples.vcz",
                                         "haploid.vcz",
                                         "small.vcz",
                                         "gt_int16.vcz",
                                         "codec_blosc_zstd_bit_smallblocks.vcz"};
    struct err err = {0};

    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        struct view *view = open_vector(stores[i], &err);

        if (view == NULL)
            fail_msg("%s: %s", stores[i], err.msg);
        check_ranges(view, 200);
        view_free(view);
    }
}

/* Chunk edges and block edges inside output bytes, in every combination with the number of
 * samples. */
static void test_ranges_of_made_stores(void **state)
{
    static const char *const options[] = {
        "--samples 1 --variants 40 --chunk-variants 7 --chunk-samples 3",
        "--samples 501 --variants 300 --chunk-variants 64 --chunk-samples 120 --blocksize 256",
        "--samples 503 --variants 300 --chunk-variants 50 --chunk-samples 121 --blocksize 1024",
        "--samples 502 --variants 200 --chunk-variants 50 --chunk-samples 503 --blocksize 8192",
        ("--samples 502 --variants 200 --chunk-variants 500 --chunk-samples 1000 --ploidy 1 "
         "--missing 0.1"),
    };
    struct err err = {0};

    (void)state;
    srand(2);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct view *view;
        char path[4096];

        assert_int_equal(make_store(path, sizeof path, options[i]), 0);
        view = open_plink(path, &err);
        if (view == NULL)
            fail_msg("%s: %s", options[i], err.msg);
        check_ranges(view, 150);
        view_free(view);
        remove_store(path);
    }
}

/* One matrix of calls in every layout: the .bed is made here from doc/FORMATS.md, call by call. */
enum { NV = 23, NS = 37 };

static unsigned due_code(int64_t a, int64_t b)
{
    if (a < 0 || b == -1)
        return 1;
    if (b == -2)
        b = a;
    return a + b == 0 ? 3 : a + b == 1 ? 2 : 0;
}

static void check_layout(const char *dtype, uint64_t cv, uint64_t cs, uint64_t cp, unsigned ploidy)
{
    static const int64_t alleles[] = {0, 1, 0, 0, 1, -1};
    struct err err = {0};
    struct made_store store;
    struct view *view;
    int64_t *calls = calloc(NV * NS * ploidy, sizeof *calls);
    const char *sites[NV * 2], *samples[NS];
    int64_t positions[NV], contigs[NV] = {0};
    char names[NS][8];
    uint8_t due[3 + NV * ((NS + 3) / 4)] = {0x6c, 0x1b, 0x01};
    uint8_t *got;

    for (uint64_t v = 0; v < NV; v++) {
        sites[2 * v] = "A";
        sites[2 * v + 1] = "C";
        positions[v] = (int64_t)v + 1;
        for (uint64_t s = 0; s < NS; s++) {
            int64_t *call = &calls[(v * NS + s) * ploidy];

            for (unsigned p = 0; p < ploidy; p++)
                call[p] = alleles[rand() % 6];
            if (ploidy == 2 && rand() % 5 == 0)
                call[1] = -2;
            due[3 + v * ((NS + 3) / 4) + s / 4] |=
                (uint8_t)(due_code(call[0], ploidy == 2 ? call[1] : -2) << (s % 4 * 2));
        }
    }
    for (uint64_t s = 0; s < NS; s++) {
        snprintf(names[s], sizeof names[s], "S%llu", (unsigned long long)s);
        samples[s] = names[s];
    }
    made_group(&store);
    made_put(&store, &(struct made_array){.name = "call_genotype",
                                          .dtype = dtype,
                                          .ndim = 3,
                                          .shape = {NV, NS, ploidy},
                                          .chunk = {cv, cs, cp},
                                          .ints = calls});
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {NS}, {NS}, NULL, samples});
    made_put(&store, &(struct made_array){
                         "contig_id", "|O", 1, {1}, {1}, NULL, (const char *const[]){"1"}});
    made_put(&store,
             &(struct made_array){"variant_allele", "|O", 2, {NV, 2}, {NV, 2}, NULL, sites});
    made_put(&store,
             &(struct made_array){"variant_position", "<i4", 1, {NV}, {NV}, positions, NULL});
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {NV}, {NV}, contigs, NULL});

    view = open_plink(store.path, &err);
    got = view != NULL ? encode_range(view, 0, sizeof due, &err) : NULL;
    if (got == NULL)
        fail_msg("%s %llu×%llu×%llu: %s", dtype, (unsigned long long)cv, (unsigned long long)cs,
                 (unsigned long long)cp, err.msg);
    assert_memory_equal(got, due, sizeof due);
    check_ranges(view, 40);
    free(got);
    free(calls);
    view_free(view);
    made_remove(&store);
}

static void test_layouts(void **state)
{
    static const char *const dtypes[] = {"|i1", "<i2", ">i2", "<i4", ">i4", "<i8"};
    static const uint64_t variants[] = {1, 5, NV, 40}, widths[] = {1, 3, 8, NS, 50};

    (void)state;
    srand(6);
    for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++)
        for (size_t v = 0; v < 4; v++)
            for (size_t w = 0; w < 5; w++) {
                check_layout(dtypes[d], variants[v], widths[w], 1, 2);
                check_layout(dtypes[d], variants[v], widths[w], 2, 2);
                check_layout(dtypes[d], variants[v], widths[w], 3, 2);
                check_layout(dtypes[d], variants[v], widths[w], 1, 1);
                check_layout(dtypes[d], variants[v], widths[w], 2, 1);
            }
}

/* An allele whose low byte would do is refused as what it is. */
static void test_refused(void **state)
{
    static const struct {
        const char *dtype;
        int64_t allele;
    } cases[] = {
        {"|i1", 2},
        {"|i1", -3},
        {"<i2", 256},
        {"<i2", -255},
        {">i2", 257},
        {"<i4", 65536},
        {"<i4", -(INT64_C(1) << 31)},
        {">i4", 1 << 8},
        {"<i8", INT64_C(1) << 32},
        {"<i8", INT64_MIN},
    };
    int64_t calls[] = {0, 0, 0, 1, 1, 1, -1, -1, 0, -2, 1, 0};
    struct made_store store;

    (void)state;
    made_vcz(&store);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        struct view *view;

        calls[6] = cases[i].allele;
        made_put(&store, &(struct made_array){
                             "call_genotype", cases[i].dtype, 3, {3, 2, 2}, {0}, calls, NULL});
        view = open_plink(store.path, &err);
        assert_non_null(view);
        assert_null(encode_range(view, 0, 6, &err));
        assert_int_equal(err.code, ERR_DATA);
        if (strstr(err.msg, "variant 1 ") == NULL || strstr(err.msg, "sample 'S2'") == NULL)
            fail_msg("%s", err.msg);
        view_free(view);
    }
    made_remove(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_ranges_of_vectors),
        cmocka_unit_test(test_ranges_of_made_stores),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
