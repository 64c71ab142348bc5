/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a selection: types, regions, samples, saved state, columns. */
#include "common/io.h"
#include "common/memfd.h"
#include "encoderd/select/regions.h"
#include "encoderd/select/selection.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/select/types.h"
#include "encoderd/vcz/columns.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define SCRATCH ((size_t)16 << 20)

static const struct pass_means means = {.nthreads = 2, .scratch_max = SCRATCH};

static struct str str_of(const char *text)
{
    return (struct str){.at = text, .len = strlen(text)};
}

static void check_type(const char *ref, const char *alt, enum variant_type due)
{
    const struct str r = str_of(ref), a = str_of(alt);

    if (types_of_allele(&r, &a) != due)
        fail_msg("%s > %s is type %d", ref, alt, types_of_allele(&r, &a));
}

static void test_types(void **state)
{
    (void)state;
    check_type("A", "C", TYPE_SNP);
    check_type("A", "A", TYPE_REF);
    check_type("A", ".", TYPE_REF);
    check_type("A", "*", TYPE_OVERLAP);
    check_type("AC", "*", TYPE_OVERLAP);
    check_type("A", "<*>", TYPE_REF);
    check_type("A", "<NON_REF>", TYPE_REF);
    check_type("A", "<DEL>", TYPE_OTHER);
    check_type("A", "A]chr2:5]", TYPE_BND);
    check_type("A", "]chr2:5]A", TYPE_BND);
    check_type("A", "AT", TYPE_INDEL);
    check_type("AT", "A", TYPE_INDEL);
    check_type("ATT", "AT", TYPE_INDEL);
    check_type("AC", "GT", TYPE_MNP);
    check_type("AC", "GC", TYPE_SNP);
    check_type("ac", "AC", TYPE_REF);
    check_type("ACG", "GT", TYPE_OTHER);
    check_type("TG", "C", TYPE_OTHER);
    check_type("TC", "GATC", TYPE_INDEL);
    check_type("", "A", TYPE_INDEL);
    check_type("A", "", TYPE_REF);
}

static void test_type_lists(void **state)
{
    struct err err = {0};
    unsigned types;

    (void)state;
    assert_int_equal(types_parse("snps,indels", "--types", &types, &err), 0);
    assert_int_equal(types, TYPE_SNP | TYPE_INDEL);
    assert_int_equal(types_parse("", "--types", &types, &err), -1);
    assert_int_equal(types_parse("snps,", "--types", &types, &err), -1);
    assert_int_equal(types_parse("snp s", "--types", &types, &err), -1);
    assert_non_null(strstr(err.msg, "--types: 'snp s'"));
}

/* A store with a contig whose name looks like a region. */
static void region_store(struct made_store *store, struct vcz **vcz)
{
    static const char *const contigs[] = {"chr1", "chrUn", "HLA:1:2"};
    struct err err = {0};

    made_vcz(store);
    made_put(store, &(struct made_array){"contig_id", "|O", 1, {3}, {0}, NULL, contigs});
    if (vcz_open(store->path, SCRATCH, vcz, &err) != 0)
        fail_msg("%s", err.msg);
}

