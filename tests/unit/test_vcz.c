/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/sites.h"
#include "encoderd/vcz/text.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <unistd.h>

#define SCRATCH ((size_t)64 << 20)

static const struct vcz_opening how = {.since = INT64_MAX, .scratch_max = SCRATCH};

#define INTS(name, dtype, ndim, ...)                                                               \
    (&(struct made_array){name, dtype, ndim, __VA_ARGS__, {0}, (const int64_t[64]){0}, NULL})
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void check_str(const struct str *text, const char *expected)
{
    assert_int_equal(text->len, strlen(expected));
    assert_memory_equal(text->at, expected, text->len);
}

/* The store must be refused, and the message name its path, `words` and nothing that crashes. */
static void check_refused(struct made_store *store, enum err_code code, const char *const *words)
{
    struct vcz *vcz = NULL;
    struct err err = {0};

    assert_int_equal(vcz_open(store->path, SCRATCH, &vcz, &err), -1);
    assert_null(vcz);
    if (err.code != code)
        fail_msg("code %s: %s", err_code_name(err.code), err.msg);
    if (strstr(err.msg, store->path) == NULL)
        fail_msg("store not named: %s", err.msg);
    for (; *words != NULL; words++)
        if (strstr(err.msg, *words) == NULL)
            fail_msg("'%s' is not in: %s", *words, err.msg);
    made_remove(store);
}
#define REFUSED(store, code, ...)                                                                  \
    check_refused(store, code, (const char *const[]){__VA_ARGS__, NULL})

static void refused_with(const struct made_array *array, enum err_code code,
                         const char *const *words)
{
    struct made_store store;

    made_vcz(&store);
    made_put(&store, array);
    check_refused(&store, code, words);
}
#define REFUSED_WITH(array, code, ...)                                                             \
    refused_with(array, code, (const char *const[]){__VA_ARGS__, NULL})

static void refused_without(const char *name, enum err_code code, const char *word)
{
    struct made_store store;

    made_vcz(&store);
    made_drop(&store, name);
    REFUSED(&store, code, name, word);
}

static void test_not_a_vcz(void **state)
{
    struct made_store store = {"/tmp/vczfs-no-such-store"};

    (void)state;
    REFUSED(&store, ERR_NOT_FOUND, "no such store");

    strcpy(store.path, "/tmp/vczfs-made-XXXXXX");
    assert_non_null(mkdtemp(store.path));
    REFUSED(&store, ERR_NOT_FOUND, "Zarr", ".zgroup", "zarr.json");

    made_vcz(&store);
    made_text(&store, ".zattrs", "{\"other\": 1}");
    made_drop(&store, "variant_position");
    REFUSED(&store, ERR_DATA, "not a VCF Zarr store", "vcf_zarr_version");

    made_vcz(&store);
    made_text(&store, ".zattrs", "{\"vcf_zarr");
    REFUSED(&store, ERR_CORRUPT, ".zattrs");
}

static void test_missing_arrays(void **state)
{
    (void)state;
    refused_without("call_genotype", ERR_DATA, "has no genotypes");
    refused_without("variant_contig", ERR_NOT_FOUND, "missing");
    refused_without("variant_position", ERR_NOT_FOUND, "missing");
    refused_without("variant_allele", ERR_NOT_FOUND, "missing");
    refused_without("sample_id", ERR_NOT_FOUND, "missing");
    refused_without("contig_id", ERR_NOT_FOUND, "missing");
}

