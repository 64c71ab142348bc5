/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/report.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <jansson.h>
#include <unistd.h>

#define SCRATCH ((size_t)64 << 20)

static const struct vcz_opening how = {.since = INT64_MAX, .scratch_max = SCRATCH};
static const struct pass_means means = {.nthreads = 2, .scratch_max = SCRATCH};

static struct buf report(const struct made_store *store, const struct selection_options *options,
                         bool json)
{
    struct buf out = {0};
    struct err err = {0};
    struct vcz *vcz;

    if (vcz_open_with(store->path, &how, &vcz, &err) != 0 ||
        report_write(vcz, options, &(struct format_options){0}, &means, json, &out, &err) != 0)
        fail_msg("%s", err.msg);
    vcz_free(vcz);
    return out;
}

static json_t *report_object(const struct made_store *store,
                             const struct selection_options *options)
{
    struct buf out = report(store, options, true);
    json_error_t why;
    json_t *object = json_loadb((const char *)out.data, out.len, 0, &why);

    if (object == NULL)
        fail_msg("not JSON: %s", why.text);
    buf_free(&out);
    return object;
}

static json_int_t number_at(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        fail_msg("no number %s", key);
    return json_integer_value(value);
}

static json_t *named(json_t *list, const char *name)
{
    json_t *item;
    size_t i;

    json_array_foreach (list, i, item) {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return item;
    }
    fail_msg("no entry %s", name);
    return NULL;
}

static void test_json(void **state)
{
    struct made_store store;
    json_t *object, *array, *view, *files;

    (void)state;
    made_vcz(&store);
    object = report_object(&store, &(struct selection_options){0});
    assert_string_equal(json_string_value(json_object_get(object, "store")), store.path);
    assert_int_equal(number_at(object, "samples"), 2);
    assert_int_equal(number_at(object, "variants"), 3);
    assert_int_equal(number_at(object, "ploidy"), 2);
    assert_int_equal(number_at(object, "zarr_format"), 2);
    assert_int_equal(number_at(named(json_object_get(object, "contigs"), "chr1"), "variants"), 2);
    assert_int_equal(number_at(named(json_object_get(object, "contigs"), "chrM"), "variants"), 0);
    array = named(json_object_get(object, "arrays"), "variant_position");
    assert_int_equal(number_at(array, "decoded_bytes"), 12);
    assert_true(number_at(array, "stored_bytes") > 12);
    assert_string_equal(json_string_value(json_object_get(array, "dtype")), "int32");
    assert_true(json_is_null(
        json_object_get(named(json_object_get(object, "arrays"), "sample_id"), "decoded_bytes")));
    view = json_array_get(json_object_get(object, "views"), 0);
    assert_true(json_is_null(json_object_get(view, "refused")));
    files = json_object_get(view, "files");
    assert_int_equal(number_at(files, ".bed"), 3 + 3);
    assert_int_equal(number_at(files, ".fam"), 2 * strlen("S1\tS1\t0\t0\t0\t-9\n"));
    assert_int_equal(number_at(files, ".bim"), strlen("1\trs1\t0\t10\tC\tA\n1\t.\t0\t20\tT\tG\n"
                                                      "chrUn\t.\t0\t5\t.\tAC\n"));
    json_decref(object);
    made_remove(&store);
}

static void test_refusal_and_selection(void **state)
{
    static const char *const alleles[] = {"A", "C", "T", "G", "T", "", "AC", "", ""};
    struct made_store store;
    struct buf text;
    json_t *object, *view;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"variant_allele", "|O", 2, {3, 3}, {0}, NULL, alleles});
    object = report_object(&store, &(struct selection_options){0});
    view = json_array_get(json_object_get(object, "views"), 0);
    assert_non_null(strstr(json_string_value(json_object_get(view, "refused")), "1 of 3 variants"));
    json_decref(object);
    text = report(&store, &(struct selection_options){0}, false);
    buf_append_char(&text, '\0');
    assert_non_null(strstr((const char *)text.data, "1 of 3 variants has more than two alleles"));
    buf_free(&text);
    object = report_object(&store, &(struct selection_options){.max_alleles = 2});
    view = json_array_get(json_object_get(object, "views"), 0);
    assert_true(json_is_null(json_object_get(view, "refused")));
    assert_int_equal(number_at(json_object_get(view, "files"), ".bed"), 3 + 2);
    json_decref(object);
    made_remove(&store);
}

/* What a store's writer put into names must reach neither the terminal nor the JSON's syntax. */
static void test_hostile_names(void **state)
{
    static const char *const contigs[] = {"a\"b\\\n\x1b[2J", "chrUn"};
    struct made_store store;
    struct buf text;
    json_t *object;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"contig_id", "|O", 1, {2}, {0}, NULL, contigs});
    made_text(&store, ".zattrs",
              "{\"vcf_zarr_version\": \"0.4\\u001b\", \"source\": \"\\u001b[1m\"}");
    made_put(&store, &(struct made_array){"x\x1b\xff", "|i1", 1, {1}, {0}, NULL, NULL});
    object = report_object(&store, &(struct selection_options){0});
    named(json_object_get(object, "contigs"), contigs[0]);
    json_decref(object);
    text = report(&store, &(struct selection_options){0}, false);
    assert_null(memchr(text.data, '\x1b', text.len));
    buf_free(&text);
    made_remove(&store);
}