static void test_region_lists(void **state)
{
    struct regions regions;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    region_store(&store, &vcz);
    assert_int_equal(
        regions_parse_list(vcz, "chr1:10-20,chr1:15-30,chr1:50,HLA:1:2", "-r", &regions, &err), 0);
    assert_int_equal(regions.n, 3);
    assert_true(regions_meet(&regions, 0, 30, 30));
    assert_true(regions_meet(&regions, 0, 1, 10));
    assert_false(regions_meet(&regions, 0, 1, 9));
    assert_false(regions_meet(&regions, 0, 31, 49));
    assert_true(regions_meet(&regions, 0, 31, 50));
    assert_false(regions_meet(&regions, 0, 51, INT64_MAX));
    assert_false(regions_meet(&regions, 1, 0, INT64_MAX));
    assert_true(regions_meet(&regions, 2, 7, 7));
    regions_free(&regions);
    for (size_t i = 0; i < 2; i++) {
        static const char *const named[] = {"HLA:1:2:5-", "{chr1}:7,{HLA:1:2}:5-"};

        assert_int_equal(regions_parse_list(vcz, named[i], "-r", &regions, &err), 0);
        assert_int_equal(regions.n, 1 + i);
        assert_false(regions_meet(&regions, 2, 1, 4));
        assert_true(regions_meet(&regions, 2, 1000000, 1000000));
        regions_free(&regions);
    }
    assert_int_equal(regions_parse_list(vcz, "chr1:1.5k-2e3,{HLA:1:2}", "-r", &regions, &err), 0);
    assert_false(regions_meet(&regions, 0, 1, 1499));
    assert_true(regions_meet(&regions, 0, 1, 1500));
    assert_true(regions_meet(&regions, 0, 2000, 3000));
    assert_false(regions_meet(&regions, 0, 2001, 3000));
    assert_true(regions_meet(&regions, 2, 1, 1));
    regions_free(&regions);
    for (size_t i = 0; i < 12; i++) {
        static const char *const bad[] = {
            "",        ",",        "chr1:5-3", "chr1:a",  "chr1:5-6x", "chr1:",
            "chr1:1e", "chr1:1.5", "{chr1:5",  "{chr1}5", "chr1:1e19", "chr1:99999999999999999999"};

        assert_int_equal(regions_parse_list(vcz, bad[i], "-r", &regions, &err), -1);
        assert_int_equal(err.code, ERR_FORM);
    }
    vcz_free(vcz);
    made_remove(&store);
}

/* Contigs that a list names must be there; the message says which are, and which is meant. */
static void test_unknown_contigs(void **state)
{
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"nope:1", "no contig 'nope'; it has 'chr1', 'chrUn', 'HLA:1:2'"},
        {"chr1,1", "no contig '1', but it has 'chr1'; it has"},
        {"CHR1:5", "no contig 'CHR1', but it has 'chr1'"},
        {"{chr2}:5-9", "no contig 'chr2'; it has"},
        {"HLA:1:3", "no contig 'HLA:1'; it has"},
    };
    struct regions regions;
    struct made_store store;
    struct vcz *vcz;

    (void)state;
    region_store(&store, &vcz);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        assert_int_equal(regions_parse_list(vcz, cases[i].list, "-r", &regions, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].list, err.msg);
    }
    vcz_free(vcz);
    made_remove(&store);
}

static int parse_bytes(const struct vcz *vcz, const char *name, const void *bytes, size_t len,
                       enum region_format format, struct regions *regions, struct err *err)
{
    const struct option_file file = {.name = name, .text = bytes, .len = len};

    return regions_parse_file(vcz, &file, format, "-R", regions, err);
}

static int parse_file(const struct vcz *vcz, const char *name, const char *text,
                      struct regions *regions, struct err *err)
{
    return parse_bytes(vcz, name, text, strlen(text), REGION_AUTO, regions, err);
}

static void test_region_files(void **state)
{
    struct regions regions;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    region_store(&store, &vcz);
    assert_int_equal(
        parse_file(vcz, "a.txt", "# x\nchr1\t5\t7\tname\r\n\nchrUn\t9\t9\n", &regions, &err), 0);
    assert_true(regions_meet(&regions, 0, 5, 5));
    assert_true(regions_meet(&regions, 0, 7, 7));
    assert_false(regions_meet(&regions, 0, 8, 8));
    assert_true(regions_meet(&regions, 1, 9, 9));
    assert_false(regions_meet(&regions, 1, 10, 10));
    regions_free(&regions);
    assert_int_equal(parse_file(vcz, "a.BED", "chr1\t5\t7\nchr1\t20\t20\n", &regions, &err), 0);
    assert_false(regions_meet(&regions, 0, 5, 5));
    assert_true(regions_meet(&regions, 0, 6, 6));
    assert_false(regions_meet(&regions, 0, 8, 100));
    regions_free(&regions);
    assert_int_equal(parse_file(vcz, "a", "chr1\t5\t7\nchr1 5 7\n", &regions, &err), -1);
    assert_non_null(strstr(err.msg, "line 2"));
    assert_int_equal(parse_file(vcz, "a", "chr1\tx\t5\n", &regions, &err), -1);
    assert_int_equal(parse_file(vcz, "a", "chr1\t5\t4\n", &regions, &err), -1);
    assert_int_equal(parse_file(vcz, "a.bed", "chr1\t5\n", &regions, &err), -1);
    assert_int_equal(parse_file(vcz, "a", "#\n\n", &regions, &err), -1);
    assert_non_null(strstr(err.msg, "holds no region"));
    vcz_free(vcz);
    made_remove(&store);
}

