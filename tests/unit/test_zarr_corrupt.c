/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged chunk files: every truncation is an error; a changed byte is an error or other bytes of
 * the right number, and never a crash (run under the sanitizers for what this is worth).
 */
#include "zarr_fixture.h"

static const char *const stores[] = {
    "biallelic.vcz",
    "codec_blosc_blosclz_2.vcz",
    "codec_blosc_lz4_0.vcz",
    "codec_blosc_lz4hc_1.vcz",
    "codec_blosc_zlib_1.vcz",
    "codec_blosc_zstd_bit_smallblocks.vcz",
    "codec_gzip.vcz",
    "codec_lz4.vcz",
    "codec_none.vcz",
    "codec_zlib.vcz",
    "codec_zstd.vcz",
    "gt_int32.vcz",
    "order_f.vcz",
    "v3_gzip.vcz",
    "v3_sharded.vcz",
    "v3_zstd.vcz",
};

static const char *const arrays[] = {"call_genotype", "variant_allele", "variant_position"};

static size_t read_vector(const char *store, const char *key, uint8_t *to, size_t room)
{
    char path[512], full[1024];
    FILE *file;
    size_t n;

    snprintf(full, sizeof full, "%s/%s", vector_path(store, path), key);
    file = fopen(full, "rb");
    if (file == NULL)
        fail_msg("%s", full);
    n = fread(to, 1, room, file);
    assert_true(n < room);
    fclose(file);
    return n;
}

/* The whole first chunk; 0 or -1 as decoding went. */
static int decode_first(struct fixture *f, const struct zarr_array *array, struct err *err)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    struct strings strings = {0};
    struct chunk *chunk;
    struct block block;
    int rc = 0;

    decoder_trim(f->decoder);
    if (array->meta.dtype.kind == DTYPE_STRING) {
        rc = zarr_chunk_strings(f->decoder, array, first, &strings, err);
        strings_free(&strings);
        return rc;
    }
    if (decoder_chunk(f->decoder, array, first, &chunk, err) != 0)
        return -1;
    for (uint64_t i = 0; i < chunk_nblocks(chunk) && rc == 0; i++) {
        rc = decoder_block(f->decoder, chunk, i, true, &block, err);
        if (rc == 0)
            rc = decoder_block(f->decoder, chunk, i, false, &block, err);
    }
    return rc;
}

static void expect_named(const struct err *err, const char *key)
{
    if (err->code != ERR_CORRUPT && err->code != ERR_UNSUPPORTED && err->code != ERR_BUDGET)
        fail_msg("%s: %s", err_code_name(err->code), err->msg);
    if (strstr(err->msg, key) == NULL)
        fail_msg("message does not name %s: %s", key, err->msg);
}

static unsigned damage(struct fixture *f, const struct zarr_array *array, const char *key,
                       uint8_t *bytes, size_t n)
{
    unsigned errors = 0;

    for (size_t cut = 0; cut < n; cut++) {
        struct err err = {0};

        put_file(f, key, bytes, cut);
        if (decode_first(f, array, &err) == 0)
            fail_msg("%s was decoded from its first %zu bytes of %zu", key, cut, n);
        expect_named(&err, key);
    }
    for (size_t at = 0; at < n; at++) {
        struct err err = {0};
        uint8_t keep = bytes[at];

        bytes[at] ^= (uint8_t)(1 + at * 151 % 255);
        put_file(f, key, bytes, n);
        bytes[at] = keep;
        if (decode_first(f, array, &err) != 0) {
            expect_named(&err, key);
            errors++;
        }
    }
    return errors;
}

static void damage_array(const char *store, const char *name)
{
    static uint8_t bytes[65536];
    struct fixture f;
    struct zarr_array *array;
    char key[ZARR_KEY_MAX];
    struct err err = {0};
    size_t n;

    bool v3 = strncmp(store, "v3_", 3) == 0;

    make_dir(&f);
    if (v3)
        put_text(&f, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    else
        put_text(&f, ".zgroup", "{\"zarr_format\":2}");
    snprintf(key, sizeof key, "%s/%s", name, v3 ? "zarr.json" : ".zarray");
    n = read_vector(store, key, bytes, sizeof bytes);
    put_file(&f, key, bytes, n);
    open_path(&f, f.dir);
    array = open_array(&f, name);
    zarr_chunk_key(array, (const uint64_t[ZARR_DIMS_MAX]){0}, key);
    n = read_vector(store, key, bytes, sizeof bytes);
    put_file(&f, key, bytes, n);
    if (decode_first(&f, array, &err) != 0)
        fail_msg("%s", err.msg);
    if (damage(&f, array, key, bytes, n) == 0 && array->meta.ncodecs > 0)
        fail_msg("%s of %s: no change was noticed", key, store);
    zarr_array_free(array);
    close_fixture(&f);
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof stores / sizeof stores[0]; s++)
        for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
            damage_array(stores[s], arrays[a]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