static void test_wrong_form(void **state)
{
    (void)state;
    REFUSED_WITH(INTS("call_genotype", "|u1", 3, SHAPE(3, 2, 2)), ERR_UNSUPPORTED, "call_genotype",
                 "signed integers", "uint8");
    REFUSED_WITH(INTS("call_genotype", "<f4", 3, SHAPE(3, 2, 2)), ERR_UNSUPPORTED, "call_genotype",
                 "signed integers", "float32");
    REFUSED_WITH(INTS("call_genotype", "|i1", 2, SHAPE(3, 2)), ERR_CORRUPT, "call_genotype",
                 "2 dimensions");
    REFUSED_WITH(INTS("variant_contig", "<f4", 1, SHAPE(3)), ERR_UNSUPPORTED, "variant_contig",
                 "integers");
    REFUSED_WITH(INTS("variant_position", "<f8", 1, SHAPE(3)), ERR_UNSUPPORTED, "variant_position",
                 "integers");
    REFUSED_WITH(INTS("variant_position", "<i4", 2, SHAPE(3, 1)), ERR_CORRUPT, "variant_position",
                 "2 dimensions");
    REFUSED_WITH(INTS("variant_allele", "|i1", 2, SHAPE(3, 2)), ERR_UNSUPPORTED, "variant_allele",
                 "strings", "int8");
    REFUSED_WITH(INTS("variant_id", "|i1", 1, SHAPE(3)), ERR_UNSUPPORTED, "variant_id", "strings");
    REFUSED_WITH(INTS("sample_id", "|i1", 1, SHAPE(2)), ERR_UNSUPPORTED, "sample_id", "strings");
    REFUSED_WITH(INTS("contig_id", "|i1", 1, SHAPE(3)), ERR_UNSUPPORTED, "contig_id", "strings");
    REFUSED_WITH(INTS("call_genotype_phased", "<f4", 2, SHAPE(3, 2)), ERR_UNSUPPORTED,
                 "call_genotype_phased", "booleans");
}

static void test_ploidy(void **state)
{
    (void)state;
    REFUSED_WITH(INTS("call_genotype", "|i1", 3, SHAPE(3, 2, 3)), ERR_UNSUPPORTED, "ploidy 3");
    REFUSED_WITH(INTS("call_genotype", "|i1", 3, SHAPE(3, 2, 0)), ERR_CORRUPT, "ploidy 0");
}

static void test_sizes_disagree(void **state)
{
    static const char *const five[] = {"a", "b", "c", "d", "e"};

    (void)state;
    REFUSED_WITH(INTS("variant_contig", "|i1", 1, SHAPE(4)), ERR_CORRUPT, "variant_contig",
                 "4 variants", "has 3");
    REFUSED_WITH(INTS("variant_position", "<i4", 1, SHAPE(2)), ERR_CORRUPT, "variant_position",
                 "2 variants");
    REFUSED_WITH(INTS("call_genotype_phased", "|b1", 2, SHAPE(3, 3)), ERR_CORRUPT,
                 "call_genotype_phased", "3 samples");
    REFUSED_WITH((&(struct made_array){"variant_id", "|O", 1, {5}, {0}, NULL, five}), ERR_CORRUPT,
                 "variant_id", "5 variants");
    REFUSED_WITH((&(struct made_array){"sample_id", "|O", 1, {3}, {0}, NULL, five}), ERR_CORRUPT,
                 "sample_id", "3 samples", "has 2");
    REFUSED_WITH((&(struct made_array){"variant_allele", "|O", 2, {1, 5}, {0}, NULL, five}),
                 ERR_CORRUPT, "variant_allele", "1 variants");
    REFUSED_WITH((&(struct made_array){"variant_allele", "|O", 1, {3}, {0}, NULL, five}),
                 ERR_CORRUPT, "variant_allele", "1 dimensions");
    REFUSED_WITH((&(struct made_array){"variant_allele", "|O", 2, {3, 0}, {0}, NULL, five}),
                 ERR_CORRUPT, "variant_allele", "0 alleles");
    REFUSED_WITH((&(struct made_array){"variant_allele", "|O", 2, {3, 70000}, {0}, NULL, NULL}),
                 ERR_CORRUPT, "variant_allele", "70000 alleles");
    REFUSED_WITH((&(struct made_array){"call_genotype",
                                       "|i1",
                                       3,
                                       {UINT64_C(1) << 31, UINT64_C(1) << 30, 2},
                                       {1, 1, 2},
                                       NULL,
                                       NULL}),
                 ERR_CORRUPT, "call_genotype", "claims");
}

