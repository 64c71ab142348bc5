/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode, for samples that are not all of them: each selected sample's calls are those that it has
 * in the whole .bed, whatever was selected, in whatever order, from whatever blocks.
 */
#include "encoderd/select/selection_open.h"
#include "tests/unit/made_store.h"
#include "tests/unit/settings.h"
#include "tests/unit/view_fixture.h"

struct some {
    struct selection selection;
    struct format_view format;
};

static const struct pass_means one_thread = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};

static void open_some(const struct vcz *vcz, const char *samples, struct some *out)
{
    const struct selection_options options = {.samples = samples};
    const struct format_options format_options = {
        .settings = SETTINGS({"plink", "no-bim", ""}, {"plink", "no-fam", ""}), .nsettings = 2};
    struct err err = {0};

    memset(out, 0, sizeof *out);
    if (selection_open(vcz, &options, &one_thread, false, -1, &out->selection, &err) != 0 ||
        format_plink.open(&out->selection, &format_options, &one_thread, false, &out->format,
                          &err) != 0)
        fail_msg("%.60s: %s", samples, err.msg);
}

static void close_some(struct some *some)
{
    format_plink.close(&some->format);
    selection_close(&some->selection);
}

/* A whole stream takes each block of each chunk once. */
static void check_decoded_once(const struct some *some, const struct decoder *decoder)
{
    const struct zarr_meta *meta = &some->selection.vcz->genotype->meta;
    const uint64_t nchunks = meta->nchunks[0] * meta->nchunks[1] * meta->nchunks[2];
    struct decoder_stats stats;

    decoder_stats(decoder, &stats);
    if (stats.bytes_decoded > nchunks * meta->chunk_elements * meta->dtype.size)
        fail_msg("%llu bytes decoded", (unsigned long long)stats.bytes_decoded);
}

static uint8_t *encode_some(const struct some *some, uint64_t begin, uint64_t end)
{
    struct encode_worker worker;
    struct err err = {0};
    uint8_t *bytes = malloc(end - begin);
    const struct encode_target target = {.begin = begin, .end = end, .out = bytes};

    assert_int_equal(encode_worker_init(&worker, FIXTURE_SCRATCH, NULL, &err), 0);
    memset(bytes, 0x5a, end - begin);
    if (encode_target(&some->format, &target, &worker, &err) != 0)
        fail_msg("%s", err.msg);
    check_decoded_once(some, worker.decoder);
    encode_worker_clear(&worker);
    return bytes;
}

static unsigned code_at(const uint8_t *bed, uint64_t row_nbytes, uint64_t row, uint64_t sample)
{
    return bed[3 + row * row_nbytes + sample / 4] >> sample % 4 * 2 & 3;
}

static void check_samples(const struct vcz *vcz, const uint8_t *whole, const uint64_t *chosen,
                          uint64_t n)
{
    const uint64_t all_nbytes = (vcz->nsamples + 3) / 4, row_nbytes = (n + 3) / 4;
    const uint64_t size = 3 + row_nbytes * vcz->nvariants;
    char *text = malloc(n * 16 + 1);
    struct some some;
    uint8_t *bed;
    size_t used = 0;

    for (uint64_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, 16, "%s%.*s", i > 0 ? "," : "",
                                 (int)vcz->sample_id[chosen[i]].len, vcz->sample_id[chosen[i]].at);
    open_some(vcz, text, &some);
    assert_int_equal(some.selection.nsamples, n);
    bed = encode_some(&some, 0, size);
    for (uint64_t row = 0; row < vcz->nvariants; row++) {
        for (uint64_t i = 0; i < n; i++)
            assert_int_equal(code_at(bed, row_nbytes, row, i),
                             code_at(whole, all_nbytes, row, chosen[i]));
        for (uint64_t i = n; i < row_nbytes * 4; i++)
            assert_int_equal(code_at(bed, row_nbytes, row, i), 0);
    }
    for (int i = 0; i < 30; i++) {
        const uint64_t begin = (uint64_t)rand() % size,
                       end = begin + 1 + (uint64_t)rand() % (size - begin);
        uint8_t *part = encode_some(&some, begin, end);

        assert_memory_equal(part, bed + begin, end - begin);
        free(part);
    }
    free(bed);
    free(text);
    close_some(&some);
}

/* A random subset in store order, each sample with the given chance in 16; never empty. */
static uint64_t choose(uint64_t *chosen, uint64_t nsamples, int chance)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < nsamples; i++)
        if (rand() % 16 < chance)
            chosen[n++] = i;
    if (n == 0)
        chosen[n++] = (uint64_t)rand() % nsamples;
    return n;
}

static void shuffle_order(uint64_t *chosen, uint64_t n)
{
    for (uint64_t i = n; i > 1; i--) {
        const uint64_t j = (uint64_t)rand() % i, swapped = chosen[j];

        chosen[j] = chosen[i - 1];
        chosen[i - 1] = swapped;
    }
}

static struct view *open_made(char *path, size_t size, const char *options)
{
    struct err err = {0};
    struct view *view;

    assert_int_equal(make_store(path, size, options), 0);
    view = open_plink(path, &err);
    if (view == NULL)
        fail_msg("%s: %s", options, err.msg);
    return view;
}