static void test_unreadable_array(void **state)
{
    static const int64_t one[] = {1};
    struct made_store store;
    json_t *object, *array;
    struct buf text;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"call_XX", "|i1", 1, {1}, {0}, one, NULL});
    made_text(&store, "call_XX/.zarray", "{\"zarr_format\": 2}");
    object = report_object(&store, &(struct selection_options){0});
    array = named(json_object_get(object, "arrays"), "call_XX");
    assert_true(json_is_string(json_object_get(array, "error")));
    json_decref(object);
    text = report(&store, &(struct selection_options){0}, false);
    buf_append_char(&text, '\0');
    assert_non_null(strstr((const char *)text.data, "not readable"));
    buf_free(&text);
    made_remove(&store);
}

static void test_text(void **state)
{
    static const char *const words[] = {
        "samples    2\n", "variants   3\n", "ploidy     2", "VCF Zarr 0.4", "Zarr v2",
        "chrUn",          "call_genotype",  "3 x 2 x 2",    ".bim",         "int32"};
    struct made_store store;
    struct buf text;

    (void)state;
    made_vcz(&store);
    text = report(&store, &(struct selection_options){0}, false);
    buf_append_char(&text, '\0');
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr((const char *)text.data, words[i]) == NULL)
            fail_msg("'%s' is not in:\n%s", words[i], (const char *)text.data);
    if (getenv("VCZFS_SHOW") != NULL)
        puts((const char *)text.data);
    buf_free(&text);
    made_remove(&store);
}

/* What cannot be read is said, with all that can. */
static void test_broken_stores(void **state)
{
    static const int64_t far[] = {0, 9, 0}, calls[3 * 2 * 3] = {0};
    static const struct {
        struct made_array array;
        const char *dropped;
        const char *words[4];
    } cases[] = {
        {{"variant_contig", "|i1", 1, {3}, {0}, far, NULL},
         NULL,
         {"samples    2\n", "variants of each contig  not known: ", "on contig 9",
          "as plink  not possible"}},
        {{"call_genotype", "|i1", 3, {3, 2, 3}, {0}, calls, NULL},
         NULL,
         {"samples    2\n", "ploidy     3,", "as bgen  not possible", "2  chr1"}},
        {{"call_genotype", "<f4", 3, {3, 2, 2}, {0}, NULL, NULL},
         NULL,
         {"samples    2\n", "variants   3\n", "no genotypes that can be read",
          "as plink  not possible"}},
        {{.name = NULL},
         "call_genotype",
         {"samples    2\n", "variants   3\n", "no genotypes that can be read",
          "as plink  not possible"}},
        {{.name = NULL},
         "sample_id",
         {"samples    2\n", "ploidy     2,", "variant_allele ", "array sample_id is missing"}},
        {{.name = NULL},
         "contig_id",
         {"samples    2\n", "not known: ", "contig_id is missing", "as plink  not possible"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned json = 0; json < 2; json++) {
            struct made_store store;
            struct buf out;

            made_vcz(&store);
            if (cases[i].array.name != NULL)
                made_put(&store, &cases[i].array);
            if (cases[i].dropped != NULL)
                made_drop(&store, cases[i].dropped);
            out = report(&store, &(struct selection_options){0}, json != 0);
            buf_append_char(&out, '\0');
            for (size_t k = 0; k < 4 && json == 0; k++)
                if (strstr((const char *)out.data, cases[i].words[k]) == NULL)
                    fail_msg("'%s' is not in:\n%s", cases[i].words[k], (const char *)out.data);
            buf_free(&out);
            made_remove(&store);
        }
}

static void test_broken_store_as_json(void **state)
{
    static const int64_t far[] = {0, 9, 0};
    struct made_store store;
    json_t *object;

    (void)state;
    made_vcz(&store);
    made_text(&store, ".zattrs", "{}");
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {3}, {0}, far, NULL});
    object = report_object(&store, &(struct selection_options){0});
    assert_true(json_is_null(json_object_get(object, "vcf_zarr_version")));
    assert_int_equal(json_array_size(json_object_get(object, "warnings")), 1);
    assert_true(json_is_string(json_object_get(object, "contigs_error")));
    assert_true(json_is_null(
        json_object_get(named(json_object_get(object, "contigs"), "chr1"), "variants")));
    json_decref(object);
    made_remove(&store);
    made_vcz(&store);
    made_drop(&store, "call_genotype");
    object = report_object(&store, &(struct selection_options){0});
    assert_int_equal(number_at(object, "variants"), 3);
    assert_true(json_is_null(json_object_get(object, "ploidy")));
    assert_true(json_is_null(json_object_get(object, "shown_samples")));
    assert_true(json_is_string(
        json_object_get(json_array_get(json_object_get(object, "views"), 1), "refused")));
    json_decref(object);
    made_remove(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_refusal_and_selection),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_unreadable_array),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_broken_stores),
        cmocka_unit_test(test_broken_store_as_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