static void test_samples(void **state)
{
    static const char *const none[] = {"", ""}, *const twice[] = {"S\033", "S\033"};
    static const int64_t zeros[1] = {0};
    struct made_store store;

    (void)state;
    REFUSED_WITH((&(struct made_array){"sample_id", "|O", 1, {2}, {0}, NULL, none}), ERR_DATA,
                 "no samples", "sample_id", "empty");
    REFUSED_WITH((&(struct made_array){"sample_id", "|O", 1, {2}, {0}, NULL, twice}), ERR_DATA,
                 "'S\\x1b'", "twice");
    made_vcz(&store);
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 0, 2}, {0}, zeros, NULL});
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {0}, {0}, NULL, none});
    REFUSED(&store, ERR_DATA, "no samples");
}

static struct vcz *open_ok(const char *path)
{
    struct vcz *vcz = NULL;
    struct err err = {0};

    if (vcz_open(path, SCRATCH, &vcz, &err) != 0)
        fail_msg("%s", err.msg);
    return vcz;
}

/* What early and other writers say about the store; `notice` is a part of what the user hears, or
 * NULL. */
static void test_attributes(void **state)
{
    static const struct {
        const char *text, *version, *notice;
    } cases[] = {
        {"{\"vcf_zarr_version\": \"0.4\"}", "0.4", NULL},
        {"{\"vcf_zarr_version\": 0.4}", "0.4", NULL},
        {"{\"vcf_zarr_version\": 1}", "1", NULL},
        {"{\"other\": 1}", NULL, "no attribute vcf_zarr_version"},
        {"{\"vcf_zarr_version\": null}", NULL, "no attribute vcf_zarr_version"},
        {"{\"vcf_zarr_version\": \"0.2\", \"max_alt_alleles_seen\": 1}", "0.2", NULL},
        {"{\"vcf_zarr_version\": \"0.2\", \"max_alt_alleles_seen\": 3}", "0.2", "up to 3 ALTs"},
        {"{\"vcf_zarr_version\": \"0.2\", \"max_alt_alleles_seen\": -1}", "0.2", NULL},
        {"{\"vcf_zarr_version\": \"0.2\", \"max_alt_alleles_seen\": \"9\"}", "0.2", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made_store store;
        struct vcz *vcz;

        made_vcz(&store);
        made_text(&store, ".zattrs", cases[i].text);
        vcz = open_ok(store.path);
        if (cases[i].version == NULL)
            assert_null(vcz->version);
        else
            assert_string_equal(vcz->version, cases[i].version);
        assert_int_equal(vcz->notices.n, cases[i].notice != NULL);
        if (cases[i].notice != NULL && strstr(vcz->notices.text[0], cases[i].notice) == NULL)
            fail_msg("'%s' is not in: %s", cases[i].notice, vcz->notices.text[0]);
        vcz_free(vcz);
        made_remove(&store);
    }
}

/* sgkit saves simulated genotypes so: info has something to say about it. */
static void test_no_version_and_ploidy_4(void **state)
{
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_text(&store, ".zattrs", "{\"source\": \"sgkit-0.10.0\"}");
    made_put(&store, INTS("call_genotype", "|i1", 3, SHAPE(3, 2, 4)));
    assert_int_equal(vcz_open_with(store.path, &how, &vcz, &err), 0);
    assert_int_equal(vcz->notices.n, 1);
    assert_int_equal(vcz_need(vcz, VCZ_CALLS, &err), -1);
    assert_non_null(strstr(err.msg, "ploidy 4"));
    vcz_free(vcz);
    made_remove(&store);
}

/* VCF Zarr 0.1 by sgkit 0.5; where contig_id is there, too, that counts. */
static void test_contigs_in_attribute(void **state)
{
    static const char *const texts[] = {
        "{\"vcf_zarr_version\": \"0.1\", \"contigs\": [\"chr1\", \"\", \"chr\u00e9\"]}",
        "{\"vcf_zarr_version\": \"0.1\", \"contigs\": [\"chr1\", 2]}",
        "{\"vcf_zarr_version\": \"0.1\", \"contigs\": \"chr1\"}",
    };
    struct made_store store;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_text(&store, ".zattrs", texts[0]);
    vcz = open_ok(store.path);
    check_str(&vcz->contigs.items[1], "chrUn");
    vcz_free(vcz);
    made_drop(&store, "contig_id");
    vcz = open_ok(store.path);
    assert_int_equal(vcz->contigs.nitems, 3);
    check_str(&vcz->contigs.items[0], "chr1");
    check_str(&vcz->contigs.items[1], "");
    check_str(&vcz->contigs.items[2], "chr\xc3\xa9");
    vcz_free(vcz);
    made_remove(&store);
    for (size_t i = 1; i < sizeof texts / sizeof texts[0]; i++) {
        made_vcz(&store);
        made_drop(&store, "contig_id");
        made_text(&store, ".zattrs", texts[i]);
        REFUSED(&store, ERR_NOT_FOUND, "contig_id", "missing");
    }
}

/* Each array that is no good is a fault of its part, and of no other. */
static void test_faults(void **state)
{
    static const struct {
        const char *array;
        unsigned part;
        bool optional;
    } arrays[] = {
        {"call_genotype", VCZ_CALLS, false},   {"sample_id", VCZ_SAMPLES, false},
        {"variant_contig", VCZ_PLACES, false}, {"variant_position", VCZ_PLACES, false},
        {"contig_id", VCZ_PLACES, false},      {"variant_allele", VCZ_ALLELES, false},
        {"variant_id", VCZ_IDS, true},         {"call_genotype_phased", VCZ_PHASE, true},
    };
    enum { BAD_TYPE, BAD_SHAPE, NOT_JSON, MISSING, NFAULTS };

    (void)state;
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        for (unsigned fault = 0; fault < NFAULTS; fault++) {
            struct made_array bad = {arrays[i].array, "<f4", 1, {3}, {0}, NULL, NULL};
            struct made_store store;
            struct err err = {0};
            struct vcz *vcz;
            char name[64];

            made_vcz(&store);
            if (fault == BAD_SHAPE)
                bad = (struct made_array){arrays[i].array, "|i1", 3, {7, 7, 7}, {0}, NULL, NULL};
            made_put(&store, &bad);
            snprintf(name, sizeof name, "%s/.zarray", arrays[i].array);
            if (fault == NOT_JSON)
                made_text(&store, name, "{");
            if (fault == MISSING)
                made_drop(&store, arrays[i].array);
            if (vcz_open_with(store.path, &how, &vcz, &err) != 0)
                fail_msg("%s, %u: %s", arrays[i].array, fault, err.msg);
            if (vcz_need(vcz, VCZ_ALL & ~arrays[i].part, &err) != 0 && arrays[i].part != VCZ_CALLS)
                fail_msg("%s, %u: %s", arrays[i].array, fault, err.msg);
            assert_int_equal(vcz_need(vcz, arrays[i].part, &err),
                             fault == MISSING && arrays[i].optional ? 0 : -1);
            vcz_free(vcz);
            made_remove(&store);
        }
}

/* Whoever reads only a part of a site does not care about the rest. */
static void test_parts_of_sites(void **state)
{
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_drop(&store, "variant_position");
    made_put(&store, INTS("variant_id", "<f4", 1, SHAPE(3)));
    assert_int_equal(vcz_open_with(store.path, &how, &vcz, &err), 0);
    reader = sites_reader_of(vcz, VCZ_ALLELES, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, 1, &site, &err), 0);
    check_str(&site.alleles[1], "T");
    check_str(&site.id, ".");
    assert_int_equal(site.contig_index, -1);
    sites_reader_free(reader);
    assert_null(sites_reader_of(vcz, VCZ_ALLELES | VCZ_PLACES, SCRATCH, &err));
    assert_non_null(strstr(err.msg, "variant_position"));
    assert_null(sites_reader_of(vcz, VCZ_IDS, SCRATCH, &err));
    assert_non_null(strstr(err.msg, "variant_id"));
    vcz_free(vcz);
    made_remove(&store);
}