static void check_view(const struct view *view)
{
    struct err err = {0};
    uint64_t chosen[4096];
    uint8_t *whole = encode_range(view, 0, view->files[0].size, &err);

    assert_non_null(whole);
    for (int chance = 0; chance <= 15; chance += 3) {
        const uint64_t n = choose(chosen, view->vcz->nsamples, chance);

        check_samples(view->vcz, whole, chosen, n);
        shuffle_order(chosen, n);
        check_samples(view->vcz, whole, chosen, n);
    }
    free(whole);
}

static void check_store(const char *options)
{
    char path[4096];
    struct view *view = open_made(path, sizeof path, options);

    check_view(view);
    view_free(view);
    remove_store(path);
}

static void test_samples(void **state)
{
    (void)state;
    srand(7);
    check_store(
        "--samples 501 --variants 120 --chunk-variants 64 --chunk-samples 120 --blocksize 256");
    check_store("--samples 503 --variants 100 --chunk-variants 50 --chunk-samples 121 "
                "--blocksize 1024 --missing 0.1 --haploid-fraction 0.2");
    check_store("--samples 1500 --variants 60 --chunk-variants 50 --chunk-samples 2000");
    check_store("--samples 700 --variants 60 --chunk-variants 25 --chunk-samples 333 --ploidy 1");
    check_store("--samples 300 --variants 60 --chunk-samples 100 --cname lz4");
    check_store("--samples 2500 --variants 30 --allele-bytes 2 --blocksize 32768 --missing 0.1");
    check_store("--samples 2500 --variants 30 --blocksize 16384 --cname lz4");
    check_store("--samples 403 --variants 60 --chunk-samples 150 --allele-bytes 4 "
                "--haploid-fraction 0.2");
    check_store("--samples 301 --variants 60 --allele-bytes 8 --ploidy 1 --blocksize 1024");
}

/* Chunks of one allele a call, and of more elements than a call has. */
static void test_ploidy_chunks(void **state)
{
    enum { NV = 3, NS = 61 };
    static const char *const dtypes[] = {"|i1", "<i4", ">i2"};
    int64_t calls[NV * NS * 2];
    char names[NS][8];
    const char *samples[NS];
    struct made_store store;
    struct err err = {0};

    (void)state;
    srand(10);
    made_vcz(&store);
    for (unsigned i = 0; i < NS; i++) {
        snprintf(names[i], sizeof names[i], "S%u", i);
        samples[i] = names[i];
    }
    for (unsigned i = 0; i < NV * NS * 2; i++)
        calls[i] = rand() % 3 - 1;
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {NS}, {0}, NULL, samples});
    for (uint64_t i = 0; i < 18; i++) {
        const struct made_array genotype = {.name = "call_genotype",
                                            .dtype = dtypes[i % 3],
                                            .ndim = 3,
                                            .shape = {NV, NS, 2},
                                            .chunk = {2, i < 9 ? 20 : 100, 1 + i / 3 % 3},
                                            .ints = calls};
        struct view *view;

        made_put(&store, &genotype);
        view = open_plink(store.path, &err);
        if (view == NULL)
            fail_msg("%s", err.msg);
        check_view(view);
        view_free(view);
    }
    made_remove(&store);
}

/* The same calls in wider elements are the same .bed, whatever the shape, the chunks and the
 * blocks. */
static void check_wide(const char *shape, const char *chunks, unsigned allele_nbytes)
{
    char path[4096], wide_path[4096], options[1024];
    struct err err = {0};
    struct view *view = open_made(path, sizeof path, shape), *wide;
    const uint64_t size = view->files[0].size;
    uint8_t *due = encode_range(view, 0, size, &err), *got;

    assert_non_null(due);
    snprintf(options, sizeof options, "%s %s --allele-bytes %u", shape, chunks, allele_nbytes);
    wide = open_made(wide_path, sizeof wide_path, options);
    assert_int_equal(wide->files[0].size, size);
    for (int i = 0; i < 20; i++) {
        const uint64_t begin = i == 0 ? 0 : (uint64_t)rand() % size,
                       end = i == 0 ? size : begin + 1 + (uint64_t)rand() % (size - begin);

        got = encode_range(wide, begin, end, &err);
        if (got == NULL)
            fail_msg("%s: %s", options, err.msg);
        if (memcmp(got, due + begin, end - begin) != 0)
            fail_msg("%s: [%llu, %llu)", options, (unsigned long long)begin,
                     (unsigned long long)end);
        assert_int_equal(got[end - begin], 0xa5);
        free(got);
    }
    free(due);
    view_free(view);
    view_free(wide);
    remove_store(path);
    remove_store(wide_path);
}

static void test_wide(void **state)
{
    (void)state;
    srand(8);
    for (unsigned i = 0; i < 30; i++) {
        const bool haploid = rand() % 4 == 0;
        char shape[256], chunks[256];

        snprintf(shape, sizeof shape, "--samples %d --variants %d --ploidy %d --missing 0.05%s",
                 1 + rand() % (i % 3 == 0 ? 4000 : 600), 1 + rand() % 60, haploid ? 1 : 2,
                 haploid ? "" : " --haploid-fraction 0.1");
        snprintf(chunks, sizeof chunks,
                 "--chunk-variants %d --chunk-samples %d --blocksize %d --cname %s --zarr %d",
                 1 + rand() % 40, 1 + rand() % (i % 2 == 0 ? 5000 : 500), 256 << rand() % 8,
                 rand() % 2 ? "zstd" : "lz4", 2 + rand() % 2);
        check_wide(shape, chunks, 2u << i % 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_ploidy_chunks),
        cmocka_unit_test(test_wide),
    };

    return cmocka_run_group_tests_name("encode_samples", tests, NULL, NULL);
}