/* bcftools' rule: whether there is a third column is what the first line says. */
static void test_region_formats(void **state)
{
    static const struct {
        const char *name, *text;
        enum region_format format;
        int64_t first, last; /* of chr1; 0: refused */
    } cases[] = {
        {"a.tsv", "chr1\t5\tA,C\nchr1\t6\t9\n", REGION_AUTO, 5, 6},
        {"a.tsv", "chr1\t5\t7\nchr1\t6\tA,C\n", REGION_AUTO, 0, 0},
        {"a.tsv", "chr1\t5\t7\nchr1\t8\n", REGION_AUTO, 0, 0},
        {"a.tsv", "chr1\t5\nchr1\t6\t9\n", REGION_AUTO, 5, 6},
        {"a", "##fileformat=VCFv4.3\n#CHROM\tPOS\nchr1\t5\t9\tA\tC\n", REGION_AUTO, 5, 5},
        {"a.vcf", "chr1\t5\t9\n", REGION_AUTO, 5, 9},
        {"a", "chr1\t5\t9\n", REGION_VCF, 5, 5},
        {"a", "chr1\t4\t9\n", REGION_BED, 5, 9},
        {"a.bed", "chr1\t5\t9\n", REGION_TAB, 5, 9},
        {"a.bed.gz", "chr1\t4\t9\n", REGION_AUTO, 5, 9},
        {"/dev/fd/63", "chr1\t5\t9\n", REGION_AUTO, 5, 9},
        {"a", "chr1\t5\trs1\n", REGION_BED, 0, 0},
    };
    struct regions regions;
    struct made_store store;
    struct vcz *vcz;

    (void)state;
    region_store(&store, &vcz);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        int rc = parse_bytes(vcz, cases[i].name, cases[i].text, strlen(cases[i].text),
                             cases[i].format, &regions, &err);

        assert_int_equal(rc, cases[i].first > 0 ? 0 : -1);
        if (rc != 0)
            continue;
        assert_true(regions_meet(&regions, 0, cases[i].first, cases[i].first));
        assert_true(regions_meet(&regions, 0, cases[i].last, cases[i].last));
        assert_false(regions_meet(&regions, 0, 1, cases[i].first - 1));
        assert_false(regions_meet(&regions, 0, cases[i].last + 1, INT64_MAX));
        regions_free(&regions);
    }
    vcz_free(vcz);
    made_remove(&store);
}

/* One gzip member; with the extra field of BGZF, which says how long it is. */
static size_t put_member(uint8_t *to, const char *text, size_t len, bool bgzf)
{
    uint8_t extra[] = {'B', 'C', 2, 0, 0, 0};
    gz_header header = {.os = 255, .extra = bgzf ? extra : NULL, .extra_len = sizeof extra};
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)text, .avail_in = (uInt)len};
    size_t n;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
    z.next_out = to;
    z.avail_out = 1 << 20;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
    return n;
}

/* Lines that members divide anywhere, long ones among them; and every file that is cut short or
 * damaged. */