/* `vczstore create` leaves this; and vcf2zarr this, until it has finished. */
static void test_not_finished(void **state)
{
    static const int64_t none[1] = {0};
    struct made_store store;
    char path[512];

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 0, 2}, {0}, none, NULL});
    REFUSED(&store, ERR_UNSUPPORTED, "no samples yet", "vczstore append");
    made_vcz(&store);
    made_drop(&store, "call_genotype");
    snprintf(path, sizeof path, "%s/wip", store.path);
    assert_int_equal(mkdir(path, 0777), 0);
    REFUSED(&store, ERR_NOT_FOUND, "no genotypes yet", "dencode-finalise");
}

static void test_null_samples_are_dropped(void **state)
{
    static const char *const samples[] = {"", "z", "a", "", "m", "b", ""};
    static const int64_t calls[3 * 7 * 2] = {0};
    struct made_store store;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"call_genotype", "|i1", 3, {3, 7, 2}, {0}, calls, NULL});
    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {7}, {3}, NULL, samples});
    vcz = open_ok(store.path);
    assert_int_equal(vcz->nsamples_stored, 7);
    assert_int_equal(vcz->nsamples, 4);
    check_str(&vcz->sample_id[0], "z");
    check_str(&vcz->sample_id[3], "b");
    assert_int_equal(vcz->sample_column[0], 1);
    assert_int_equal(vcz->sample_column[2], 4);
    assert_int_equal(vcz->sample_column[3], 5);
    vcz_free(vcz);
    made_remove(&store);
}

