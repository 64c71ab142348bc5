/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of the test vectors: the same data in many encodings must be the same data.
 */
#include "zarr_fixture.h"

#include "tests/unit/shuffling.h"

static const char *const same_data[] = {
    "biallelic.vcz.zip",
    "biallelic_stored.vcz.zip",
    "biallelic_v3.vcz.zip",
    "biallelic_onechunk.vcz",
    "biallelic_v3.vcz",
    "bigendian.vcz",
    "codec_blosc_blosclz_2.vcz",
    "codec_blosc_lz4_0.vcz",
    "codec_blosc_lz4_2.vcz",
    "codec_blosc_lz4hc_1.vcz",
    "codec_blosc_zlib_1.vcz",
    "codec_blosc_zstd_0.vcz",
    "codec_blosc_zstd_1.vcz",
    "codec_gzip.vcz",
    "codec_blosc_zstd_bit_smallblocks.vcz",
    "codec_lz4.vcz",
    "codec_none.vcz",
    "codec_zlib.vcz",
    "codec_zstd.vcz",
    "consolidated.vcz",
    "gt_int16.vcz",
    "gt_int32.vcz",
    "no_id_no_phase.vcz",
    "order_f.vcz",
    "sep_slash.vcz",
    "v3_consolidated.vcz",
    "v3_gzip.vcz",
    "v3_sharded.vcz",
    "v3_zstd.vcz",
};