static void test_packed_regions(void **state)
{
    char *text = malloc(300000);
    uint8_t *packed = malloc(2 << 20);
    struct regions regions;
    struct made_store store;
    struct vcz *vcz;
    size_t len, n = 0;

    (void)state;
    region_store(&store, &vcz);
    len = (size_t)sprintf(text, "chr1\t5\t7\t");
    memset(text + len, 'x', 200000);
    len += 200000;
    len += (size_t)sprintf(text + len, "\r\nchr1\t20\t30\r\nchrUn\t9\t9");
    for (size_t bgzf = 0; bgzf < 2; bgzf++) {
        n = 0;
        for (size_t at = 0; at < len; at += 50000)
            n += put_member(packed + n, text + at, len - at < 50000 ? len - at : 50000, bgzf != 0);
        if (bgzf != 0)
            n += put_member(packed + n, "", 0, true);
        assert_int_equal(parse_bytes(vcz, "a", packed, n, REGION_AUTO, &regions, NULL), 0);
        assert_int_equal(regions.n, 3);
        assert_true(regions_meet(&regions, 0, 20, 30));
        assert_false(regions_meet(&regions, 0, 8, 19));
        assert_true(regions_meet(&regions, 1, 9, 9));
        regions_free(&regions);
    }
    /* A BGZF file that lost its last members is not a shorter list. */
    for (size_t cut = 1; cut < n; cut++) {
        struct err err = {0};

        if (parse_bytes(vcz, "a", packed, n - cut, REGION_AUTO, &regions, &err) == 0)
            fail_msg("cut by %zu of %zu it was taken", cut, n);
        assert_int_equal(err.code, ERR_USAGE);
    }
    packed[n] = 'x';
    assert_int_equal(parse_bytes(vcz, "a", packed, n + 1, REGION_AUTO, &regions, NULL), -1);
    packed[n / 2] ^= 1;
    assert_int_equal(parse_bytes(vcz, "a", packed, n, REGION_AUTO, &regions, NULL), -1);
    free(text);
    free(packed);
    vcz_free(vcz);
    made_remove(&store);
}

static void test_bcf_is_refused(void **state)
{
    struct regions regions;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    region_store(&store, &vcz);
    assert_int_equal(
        parse_bytes(vcz, "a.bcf", "BCF\2\2\x10\0\0\0##file\n", 16, REGION_AUTO, &regions, &err),
        -1);
    assert_non_null(strstr(err.msg, "bcftools query"));
    vcz_free(vcz);
    made_remove(&store);
}

/* Five samples, the second a null sample; genotypes chunked by two. */
static void sample_store(struct made_store *store, struct vcz **vcz)
{
    static const char *const ids[] = {"A", "", "B", "C", "D"};
    static const int64_t genotype[30] = {0};
    struct err err = {0};

    made_vcz(store);
    made_put(store,
             &(struct made_array){"call_genotype", "|i1", 3, {3, 5, 2}, {2, 2, 2}, genotype, NULL});
    made_put(store, &(struct made_array){"sample_id", "|O", 1, {5}, {0}, NULL, ids});
    if (vcz_open(store->path, SCRATCH, vcz, &err) != 0)
        fail_msg("%s", err.msg);
}

static const char *id_of_column(const struct vcz *vcz, uint64_t column)
{
    for (uint64_t i = 0; i < vcz->nsamples; i++)
        if (vcz->sample_column[i] == column)
            return vcz->sample_id[i].at;
    return NULL;
}

static void check_samples(const struct vcz *vcz, const char *list, const char *due, bool contiguous,
                          bool store_order)
{
    const struct selection_options options = {.samples = list};
    struct selection selection, again;
    struct err err = {0};
    char shown[64] = "";
    int fd;

    if (selection_open(vcz, &options, &means, false, -1, &selection, &err) != 0)
        fail_msg("%s: %s", list, err.msg);
    for (uint64_t i = 0; i < selection.nsamples; i++) {
        strncat(shown, selection.sample_id[i].at, selection.sample_id[i].len);
        assert_ptr_equal(id_of_column(vcz, selection.sample_column[i]), selection.sample_id[i].at);
    }
    assert_string_equal(shown, due);
    assert_int_equal(selection.contiguous, contiguous);
    assert_int_equal(selection.store_order, store_order);
    assert_int_equal(selection.sorted_column == NULL, contiguous);
    for (uint64_t i = 0; !contiguous && i < selection.nsamples; i++) {
        assert_int_equal(selection.sample_column[selection.sorted_sample[i]],
                         selection.sorted_column[i]);
        assert_true(i == 0 || selection.sorted_column[i - 1] < selection.sorted_column[i]);
    }
    assert_int_equal(selection_save(&selection, &fd, &err), 0);
    assert_int_equal(fd < 0, strcmp(due, "ABCD") == 0);
    assert_int_equal(selection_open(vcz, &options, &means, true, fd, &again, &err), 0);
    assert_int_equal(again.nsamples, selection.nsamples);
    assert_memory_equal(again.sample_column, selection.sample_column,
                        selection.nsamples * sizeof *again.sample_column);
    assert_int_equal(row_map_nrows(&again.rows), vcz->nvariants);
    if (fd >= 0)
        close(fd);
    selection_close(&again);
    selection_close(&selection);
}