static void test_no_variants(void **state)
{
    static const int64_t no_ints[1] = {0};
    static const char *const no_strings[1] = {""};
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_put(&store,
             &(struct made_array){"call_genotype", "|i1", 3, {0, 2, 2}, {0}, no_ints, NULL});
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {0}, {0}, no_ints, NULL});
    made_put(&store, &(struct made_array){"variant_position", "|i1", 1, {0}, {0}, no_ints, NULL});
    made_put(&store,
             &(struct made_array){"variant_allele", "|O", 2, {0, 0}, {0}, NULL, no_strings});
    made_put(&store, &(struct made_array){"variant_id", "|O", 1, {0}, {0}, NULL, no_strings});
    vcz = open_ok(store.path);
    assert_int_equal(vcz->nvariants, 0);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, 0, &site, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

static void test_sites(void **state)
{
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    vcz = open_ok(store.path);
    assert_int_equal(vcz->nvariants, 3);
    assert_int_equal(vcz->ploidy, 2);
    assert_null(vcz->phased);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, 0, &site, &err), 0);
    check_str(&site.contig, "chr1");
    check_str(&site.id, "rs1");
    check_str(&site.alleles[0], "A");
    check_str(&site.alleles[1], "C");
    assert_int_equal(site.nalleles, 2);
    assert_int_equal(site.position, 10);
    assert_int_equal(sites_get(reader, 2, &site, &err), 0);
    check_str(&site.contig, "chrUn");
    check_str(&site.id, ".");
    check_str(&site.alleles[0], "AC");
    assert_int_equal(site.nalleles, 1);
    assert_int_equal(sites_get(reader, 1, &site, &err), 0);
    check_str(&site.id, ".");
    assert_int_equal(sites_get_place(reader, 0, &site, &err), 0);
    assert_int_equal(site.position, 10);
    assert_int_equal(sites_get(reader, 3, &site, &err), -1);
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