static const char *const own_data[] = {
    "filters.vcz",      "haploid.vcz", "longalleles.vcz", "missing_chunks.vcz", "mixedploidy.vcz",
    "null_samples.vcz", "oddwide.vcz", "phased.vcz",      "small.vcz",          "unphased.vcz",
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Bit (i mod 8) of byte i/8 of plane p is bit p of element i. */
/* Decodes a block both ways; the caller frees the plain bytes. Returns whether it came as
 * planes. */
static bool both_ways(struct fixture *f, struct chunk *chunk, uint64_t i, struct block *out,
                      uint8_t **bytes)
{
    struct err err = {0};
    struct block block;
    uint8_t *unshuffled = NULL, past = 0;
    bool planes;

    if (decoder_block(f->decoder, chunk, i, true, &block, &err) != 0)
        fail_msg("%s", err.msg);
    planes = block.form == BLOCK_PLANES;
    if (planes) {
        assert_int_equal(block.nbytes % 8, 0);
        unshuffled = malloc(block.nbytes);
        assert_int_equal(block.planes.nbytes, block.nbytes / 8);
        unshuffle(&block.planes, unshuffled);
        for (size_t k = 0; k < 8; k++)
            past ^= ((const volatile uint8_t *)
                         block.planes.at)[block.planes.n * block.planes.nbytes + k];
        (void)past;
    }
    if (decoder_block(f->decoder, chunk, i, false, out, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(out->form, BLOCK_PLAIN);
    assert_int_equal(out->begin, i * chunk_block_size(chunk));
    if (planes) {
        assert_int_equal(block.nbytes, out->nbytes);
        assert_memory_equal(unshuffled, out->data, out->nbytes);
    }
    free(unshuffled);
    *bytes = malloc(out->nbytes);
    memcpy(*bytes, out->data, out->nbytes);
    return planes;
}

static int64_t widen(const struct dtype *dtype, const uint8_t *at)
{
    uint64_t value = 0;

    memcpy(&value, at, dtype->size);
    if (dtype->kind == DTYPE_INT && dtype->size < 8)
        return (int64_t)(value << (64 - 8 * dtype->size)) >> (64 - 8 * dtype->size);
    return (int64_t)value;
}

/* Every element of a numeric array; floats by their bits. Counts blocks that came as planes. */
static int64_t *load_numbers(struct fixture *f, const struct zarr_array *array, uint64_t *nplanes)
{
    const struct zarr_meta *meta = &array->meta;
    int64_t *all = calloc(total_elements(meta) + 1, sizeof *all);

    for (uint64_t c = 0; c < total_chunks(meta); c++) {
        uint64_t index[ZARR_DIMS_MAX], seen = 0;
        struct chunk *chunk;
        struct err err = {0};

        chunk_index(meta, c, index);
        if (decoder_chunk(f->decoder, array, index, &chunk, &err) != 0)
            fail_msg("%s", err.msg);
        for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
            struct block block;
            uint8_t *bytes;

            *nplanes += both_ways(f, chunk, i, &block, &bytes);
            assert_int_equal(block.nbytes % meta->dtype.size, 0);
            for (size_t at = 0; at < block.nbytes; at += meta->dtype.size) {
                uint64_t place = element_place(meta, index, (block.begin + at) / meta->dtype.size);

                if (place != UINT64_MAX)
                    all[place] = widen(&meta->dtype, bytes + at);
            }
            seen += block.nbytes;
            free(bytes);
        }
        assert_int_equal(seen, chunk_nbytes(chunk));
        assert_int_equal(seen, meta->chunk_elements * meta->dtype.size);
    }
    return all;
}

static void check_ints(struct fixture *f, const struct zarr_array *array, const int64_t *all)
{
    const struct zarr_meta *meta = &array->meta;
    int64_t *ints = calloc(meta->chunk_elements, sizeof *ints);

    for (uint64_t c = 0; c < total_chunks(meta); c++) {
        uint64_t index[ZARR_DIMS_MAX];
        struct err err = {0};

        chunk_index(meta, c, index);
        if (zarr_chunk_ints(f->decoder, array, index, ints, &err) != 0)
            fail_msg("%s", err.msg);
        for (uint64_t k = 0; k < meta->chunk_elements; k++) {
            uint64_t place = element_place(meta, index, k);

            if (place != UINT64_MAX)
                assert_int_equal(ints[k], all[place]);
        }
    }
    free(ints);
}

static char **load_strings(struct fixture *f, const struct zarr_array *array)
{
    const struct zarr_meta *meta = &array->meta;
    char **all = calloc(total_elements(meta) + 1, sizeof *all);
    struct strings strings = {0};

    for (uint64_t c = 0; c < total_chunks(meta); c++) {
        uint64_t index[ZARR_DIMS_MAX];
        struct err err = {0};

        chunk_index(meta, c, index);
        if (zarr_chunk_strings(f->decoder, array, index, &strings, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(strings.nitems, meta->chunk_elements);
        for (uint64_t k = 0; k < meta->chunk_elements; k++) {
            uint64_t place = element_place(meta, index, k);

            if (place != UINT64_MAX)
                all[place] = strndup(strings.items[k].at, strings.items[k].len);
        }
    }
    strings_free(&strings);
    return all;
}

static void free_strings(char **all)
{
    for (size_t i = 0; all[i] != NULL; i++)
        free(all[i]);
    free(all);
}

static void compare_strings(struct fixture *a, const struct zarr_array *x, struct fixture *b,
                            const struct zarr_array *y)
{
    char **left = load_strings(a, x), **right = load_strings(b, y);

    for (uint64_t i = 0; i < total_elements(&x->meta); i++)
        assert_string_equal(left[i], right[i]);
    free_strings(left);
    free_strings(right);
}

static void compare_numbers(struct fixture *a, const struct zarr_array *x, struct fixture *b,
                            const struct zarr_array *y)
{
    uint64_t planes = 0;
    int64_t *left = load_numbers(a, x, &planes), *right = load_numbers(b, y, &planes);

    assert_memory_equal(left, right, total_elements(&x->meta) * sizeof *left);
    if (y->meta.dtype.kind != DTYPE_FLOAT)
        check_ints(b, y, right);
    free(left);
    free(right);
}

struct pair {
    struct fixture *a, *b;
    unsigned compared;
};

static int compare_array(const char *name, void *arg)
{
    struct pair *pair = arg;
    struct zarr_array *x = open_array(pair->a, name), *y = open_array(pair->b, name);

    assert_non_null(x);
    /* region_index is about chunks, so it is another where chunks are. */
    if (y != NULL && strcmp(name, "region_index") != 0) {
        assert_int_equal(x->meta.ndim, y->meta.ndim);
        assert_memory_equal(x->meta.shape, y->meta.shape, x->meta.ndim * sizeof(uint64_t));
        if (x->meta.dtype.kind == DTYPE_STRING)
            compare_strings(pair->a, x, pair->b, y);
        else
            compare_numbers(pair->a, x, pair->b, y);
        pair->compared++;
    }
    zarr_array_free(x);
    zarr_array_free(y);
    return 0;
}

static void test_same_data(void **state)
{
    struct fixture base = {0};
    char path[512];

    (void)state;
    open_path(&base, vector_path("biallelic.vcz", path));
    for (size_t i = 0; i < COUNT(same_data); i++) {
        struct fixture other = {0};
        struct pair pair = {&base, &other, 0};
        struct err err = {0};

        open_path(&other, vector_path(same_data[i], path));
        if (zarr_group_arrays(base.group, compare_array, &pair, &err) != 0)
            fail_msg("%s: %s", same_data[i], err.msg);
        if (pair.compared < 15)
            fail_msg("%s: only %u arrays compared", same_data[i], pair.compared);
        close_fixture(&other);
    }
    close_fixture(&base);
}

static int read_array(const char *name, void *arg)
{
    struct fixture *f = arg;
    struct zarr_array *array = open_array(f, name);
    uint64_t planes = 0;

    if (array->meta.dtype.kind == DTYPE_STRING) {
        free_strings(load_strings(f, array));
    } else {
        int64_t *all = load_numbers(f, array, &planes);

        if (array->meta.dtype.kind != DTYPE_FLOAT)
            check_ints(f, array, all);
        free(all);
    }
    zarr_array_free(array);
    return 0;
}

static void test_own_data(void **state)
{
    char path[512];

    (void)state;
    for (size_t i = 0; i < COUNT(own_data); i++) {
        struct fixture f = {0};
        struct err err = {0};

        open_path(&f, vector_path(own_data[i], path));
        if (zarr_group_arrays(f.group, read_array, &f, &err) != 0)
            fail_msg("%s: %s", own_data[i], err.msg);
        close_fixture(&f);
    }
}

static uint64_t planes_of(const char *store)
{
    struct fixture f = {0};
    struct zarr_array *array;
    uint64_t planes = 0;
    char path[512];

    open_path(&f, vector_path(store, path));
    array = open_array(&f, "call_genotype");
    free(load_numbers(&f, array, &planes));
    zarr_array_free(array);
    close_fixture(&f);
    return planes;
}

static void test_planes_come(void **state)
{
    (void)state;
    assert_int_equal(planes_of("biallelic.vcz"), 36);
    assert_true(planes_of("codec_blosc_zstd_bit_smallblocks.vcz") > 100);
    assert_int_equal(planes_of("codec_blosc_lz4_2.vcz"), 36);
    assert_int_equal(planes_of("gt_int16.vcz"), 0);
    assert_int_equal(planes_of("codec_none.vcz"), 0);
}

static int64_t *load_genotypes(struct fixture *f, const char *store, struct zarr_array **array)
{
    uint64_t planes = 0;
    char path[512];

    open_path(f, vector_path(store, path));
    *array = open_array(f, "call_genotype");
    return load_numbers(f, *array, &planes);
}

/* Absent chunks are the fill value; the others are those of the store that this one was made
 * from. */
static void test_missing_chunks(void **state)
{
    struct fixture f = {0}, whole = {0};
    struct zarr_array *array, *whole_array;
    int64_t *all = load_genotypes(&f, "missing_chunks.vcz", &array);
    int64_t *base = load_genotypes(&whole, "biallelic.vcz", &whole_array);
    uint64_t absent = 0;

    (void)state;
    for (uint64_t c = 0; c < total_chunks(&array->meta); c++) {
        uint64_t index[ZARR_DIMS_MAX];
        struct err err = {0};
        struct chunk *chunk;

        chunk_index(&array->meta, c, index);
        assert_int_equal(decoder_chunk(f.decoder, array, index, &chunk, &err), 0);
        absent += chunk_is_absent(chunk);
        for (uint64_t k = 0; k < array->meta.chunk_elements; k++) {
            uint64_t place = element_place(&array->meta, index, k);

            if (place != UINT64_MAX)
                assert_int_equal(all[place], chunk_is_absent(chunk) ? 0 : base[place]);
        }
    }
    assert_int_equal(absent, 12);
    free(all);
    free(base);
    zarr_array_free(array);
    zarr_array_free(whole_array);
    close_fixture(&f);
    close_fixture(&whole);
}

static void test_array_strings(void **state)
{
    struct fixture f = {0};
    struct strings samples = {0};
    struct zarr_array *array;
    struct err err = {0};
    char path[512];

    (void)state;
    open_path(&f, vector_path("biallelic.vcz", path));
    array = open_array(&f, "sample_id");
    assert_int_equal(zarr_array_strings(f.decoder, array, &samples, &err), 0);
    assert_int_equal(samples.nitems, 41);
    for (size_t i = 0; i < samples.nitems; i++)
        assert_true(samples.items[i].len > 0);
    zarr_array_free(array);
    array = open_array(&f, "variant_allele");
    assert_int_equal(zarr_array_strings(f.decoder, array, &samples, &err), -1);
    assert_int_equal(err.code, ERR_DATA);
    assert_int_equal(zarr_chunk_ints(f.decoder, array, (uint64_t[]){0, 0}, NULL, &err), -1);
    assert_int_equal(err.code, ERR_DATA);
    zarr_array_free(array);
    strings_free(&samples);
    close_fixture(&f);
}

static void test_group(void **state)
{
    struct fixture f = {0};
    struct zarr_array *array = (void *)&f;
    struct err err = {0};
    char path[512];

    (void)state;
    open_path(&f, vector_path("v3_consolidated.vcz", path));
    assert_int_equal(zarr_group_format(f.group), 3);
    assert_string_equal(zarr_group_attr(f.group, "vcf_zarr_version"), "0.5");
    assert_null(zarr_group_attr(f.group, "vcf_meta_information"));
    assert_null(zarr_group_attr(f.group, "nothing"));
    assert_int_equal(zarr_array_open(f.group, "variant_NOPE", &array, &err), 0);
    assert_null(array);
    assert_int_equal(zarr_array_open(f.group, "../call_DP", &array, &err), 0);
    assert_null(array);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_data),     cmocka_unit_test(test_own_data),
        cmocka_unit_test(test_planes_come),   cmocka_unit_test(test_missing_chunks),
        cmocka_unit_test(test_array_strings), cmocka_unit_test(test_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