static void test_samples(void **state)
{
    static const char *const bad[] = {"", "^", "A,A", "X", "^X", "A,X", "^A,B,C,D", "A,", "a"};
    struct made_store store;
    struct selection selection;
    struct vcz *vcz;

    (void)state;
    sample_store(&store, &vcz);
    check_samples(vcz, NULL, "ABCD", false, true);
    check_samples(vcz, "A,B,C,D", "ABCD", false, true);
    check_samples(vcz, "B,C", "BC", true, true);
    check_samples(vcz, "C,B", "CB", false, false);
    check_samples(vcz, "D", "D", true, true);
    check_samples(vcz, "D,A,C", "DAC", false, false);
    check_samples(vcz, "^A", "BCD", true, true);
    check_samples(vcz, "^C,B", "AD", false, true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct selection_options options = {.samples = bad[i]};
        struct err err = {0};
        int rc = selection_open(vcz, &options, &means, false, -1, &selection, &err);

        /* An empty item says nothing. */
        assert_int_equal(rc, strcmp(bad[i], "A,") == 0 ? 0 : -1);
        if (rc == 0)
            selection_close(&selection);
        else
            assert_int_equal(err.code, strlen(bad[i]) > strspn(bad[i], "^") ? ERR_USAGE : ERR_FORM);
    }
    vcz_free(vcz);
    made_remove(&store);
}

static void test_forced_samples(void **state)
{
    const struct selection_options options = {.samples = "B,X,Y", .force_samples = true};
    struct selection selection;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    sample_store(&store, &vcz);
    assert_int_equal(selection_open(vcz, &options, &means, false, -1, &selection, &err), 0);
    assert_int_equal(selection.nsamples, 1);
    assert_int_equal(selection.notices.n, 1);
    assert_non_null(strstr(selection.notices.text[0], "'X', 'Y'"));
    selection_close(&selection);
    vcz_free(vcz);
    made_remove(&store);
}

/* A saved selection of samples D, A and the variants with two alleles, with one byte changed. */
static int altered(const struct vcz *vcz, size_t at, uint8_t flip, size_t cut, struct err *err)
{
    const struct selection_options options = {.samples = "D,A", .min_alleles = 2};
    struct selection selection;
    uint8_t bytes[256];
    ssize_t n;
    int fd, other, rc;

    assert_int_equal(selection_open(vcz, &options, &means, false, -1, &selection, err), 0);
    assert_int_equal(row_map_nrows(&selection.rows), 2);
    assert_int_equal(selection_save(&selection, &fd, err), 0);
    selection_close(&selection);
    n = pread(fd, bytes, sizeof bytes, 0);
    assert_true(n > 0 && (size_t)n > at + cut);
    close(fd);
    bytes[at] ^= flip;
    other = memfd_open("test", err);
    assert_int_equal(io_write_all(other, bytes, (size_t)n - cut, "test", err), 0);
    assert_int_equal(memfd_seal(other, err), 0);
    rc = selection_open(vcz, &options, &means, true, other, &selection, err);
    close(other);
    if (rc == 0) {
        assert_int_equal(row_map_nrows(&selection.rows), 2);
        assert_int_equal(selection.nsamples, 2);
        assert_int_equal(selection.sample_id[0].at[0], 'D');
        selection_close(&selection);
    }
    return rc;
}