/* Columns with chunks of different sizes, alleles in several chunks, read in any order. */
static void test_sites_chunks(void **state)
{
    enum { N = 50, SLOTS = 5 };
    static char text[N * (SLOTS + 1)][16];
    static const int64_t zeros[N * 4];
    const char *allele[N * SLOTS], *id[N];
    int64_t position[N], contig[N];
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    for (unsigned v = 0; v < N; v++) {
        position[v] = v * 100;
        contig[v] = v % 3;
        id[v] = text[N * SLOTS + v];
        snprintf(text[N * SLOTS + v], 16, "id%u", v);
        for (unsigned a = 0; a < SLOTS; a++) {
            allele[v * SLOTS + a] = text[v * SLOTS + a];
            if (a <= v % SLOTS)
                snprintf(text[v * SLOTS + a], 16, "v%ua%u", v, a);
        }
    }
    made_vcz(&store);
    made_put(&store,
             &(struct made_array){"call_genotype", "|i1", 3, {N, 2, 2}, {8, 1, 2}, zeros, NULL});
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {N}, {7}, contig, NULL});
    made_put(&store, &(struct made_array){"variant_position", "<i8", 1, {N}, {64}, position, NULL});
    made_put(&store,
             &(struct made_array){"variant_allele", "|O", 2, {N, SLOTS}, {6, 2}, NULL, allele});
    made_put(&store, &(struct made_array){"variant_id", "|O", 1, {N}, {11}, NULL, id});
    vcz = open_ok(store.path);
    assert_int_equal(sites_stride(vcz), 6);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    for (unsigned i = 0; i < 3 * N; i++) {
        unsigned v = i < N ? i : i * 17 % N;

        if (sites_get(reader, v, &site, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(site.position, v * 100);
        assert_int_equal(site.contig_index, v % 3);
        check_str(&site.id, id[v]);
        assert_int_equal(site.nalleles, v % SLOTS + 1);
        for (unsigned a = 0; a < site.nalleles; a++)
            check_str(&site.alleles[a], allele[v * SLOTS + a]);
    }
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

static void site_refused(const struct made_array *array, uint64_t variant, const char *word)
{
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    made_vcz(&store);
    made_put(&store, array);
    vcz = open_ok(store.path);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, variant, &site, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    if (strstr(err.msg, store.path) == NULL || strstr(err.msg, array->name) == NULL ||
        strstr(err.msg, word) == NULL)
        fail_msg("%s", err.msg);
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

static void test_bad_sites(void **state)
{
    static const int64_t far[] = {0, 3, 0}, below[] = {0, -1, 0};
    static const char *const no_ref[] = {"A", "C", "", "T", "AC", ""};
    static const char *const gap[] = {"A", "", "G", "A", "C", "G", "AC", "", ""};

    (void)state;
    site_refused(&(struct made_array){"variant_contig", "|i1", 1, {3}, {0}, far, NULL}, 1,
                 "contig 3");
    site_refused(&(struct made_array){"variant_contig", "|i1", 1, {3}, {0}, below, NULL}, 1,
                 "contig -1");
    site_refused(&(struct made_array){"variant_position", "<i4", 1, {3}, {0}, below, NULL}, 1,
                 "position -1");
    site_refused(&(struct made_array){"variant_allele", "|O", 2, {3, 2}, {0}, NULL, no_ref}, 1,
                 "no REF");
    site_refused(&(struct made_array){"variant_allele", "|O", 2, {3, 3}, {0}, NULL, gap}, 0,
                 "after an unused slot");
}

static void test_dot_is_no_alt(void **state)
{
    static const char *const dots[] = {"A", ".", "G", "T", "AC", "."};
    struct made_store store;
    struct sites_reader *reader;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){"variant_allele", "|O", 2, {3, 2}, {0}, NULL, dots});
    made_drop(&store, "variant_id");
    vcz = open_ok(store.path);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, 0, &site, &err), 0);
    assert_int_equal(site.nalleles, 1);
    check_str(&site.id, ".");
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

/* Columns whose chunks are longer than any memory: a part of them is enough. */
static void test_budget(void **state)
{
    struct sites_reader *reader;
    struct made_store store;
    struct err err = {0};
    struct site site;
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    made_put(&store, &(struct made_array){
                         "variant_position", "<i4", 1, {3}, {UINT64_C(1) << 30}, NULL, NULL});
    vcz = open_ok(store.path);
    reader = sites_reader_new(vcz, SCRATCH, &err);
    assert_non_null(reader);
    assert_int_equal(sites_get(reader, 2, &site, &err), 0);
    assert_int_equal(site.position, 0);
    assert_int_equal(site.alleles[0].at[0], 'A');
    sites_reader_free(reader);
    vcz_free(vcz);
    made_remove(&store);
}

static void fingerprint(const struct made_store *store, uint8_t out[VCZ_FINGERPRINT_NBYTES])
{
    struct vcz *vcz = open_ok(store->path);
    struct err err = {0};

    assert_int_equal(vcz_fingerprint(vcz, out, &err), 0);
    vcz_free(vcz);
}

static void test_fingerprint(void **state)
{
    static const char *const samples[] = {"S1", "S3"};
    static const int64_t contig[] = {0, 1, 1};
    uint8_t first[VCZ_FINGERPRINT_NBYTES], other[VCZ_FINGERPRINT_NBYTES];
    struct made_store store;

    (void)state;
    made_vcz(&store);
    fingerprint(&store, first);
    fingerprint(&store, other);
    assert_memory_equal(first, other, sizeof first);

    made_text(&store, "unrelated", "x");
    fingerprint(&store, other);
    assert_memory_equal(first, other, sizeof first);

    made_put(&store, &(struct made_array){"sample_id", "|O", 1, {2}, {0}, NULL, samples});
    fingerprint(&store, other);
    assert_memory_not_equal(first, other, sizeof first);

    memcpy(first, other, sizeof first);
    made_put(&store, &(struct made_array){"variant_contig", "|i1", 1, {3}, {0}, contig, NULL});
    fingerprint(&store, other);
    assert_memory_not_equal(first, other, sizeof first);

    memcpy(first, other, sizeof first);
    made_text(&store, "call_genotype/0.0.0", "000000000000");
    fingerprint(&store, other);
    assert_memory_not_equal(first, other, sizeof first);
    made_remove(&store);
}

static bool column(const char *text)
{
    return text_is_column(&(struct str){text, strlen(text)});
}

static void test_text(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "a b",
                                      "a\t",
                                      "\n",
                                      "a\x7f",
                                      "a\x01",
                                      "\xc2\xa0",
                                      "a\xc2\x85",
                                      "\xe1\x9a\x80",
                                      "\xe2\x80\x83",
                                      "x\xe2\x80\xa8",
                                      "\xe2\x80\xa9",
                                      "\xe2\x80\xaf",
                                      "\xe2\x81\x9f",
                                      "\xe3\x80\x80"};
    static const char *const good[] = {"a",
                                       "\xc3\xa9",
                                       "\xc2\xa1",
                                       "\xe2\x80\x8b",
                                       "\xe2\x82\xac",
                                       "\xe3\x81\x82",
                                       "\xf0\x9f\x98\x80",
                                       "<DEL>",
                                       "*"};
    char shown[TEXT_SHOW_MAX], longest[400];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(column(bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(column(good[i]));
    assert_string_equal(text_show(&(struct str){"a\nb", 3}, shown), "'a\\x0ab'");
    assert_string_equal(text_show(&(struct str){NULL, 0}, shown), "''");
    assert_string_equal(text_show(&(struct str){"\xc2\x9b", 2}, shown), "'\\xc2\\x9b'");
    for (size_t n = 0; n < 300; n++) {
        memset(longest, '\001', sizeof longest);
        text_show(&(struct str){longest, n}, shown);
        assert_true(strlen(shown) < TEXT_SHOW_MAX);
        for (size_t i = 0; i + 1 < sizeof longest; i += 2)
            memcpy(longest + i, "\xc3\xa9", 2);
        text_show(&(struct str){longest, n / 2 * 2}, shown);
        assert_true(strlen(shown) < TEXT_SHOW_MAX);
        assert_true(n < 200 || strcmp(shown + strlen(shown) - 6, "\xc3\xa9...'") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_a_vcz),
        cmocka_unit_test(test_missing_arrays),
        cmocka_unit_test(test_wrong_form),
        cmocka_unit_test(test_ploidy),
        cmocka_unit_test(test_sizes_disagree),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_no_version_and_ploidy_4),
        cmocka_unit_test(test_contigs_in_attribute),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_parts_of_sites),
        cmocka_unit_test(test_not_finished),
        cmocka_unit_test(test_null_samples_are_dropped),
        cmocka_unit_test(test_no_variants),
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_sites_chunks),
        cmocka_unit_test(test_bad_sites),
        cmocka_unit_test(test_dot_is_no_alt),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_fingerprint),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