static void test_state(void **state)
{
    /* Header: magic 8, samples stored 8, samples 8; then 2 × 8 samples; then the rows. */
    static const size_t places[] = {8, 12, 16, 20, 24, 32, 31, 40, 48, 56, 64};
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    sample_store(&store, &vcz);
    assert_int_equal(altered(vcz, 0, 0, 0, &err), 0);
    assert_int_equal(altered(vcz, 0, 1, 0, &err), -1);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        assert_int_equal(altered(vcz, places[i], 0x10, 0, &err), -1);
    /* Sample 3 and sample 3 again. */
    assert_int_equal(altered(vcz, 32, 3, 0, &err), -1);
    assert_int_equal(altered(vcz, 0, 0, 1, &err), -1);
    assert_int_equal(altered(vcz, 0, 0, 8, &err), -1);
    vcz_free(vcz);
    made_remove(&store);
}

/* Values of every chunking of (7 variants, 5 samples, 3 values), any samples, any range. */
static void check_column(const char *dtype, const uint64_t chunk[3], const uint64_t *samples,
                         uint64_t nsamples, size_t budget)
{
    static int64_t values[7 * 5 * 3];
    struct made_array made = {"call_X", dtype, 3, {7, 5, 3}, {chunk[0], chunk[1], chunk[2]},
                              values,   NULL};
    struct zarr_array *array;
    struct made_store store;
    struct decoder *decoder;
    struct zarr_group *group;
    struct column *column;
    struct store *open;
    struct err err = {0};

    for (int64_t i = 0; i < 7 * 5 * 3; i++)
        values[i] = i - 5;
    made_group(&store);
    made_put(&store, &made);
    assert_int_equal(store_open(store.path, &open, &err), 0);
    assert_int_equal(zarr_group_open(open, &group, &err), 0);
    assert_int_equal(zarr_array_open(group, "call_X", &array, &err), 0);
    decoder = decoder_new(SCRATCH, &err);
    column = column_new(array, samples, nsamples, decoder, budget, &err);
    assert_non_null(column);
    for (uint64_t begin = 0; begin < 7; begin++)
        for (uint64_t n = 1; begin + n <= 7; n++) {
            int64_t ints[7 * 5 * 3];
            double doubles[7 * 5 * 3];

            assert_int_equal(column_ints(column, begin, n, ints, &err), 0);
            assert_int_equal(column_doubles(column, begin, n, doubles, &err), 0);
            for (uint64_t i = 0; i < n * nsamples * 3; i++) {
                uint64_t row = begin + i / (nsamples * 3), s = samples[i / 3 % nsamples];
                int64_t due = values[(row * 5 + s) * 3 + i % 3];

                assert_int_equal(ints[i], due);
                if (due == VCZ_INT_MISSING || due == VCZ_INT_FILL)
                    assert_int_equal(column_bits(doubles[i]),
                                     due == VCZ_INT_FILL ? COLUMN_FILL_BITS : COLUMN_MISSING_BITS);
                else
                    assert_true(doubles[i] == (double)due);
            }
        }
    column_free(column);
    decoder_free(decoder);
    zarr_array_free(array);
    zarr_group_free(group);
    store_free(open);
    made_remove(&store);
}

static void test_columns(void **state)
{
    static const uint64_t chunks[][3] = {{7, 5, 3}, {2, 2, 2}, {3, 5, 1}, {1, 1, 1}, {7, 3, 3}};
    static const uint64_t samples[][5] = {{0, 1, 2, 3, 4}, {4, 0, 2, 0, 0}, {1, 2, 3, 0, 0}};
    static const uint64_t nsamples[] = {5, 3, 3};
    static const char *const dtypes[] = {"<i1", "<i2", "<i4", "<i8"};

    (void)state;
    for (size_t c = 0; c < 5; c++)
        for (size_t s = 0; s < 3; s++)
            for (size_t d = 0; d < 4; d++)
                check_column(dtypes[d], chunks[c], samples[s], nsamples[s],
                             d % 2 == 0 ? SCRATCH : 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),           cmocka_unit_test(test_type_lists),
        cmocka_unit_test(test_region_lists),    cmocka_unit_test(test_region_files),
        cmocka_unit_test(test_unknown_contigs), cmocka_unit_test(test_region_formats),
        cmocka_unit_test(test_packed_regions),  cmocka_unit_test(test_bcf_is_refused),
        cmocka_unit_test(test_samples),         cmocka_unit_test(test_forced_samples),
        cmocka_unit_test(test_state),           cmocka_unit_test(test_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
