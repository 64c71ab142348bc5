/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PLINK views: the sidecars and, for whole stores, the .bed, against what the reference tool made.
 */
#include "encoderd/format/each.h"
#include "encoderd/format/formats.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <fcntl.h>
#include <unistd.h>

#define SCRATCH ((size_t)256 << 20)

static const struct pass_means means = {.nthreads = 2, .scratch_max = SCRATCH};

static const char *vectors(void)
{
    const char *dir = getenv("VCZFS_VECTORS");

    return dir != NULL ? dir : "build/vectors";
}

static void read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    size_t n;

    if (file == NULL)
        fail_msg("%s cannot be read; VCZFS_VECTORS must name the unpacked vectors", path);
    do {
        n = fread(buf_reserve(out, 65536), 1, 65536, file);
        out->len += n;
    } while (n > 0);
    fclose(file);
}

static void check_bytes(const char *what, const struct buf *got, const struct buf *expected)
{
    if (got->len != expected->len)
        fail_msg("%s: %zu bytes, not %zu", what, got->len, expected->len);
    for (size_t i = 0; i < got->len; i++)
        if (got->data[i] != expected->data[i])
            fail_msg("%s: byte %zu is %02x, not %02x", what, i, got->data[i], expected->data[i]);
}

static const struct format_sidecar *sidecar(const struct format_view *view, const char *suffix)
{
    for (size_t i = 0; i < view->nsidecars; i++)
        if (strcmp(view->sidecars[i].suffix, suffix) == 0)
            return &view->sidecars[i];
    return NULL;
}

static void read_sidecar(const struct format_view *view, const char *suffix, struct buf *out)
{
    const struct format_sidecar *file = sidecar(view, suffix);
    struct stat st;

    assert_non_null(file);
    assert_int_equal(fstat(file->fd, &st), 0);
    assert_int_equal(st.st_size, file->size);
    assert_int_equal(pread(file->fd, buf_reserve(out, file->size + 1), file->size + 1, 0),
                     file->size);
    out->len = file->size;
    assert_true((fcntl(file->fd, F_GET_SEALS) & F_SEAL_SHRINK) != 0);
    assert_true((fcntl(file->fd, F_GET_SEALS) & F_SEAL_WRITE) != 0);
}

/* All genotypes of the store, as int8, columns as stored. */
static int8_t *read_genotypes(const struct vcz *vcz)
{
    const struct zarr_meta *meta = &vcz->genotype->meta;
    int8_t *all = malloc(vcz->nvariants * vcz->nsamples_stored * vcz->ploidy + 1);
    int64_t *chunk = malloc(meta->chunk_elements * sizeof *chunk);
    struct err err = {0};
    struct decoder *decoder = decoder_new(SCRATCH, &err);
    uint64_t index[3];

    for (index[0] = 0; index[0] < meta->nchunks[0]; index[0]++)
        for (index[1] = 0; index[1] < meta->nchunks[1]; index[1]++)
            for (index[2] = 0; index[2] < meta->nchunks[2]; index[2]++) {
                if (zarr_chunk_ints(decoder, vcz->genotype, index, chunk, &err) != 0)
                    fail_msg("%s", err.msg);
                for (uint64_t i = 0; i < meta->chunk_elements; i++) {
                    uint64_t p = index[2] * meta->chunk[2] + i % meta->chunk[2];
                    uint64_t s = index[1] * meta->chunk[1] + i / meta->chunk[2] % meta->chunk[1];
                    uint64_t v = index[0] * meta->chunk[0] + i / meta->chunk[2] / meta->chunk[1];

                    if (v < meta->shape[0] && s < meta->shape[1] && p < meta->shape[2])
                        all[(v * meta->shape[1] + s) * meta->shape[2] + p] =
                            chunk[i] < -128 || chunk[i] > 127 ? 127 : (int8_t)chunk[i];
                }
            }
    decoder_free(decoder);
    free(chunk);
    return all;
}

/* One row, put in runs of uneven lengths. */
static void put_row(const struct format_view *view, uint64_t row, const int8_t *stored,
                    uint8_t *out)
{
    const struct selection *selection = view->selection;
    unsigned ploidy = selection->vcz->ploidy;
    int8_t *calls = malloc(selection->nsamples * ploidy + 16);
    struct err err = {0};

    for (uint64_t i = 0; i < selection->nsamples; i++)
        memcpy(calls + i * ploidy, stored + selection->sample_column[i] * ploidy, ploidy);
    for (uint64_t at = 0, n; at < selection->nsamples; at += n) {
        n = 1 + (at * 7 + row) % 23;
        if (n > selection->nsamples - at)
            n = selection->nsamples - at;
        struct call_run run = {.row = row,
                               .variant = row_map_at(&selection->rows, row).variant,
                               .sample = at,
                               .ncalls = n,
                               .ploidy = ploidy,
                               .alleles = calls + at * ploidy};
        if (view->format->put(view, &run, out + at / view->layout.samples_per_byte, &err) != 0)
            fail_msg("%s", err.msg);
    }
    free(calls);
}

static void make_bed(const struct format_view *view, struct buf *out)
{
    const struct vcz *vcz = view->selection->vcz;
    int8_t *genotypes = read_genotypes(vcz);
    uint64_t size = format_stream_size(&view->layout);
    uint8_t *at = buf_reserve(out, size);

    memset(at, 0, size);
    view->format->header(view, 0, view->layout.header_nbytes, at);
    at += view->layout.header_nbytes;
    for (uint64_t row = 0; row < view->layout.nrows; row++, at += view->layout.row_nbytes) {
        uint64_t variant = row_map_at(&view->selection->rows, row).variant;

        put_row(view, row, genotypes + variant * vcz->nsamples_stored * vcz->ploidy, at);
    }
    out->len = size;
    free(genotypes);
}

static void check_file(const char *dir, const char *suffix, const struct buf *got)
{
    struct buf expected = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/x%s", dir, suffix);
    read_file(path, &expected);
    check_bytes(path, got, &expected);
    buf_free(&expected);
}

static void check_view(const struct format_view *view, const char *dir,
                       const struct format_options *options)
{
    const bool alone = options->nsettings > 0; /* without .bim and .fam */
    struct buf bim = {0}, fam = {0}, bed = {0};

    make_bed(view, &bed);
    check_file(dir, ".bed", &bed);
    assert_int_equal(sidecar(view, ".bim") == NULL, alone);
    assert_int_equal(sidecar(view, ".fam") == NULL, alone);
    if (!alone) {
        read_sidecar(view, ".bim", &bim);
        check_file(dir, ".bim", &bim);
        read_sidecar(view, ".fam", &fam);
        check_file(dir, ".fam", &fam);
    }
    buf_free(&bim);
    buf_free(&fam);
    buf_free(&bed);
}

struct test_case {
    char id[64], store[64], options[64];
    struct selection_options selection;
    struct format_options format;
};

static const struct option_setting alone[] = {{"plink", "no-bim", ""}, {"plink", "no-fam", ""}};

/* Only these options are the business of this test. */
static bool parse_options(struct test_case *test)
{
    if (test->options[0] == '\0')
        return true;
    if (strcmp(test->options, "-m 3 -M 3") == 0) {
        test->selection = (struct selection_options){.min_alleles = 3, .max_alleles = 3};
        return true;
    }
    test->selection.max_alleles = 2;
    if (strcmp(test->options, "--no-bim --no-fam -M 2") != 0)
        return strcmp(test->options, "-M 2") == 0;
    test->format.settings = alone;
    test->format.nsettings = 2;
    return true;
}

/* False if the kind of store is not read yet. */
static bool run_case(const struct test_case *test)
{
    struct format_view view;
    struct selection selection;
    struct err err = {0};
    char store[256], dir[256], error[300];
    struct vcz *vcz;
    int rc;

    snprintf(store, sizeof store, "%s/stores/%s", vectors(), test->store);
    snprintf(dir, sizeof dir, "%s/expected/%s", vectors(), test->id);
    snprintf(error, sizeof error, "%s/error.txt", dir);
    if (vcz_open(store, SCRATCH, &vcz, &err) != 0) {
        if (err.code == ERR_UNSUPPORTED &&
            (strstr(test->store, ".zip") != NULL || strstr(test->store, "sharded") != NULL))
            return false;
        fail_msg("%s: %s", test->id, err.msg);
    }
    if (selection_open(vcz, &test->selection, &means, false, -1, &selection, &err) != 0)
        fail_msg("%s: %s", test->id, err.msg);
    rc = format_plink.open(&selection, &test->format, &means, false, &view, &err);
    if (access(error, F_OK) == 0) {
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, ERR_DATA);
        assert_non_null(strstr(err.msg, "--max-alleles 2"));
        assert_non_null(strstr(err.msg, "bcftools norm -m-"));
    } else {
        if (rc != 0)
            fail_msg("%s: %s", test->id, err.msg);
        check_view(&view, dir, &test->format);
        format_plink.close(&view);
    }
    selection_close(&selection);
    vcz_free(vcz);
    return true;
}

static void test_vectors(void **state)
{
    char path[512], line[1024], format[16];
    unsigned nrun = 0;
    FILE *cases;

    (void)state;
    snprintf(path, sizeof path, "%s/cases.tsv", vectors());
    cases = fopen(path, "r");
    if (cases == NULL)
        fail_msg("%s cannot be read; VCZFS_VECTORS must name the unpacked vectors", path);
    while (fgets(line, sizeof line, cases) != NULL) {
        struct test_case test = {0};
        int n = sscanf(line, "%63[^\t]\t%63[^\t]\t%15[^\t]\t%63[^\n]", test.id, test.store, format,
                       test.options);

        if (n < 3 || strcmp(format, "plink") != 0 || !parse_options(&test))
            continue;
        nrun += run_case(&test);
    }
    fclose(cases);
    /* 40 stores less haploid, three zips and, for now, perhaps a sharded one; three more with
     * options. */
    assert_true(nrun >= 38);
}

/* Two views of the same rows must not differ by how the pass was cut into threads. */
static void test_threads_agree(void **state)
{
    struct buf one = {0}, many = {0};

    (void)state;
    for (unsigned nthreads = 1; nthreads <= 4; nthreads += 3) {
        struct pass_means m = {.nthreads = nthreads, .scratch_max = SCRATCH};
        struct selection_options options = {.max_alleles = 2};
        struct selection selection;
        struct format_view view;
        struct err err = {0};
        struct vcz *vcz;
        char path[512];

        snprintf(path, sizeof path, "%s/stores/filters.vcz", vectors());
        assert_int_equal(vcz_open(path, SCRATCH, &vcz, &err), 0);
        assert_int_equal(selection_open(vcz, &options, &m, false, -1, &selection, &err), 0);
        assert_int_equal(
            format_plink.open(&selection, &(struct format_options){0}, &m, false, &view, &err), 0);
        read_sidecar(&view, ".bim", nthreads == 1 ? &one : &many);
        format_plink.close(&view);
        selection_close(&selection);
        vcz_free(vcz);
    }
    check_bytes("bim", &many, &one);
    buf_free(&one);
    buf_free(&many);
}

/* A made store with some arrays replaced, opened as PLINK. */
struct opened {
    struct made_store store;
    struct vcz *vcz;
    struct selection selection;
    struct format_view view;
};

static int open_made(struct opened *o, const struct made_array *array,
                     const struct format_options *options, bool resume, struct err *err)
{
    made_vcz(&o->store);
    if (array != NULL)
        made_put(&o->store, array);
    if (vcz_open(o->store.path, SCRATCH, &o->vcz, err) != 0 ||
        selection_open(o->vcz, &(struct selection_options){0}, &means, false, -1, &o->selection,
                       err) != 0)
        fail_msg("%s", err->msg);
    return format_plink.open(&o->selection, options, &means, resume, &o->view, err);
}

static void close_made(struct opened *o)
{
    if (o->view.format != NULL)
        format_plink.close(&o->view);
    selection_close(&o->selection);
    vcz_free(o->vcz);
    made_remove(&o->store);
}

static void made_refused(const struct made_array *array, const struct format_options *options,
                         const char *word)
{
    struct opened o = {0};
    struct err err = {0};

    assert_int_equal(open_made(&o, array, options, false, &err), -1);
    if (err.code != ERR_DATA || strstr(err.msg, word) == NULL ||
        strstr(err.msg, o.store.path) == NULL)
        fail_msg("'%s' is not in: %s", word, err.msg);
    close_made(&o);
}

static void made_bim(const struct made_array *array, const char *expected)
{
    struct opened o = {0};
    struct err err = {0};
    struct buf bim = {0};

    if (open_made(&o, array, &(struct format_options){0}, false, &err) != 0)
        fail_msg("%s", err.msg);
    read_sidecar(&o.view, ".bim", &bim);
    check_bytes("bim", &bim, &(struct buf){(uint8_t *)(uintptr_t)expected, strlen(expected), 0, 0});
    buf_free(&bim);
    close_made(&o);
}

static void test_chromosome_names(void **state)
{
    static const char *const names[][2] = {{"chr1", "1"},
                                           {"chr9", "9"},
                                           {"chr10", "10"},
                                           {"chr22", "22"},
                                           {"chr23", "X"},
                                           {"chr0", "0"},
                                           {"chr01", "1"},
                                           {"chrX", "X"},
                                           {"chrY", "Y"},
                                           {"chrMT", "MT"},
                                           {"chrM", "MT"},
                                           {"M", "MT"},
                                           {"MT", "MT"},
                                           {"CHR1", "1"},
                                           {"chr", "chr"},
                                           {"Chr1", "1"},
                                           {"chr1_alt", "chr1_alt"},
                                           {"chrx", "X"},
                                           {"1", "1"},
                                           {"chrchr1", "chrchr1"},
                                           {"chrXY", "XY"},
                                           {"\xc3\xa9", "\xc3\xa9"}};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *const contigs[] = {names[i][0], "chrUn"};
        char expected[256];

        snprintf(expected, sizeof expected,
                 "%s\trs1\t0\t10\tC\tA\n%s\t.\t0\t20\tT\tG\nchrUn\t.\t0\t5\t.\tAC\n", names[i][1],
                 names[i][1]);
        made_bim(&(struct made_array){"contig_id", "|O", 1, {2}, {0}, NULL, contigs}, expected);
    }
}

static void test_positions(void **state)
{
    static const int64_t position[] = {0, 4294967296, INT64_MAX};

    (void)state;
    made_bim(&(struct made_array){"variant_position", "<i8", 1, {3}, {0}, position, NULL},
             "1\trs1\t0\t0\tC\tA\n1\t.\t0\t4294967296\tT\tG\n"
             "chrUn\t.\t0\t9223372036854775807\t.\tAC\n");
}

static void test_broken_columns(void **state)
{
    static const struct format_options all = {0}, no_bim = {.settings = alone, .nsettings = 1};
    static const char *const ids[] = {"rs1", "rs 2", "x"}, *const none[] = {"", "chrUn"};
    static const char *const alleles[] = {"A", "C", "G", "T\n1", "AC", ""};
    static const char *const refs[] = {"A", "C", "G\xc2\xa0", "T", "AC", ""};
    static const char *const control[] = {"chr1\x1b[2J", "chrUn"};
    struct made_array id = {"variant_id", "|O", 1, {3}, {0}, NULL, ids};
    struct opened o = {0};
    struct err err = {0};

    (void)state;
    made_refused(
        &id, &all,
        "1 of 3 variants has a name that cannot stand in the .bim (first: variant 1 (chr1:20): "
        "its ID 'rs 2' ");
    made_refused(&(struct made_array){"variant_allele", "|O", 2, {3, 2}, {0}, NULL, alleles}, &all,
                 "ALT 'T\\x0a1'");
    made_refused(&(struct made_array){"variant_allele", "|O", 2, {3, 2}, {0}, NULL, refs}, &all,
                 "its REF");
    made_refused(&(struct made_array){"contig_id", "|O", 1, {2}, {0}, NULL, none}, &all,
                 "contig ''");
    made_refused(&(struct made_array){"contig_id", "|O", 1, {2}, {0}, NULL, control}, &all,
                 "chr1\\x1b[2J");
    /* Nothing is printed, so nothing is broken. */
    assert_int_equal(open_made(&o, &id, &no_bim, false, &err), 0);
    assert_int_equal(o.view.nsidecars, 1);
    close_made(&o);
}

static void test_sample_white_space(void **state)
{
    static const char *const bad[] = {"a b",           "a\tb",  " a",       "a\xc2\xa0_b",
                                      "a\xe2\x80\x83", "a\x1c", "a\xc2\x85"};
    static const struct format_options all = {0}, no_fam = {.settings = alone + 1, .nsettings = 1};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const samples[] = {"S1", bad[i]};
        struct made_array array = {"sample_id", "|O", 1, {2}, {0}, NULL, samples};
        struct opened o = {0};
        struct err err = {0};

        made_refused(&array, &all,
                     "1 of 2 sample IDs cannot stand in the .fam (first: sample 1, '");
        assert_int_equal(open_made(&o, &array, &no_fam, false, &err), 0);
        close_made(&o);
    }
}

static void test_multiallelic(void **state)
{
    static const char *const alleles[] = {"A", "C", "", "G", "T", "A", "AC", "A", "C"};
    static const struct format_options all = {0}, no_bim = {.settings = alone, .nsettings = 1};
    struct made_array array = {"variant_allele", "|O", 2, {3, 3}, {1, 3}, NULL, alleles};

    (void)state;
    made_refused(&array, &all,
                 "2 of 3 variants have more than two alleles (first: chr1:20, variant 1); "
                 "two-allele records cannot hold them. Use --max-alleles 2 to leave them out, or "
                 "split them first with `bcftools norm -m-`");
    made_refused(&array, &no_bim, "2 of 3 variants");
}

static void test_resume(void **state)
{
    static const char *const alleles[] = {"A", "C", "", "G", "T", "A", "AC", "A", "C"};
    struct made_array array = {"variant_allele", "|O", 2, {3, 3}, {0}, NULL, alleles};
    struct opened o = {0};
    struct err err = {0};

    /* Multi-allelic sites go unnoticed: the pass is not made again. */
    (void)state;
    assert_int_equal(open_made(&o, &array, &(struct format_options){0}, true, &err), 0);
    assert_int_equal(o.view.nsidecars, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(o.view.sidecars[i].fd, -1);
        assert_int_equal(o.view.sidecars[i].size, 0);
    }
    assert_int_equal(o.view.layout.nrows, 3);
    close_made(&o);
}

static void check_put_refused(const struct format_view *view, const struct call_run *run,
                              const char *sample)
{
    struct err err = {0};
    uint8_t out[8] = {0};

    assert_int_equal(format_plink.put(view, run, out, &err), -1);
    assert_int_equal(err.code, ERR_DATA);
    if (strstr(err.msg, "variant 1 (chr1:20)") == NULL || strstr(err.msg, sample) == NULL)
        fail_msg("%s", err.msg);
}

static void test_put_refuses(void **state)
{
    static const int8_t bad[][4] = {
        {0, 0, 0, 2}, {0, 0, -2, 0}, {0, 0, -3, 0}, {0, 0, 127, 1}, {0, 0, -2, -1}};
    struct opened o = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(open_made(&o, NULL, &(struct format_options){0}, false, &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int8_t alleles[16] = {0};
        uint8_t planes[8 + 8] = {0};
        struct call_run run = {.row = 1, .variant = 1, .ncalls = 2, .ploidy = 2};

        memcpy(alleles, bad[i], sizeof bad[i]);
        run.alleles = alleles;
        check_put_refused(&o.view, &run, "sample 'S2'");
        for (unsigned p = 0; p < 8; p++)
            for (unsigned e = 0; e < 4; e++)
                planes[p] |= (uint8_t)(((uint8_t)bad[i][e] >> p & 1u) << (e + 2));
        run.alleles = NULL;
        run.planes = (struct planes){planes, 1, PLANES_ALL};
        run.first = 2;
        check_put_refused(&o.view, &run, "sample 'S2'");
    }
    close_made(&o);
}

/* The byte that ends a row belongs to its last run alone, whatever was in it; any other byte may
 * hold another run's calls already. */
static void test_put_shared_bytes(void **state)
{
    static const int8_t het_hom[16] = {0, 1, 0, 0};
    struct call_run run = {.ncalls = 2, .ploidy = 2, .alleles = het_hom};
    struct opened o = {0};
    struct err err = {0};
    uint8_t byte = 0xff;

    (void)state;
    assert_int_equal(open_made(&o, NULL, &(struct format_options){0}, false, &err), 0);
    assert_int_equal(format_plink.put(&o.view, &run, &byte, &err), 0);
    assert_int_equal(byte, 2 | 3 << 2);
    run.ncalls = 1;
    byte = 3 << 2;
    assert_int_equal(format_plink.put(&o.view, &run, &byte, &err), 0);
    assert_int_equal(byte, 2 | 3 << 2);
    close_made(&o);
}

static int stop_at_once(const char *what, uint64_t done, uint64_t total, void *arg)
{
    unsigned *calls = arg;

    assert_true(what[0] != '\0' && done <= total);
    (*calls)++;
    return -1;
}

static int see(const char *what, uint64_t done, uint64_t total, void *arg)
{
    uint64_t *last = arg;

    assert_true(what[0] != '\0' && done <= total && done >= *last);
    *last = done;
    return 0;
}

static void test_progress(void **state)
{
    uint64_t last = 0;
    unsigned calls = 0;
    struct pass_means watched = {.nthreads = 2,
                                 .scratch_max = SCRATCH,
                                 .progress = see,
                                 .progress_arg = &last},
                      stopped = {.nthreads = 2,
                                 .scratch_max = SCRATCH,
                                 .progress = stop_at_once,
                                 .progress_arg = &calls};
    struct format_view view;
    struct opened o = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(open_made(&o, NULL, &(struct format_options){0}, false, &err), 0);
    assert_int_equal(
        format_plink.open(&o.selection, &(struct format_options){0}, &watched, false, &view, &err),
        0);
    assert_int_equal(last, 3);
    format_plink.close(&view);
    assert_int_equal(
        format_plink.open(&o.selection, &(struct format_options){0}, &stopped, false, &view, &err),
        -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(calls, 1);
    close_made(&o);
}

static void test_selection_usage(void **state)
{
    struct selection_options options = {.min_alleles = 3, .max_alleles = 2};
    struct made_store store;
    struct selection selection;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    made_vcz(&store);
    assert_int_equal(vcz_open(store.path, SCRATCH, &vcz, &err), 0);
    assert_int_equal(selection_open(vcz, &options, &means, false, -1, &selection, &err), -1);
    assert_int_equal(err.code, ERR_FORM);
    options = (struct selection_options){.min_alleles = 2};
    assert_int_equal(selection_open(vcz, &options, &means, false, -1, &selection, &err), 0);
    assert_int_equal(row_map_nrows(&selection.rows), 2);
    assert_true(selection.contiguous);
    selection_close(&selection);
    vcz_free(vcz);
    made_remove(&store);
}

/* Enough variants for many ranges; those in [MULTI_BEGIN, MULTI_END) have three alleles. */
enum { MANY = 20000, MULTI_BEGIN = 4000, MULTI_END = 13000 };

static void made_many(struct made_store *store)
{
    static char ids[MANY][16];
    static const char *id[MANY], *allele[MANY * 3];
    static int64_t contig[MANY], position[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "rs%u", i);
        id[i] = ids[i];
        position[i] = 10 * i;
        allele[3 * i] = "A";
        allele[3 * i + 1] = "C";
        allele[3 * i + 2] = i >= MULTI_BEGIN && i < MULTI_END ? "G" : "";
    }
    made_vcz(store);
    made_put(store, &(struct made_array){
                        "call_genotype", "|i1", 3, {MANY, 2, 2}, {1000, 2, 2}, NULL, NULL});
    made_put(store, &(struct made_array){"variant_contig", "|i1", 1, {MANY}, {3000}, contig, NULL});
    made_put(store,
             &(struct made_array){"variant_position", "<i4", 1, {MANY}, {700}, position, NULL});
    made_put(store, &(struct made_array){"variant_id", "|O", 1, {MANY}, {50000}, NULL, id});
    made_put(store,
             &(struct made_array){"variant_allele", "|O", 2, {MANY, 3}, {100, 3}, NULL, allele});
}

static void expected_many(struct buf *out)
{
    for (unsigned i = 0; i < MANY; i++)
        if (i < MULTI_BEGIN || i >= MULTI_END)
            buf_printf(out, "1\trs%u\t0\t%u\tC\tA\n", i, 10 * i);
}

static void test_many_ranges(void **state)
{
    struct buf bim = {0}, expected = {0};
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    made_many(&store);
    expected_many(&expected);
    assert_int_equal(vcz_open(store.path, SCRATCH, &vcz, &err), 0);
    for (unsigned nthreads = 1; nthreads <= 5; nthreads += 2) {
        struct format_options all = {0};
        struct selection selection;
        struct format_view view;
        uint64_t last = 0;
        struct pass_means m = {
            .nthreads = nthreads, .scratch_max = SCRATCH, .progress = see, .progress_arg = &last};

        assert_int_equal(selection_open(vcz, &(struct selection_options){.max_alleles = 2}, &m,
                                        false, -1, &selection, &err),
                         0);
        assert_int_equal(last, MANY);
        last = 0;
        assert_int_equal(format_plink.open(&selection, &all, &m, false, &view, &err), 0);
        assert_int_equal(last, MANY - (MULTI_END - MULTI_BEGIN));
        buf_reset(&bim);
        read_sidecar(&view, ".bim", &bim);
        check_bytes("bim", &bim, &expected);
        format_plink.close(&view);
        selection_close(&selection);

        last = 0;
        assert_int_equal(
            selection_open(vcz, &(struct selection_options){0}, &m, false, -1, &selection, &err),
            0);
        assert_int_equal(format_plink.open(&selection, &all, &m, false, &view, &err), -1);
        assert_non_null(
            strstr(err.msg, "9000 of 20000 variants have more than two alleles (first: chr1:40000, "
                            "variant 4000)"));
        selection_close(&selection);
    }
    vcz_free(vcz);
    made_remove(&store);
    buf_free(&bim);
    buf_free(&expected);
}

/* A store of metadata: everything is its fill value. */
static void made_claim(struct made_store *store, uint64_t nvariants, uint64_t chunk)
{
    char text[512];

    made_vcz(store);
    made_drop(store, "variant_id");
    made_put(store, &(struct made_array){
                        "call_genotype", "|i1", 3, {nvariants, 2, 2}, {chunk, 2, 2}, NULL, NULL});
    made_put(store,
             &(struct made_array){"variant_contig", "|i1", 1, {nvariants}, {chunk}, NULL, NULL});
    made_put(store,
             &(struct made_array){"variant_position", "<i4", 1, {nvariants}, {chunk}, NULL, NULL});
    made_put(store, &(struct made_array){
                        "variant_allele", "|O", 2, {nvariants, 2}, {chunk, 2}, NULL, NULL});
    snprintf(text, sizeof text,
             "{\"zarr_format\": 2, \"dtype\": \"|O\", \"shape\": [%llu, 2], \"chunks\": [%llu, 2], "
             "\"compressor\": null, \"order\": \"C\", \"fill_value\": \"A\", "
             "\"filters\": [{\"id\": \"vlen-utf8\"}]}",
             (unsigned long long)nvariants, (unsigned long long)chunk);
    made_text(store, "variant_allele/.zarray", text);
}

struct run_of_sites {
    uint64_t first, n;
};

static int count_site(const struct site *site, const struct output_row *row, void *piece, void *arg,
                      struct err *err)
{
    struct run_of_sites *run = piece;

    (void)arg;
    (void)err;
    if (run->n == 0)
        run->first = site->variant;
    assert_int_equal(site->variant, run->first + run->n);
    assert_int_equal(row->index, site->variant);
    run->n++;
    return 0;
}

static int take_run(void *piece, void *arg, struct err *err)
{
    const struct run_of_sites *run = piece;
    uint64_t *next = arg;

    (void)err;
    assert_int_equal(run->first, *next);
    assert_in_range(run->n, 1, 65536);
    *next += run->n;
    return 0;
}

/* However many variants a chunk has, few of them are held at a time. */
static void test_huge_chunks(void **state)
{
    static const uint64_t chunks[] = {65536,  65537,   131072,           150000,
                                      200001, 1000000, UINT64_C(1) << 55};
    const struct pass_means m = {.nthreads = 3, .scratch_max = (size_t)1 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct made_store store;
        struct err err = {0};
        struct vcz *vcz;
        uint64_t next = 0;

        made_claim(&store, 200001, chunks[i]);
        assert_int_equal(vcz_open(store.path, SCRATCH, &vcz, &err), 0);
        if (pass_run(&(struct pass){.vcz = vcz,
                                    .what = "counting",
                                    .piece_size = sizeof(struct run_of_sites),
                                    .site = count_site,
                                    .take = take_run,
                                    .arg = &next},
                     &m, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(next, 200001);
        vcz_free(vcz);
        made_remove(&store);
    }
}

/* A few bytes of metadata must not take all of the machine's memory. */
static void test_claims_too_much(void **state)
{
    const struct format_options all = {0};
    struct selection selection;
    struct format_view view;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    made_claim(&store, UINT64_C(1) << 44, UINT64_C(1) << 30);
    assert_int_equal(vcz_open(store.path, SCRATCH, &vcz, &err), 0);
    assert_int_equal(
        selection_open(vcz, &(struct selection_options){0}, &means, false, -1, &selection, &err),
        0);
    assert_int_equal(format_plink.open(&selection, &all, &means, false, &view, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, store.path));
    assert_non_null(strstr(err.msg, "the .bim of 17592186044416 variants does not fit"));
    selection_close(&selection);
    vcz_free(vcz);
    made_remove(&store);
}

static void test_no_rows(void **state)
{
    struct opened o = {0};
    struct format_view view;
    struct selection selection;
    struct err err = {0};

    (void)state;
    assert_int_equal(open_made(&o, NULL, &(struct format_options){0}, false, &err), 0);
    assert_int_equal(selection_open(o.vcz, &(struct selection_options){.min_alleles = 50}, &means,
                                    false, -1, &selection, &err),
                     0);
    assert_int_equal(row_map_nrows(&selection.rows), 0);
    assert_int_equal(
        format_plink.open(&selection, &(struct format_options){0}, &means, false, &view, &err), 0);
    assert_int_equal(format_stream_size(&view.layout), 3);
    assert_int_equal(sidecar(&view, ".bim")->size, 0);
    format_plink.close(&view);
    selection_close(&selection);
    close_made(&o);
}

/* What `resume` makes of the saved rows must be the selection that was saved. */
static void test_selection_resume(void **state)
{
    struct selection_options options = {.max_alleles = 2};
    struct selection first, again;
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;
    int fd;

    (void)state;
    made_many(&store);
    assert_int_equal(vcz_open(store.path, SCRATCH, &vcz, &err), 0);
    assert_int_equal(selection_open(vcz, &options, &means, false, -1, &first, &err), 0);
    assert_int_equal(row_map_save(&first.rows, &fd, &err), 0);
    assert_int_equal(selection_open(vcz, &options, &means, true, fd, &again, &err), 0);
    assert_int_equal(row_map_nrows(&again.rows), row_map_nrows(&first.rows));
    for (uint64_t row = 0; row < row_map_nrows(&first.rows); row++)
        assert_int_equal(row_map_at(&first.rows, row).variant,
                         row_map_at(&again.rows, row).variant);
    selection_close(&again);
    selection_close(&first);
    close(fd);
    vcz_free(vcz);
    made_remove(&store);
}

/* The reference refuses ploidy 1, so the expected codes are written out here. */
static void test_haploid(void **state)
{
    static const uint8_t codes[] = {1, 3, 0}; /* of −1, 0, 1 */
    struct selection selection;
    struct format_view view;
    struct buf bed = {0};
    struct err err = {0};
    struct vcz *vcz;
    int8_t *genotypes;
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/stores/haploid.vcz", vectors());
    assert_int_equal(vcz_open(path, SCRATCH, &vcz, &err), 0);
    assert_int_equal(vcz->ploidy, 1);
    assert_int_equal(
        selection_open(vcz, &(struct selection_options){0}, &means, false, -1, &selection, &err),
        0);
    assert_int_equal(
        format_plink.open(&selection, &(struct format_options){0}, &means, false, &view, &err), 0);
    make_bed(&view, &bed);
    genotypes = read_genotypes(vcz);
    for (uint64_t i = 0; i < vcz->nvariants * vcz->nsamples; i++) {
        uint64_t sample = i % vcz->nsamples;
        const uint8_t *row = bed.data + 3 + i / vcz->nsamples * view.layout.row_nbytes;

        assert_in_range(genotypes[i] + 1, 0, 2);
        assert_int_equal(row[sample / 4] >> (2 * (sample % 4)) & 3, codes[genotypes[i] + 1]);
    }
    free(genotypes);
    buf_free(&bed);
    format_plink.close(&view);
    selection_close(&selection);
    vcz_free(vcz);
}

static void test_no_scan(void **state)
{
    static const char *const alleles[] = {"A", "C", "", "G", "T", "A", "AC", "A", "C"};
    struct made_array array = {"variant_allele", "|O", 2, {3, 3}, {0}, NULL, alleles};
    struct opened o = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(open_made(&o, &array, &(struct format_options){.no_scan = true}, false, &err),
                     0);
    assert_int_equal(o.view.nsidecars, 1);
    assert_string_equal(o.view.sidecars[0].suffix, ".fam");
    close_made(&o);
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(format_find("plink"), &format_plink);
    assert_null(format_find("plin"));
    assert_ptr_equal(format_at(0), &format_plink);
    assert_null(format_at(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),          cmocka_unit_test(test_threads_agree),
        cmocka_unit_test(test_chromosome_names), cmocka_unit_test(test_positions),
        cmocka_unit_test(test_broken_columns),   cmocka_unit_test(test_sample_white_space),
        cmocka_unit_test(test_multiallelic),     cmocka_unit_test(test_resume),
        cmocka_unit_test(test_put_refuses),      cmocka_unit_test(test_progress),
        cmocka_unit_test(test_selection_usage),  cmocka_unit_test(test_find),
        cmocka_unit_test(test_put_shared_bytes), cmocka_unit_test(test_many_ranges),
        cmocka_unit_test(test_no_rows),          cmocka_unit_test(test_selection_resume),
        cmocka_unit_test(test_huge_chunks),      cmocka_unit_test(test_claims_too_much),
        cmocka_unit_test(test_haploid),          cmocka_unit_test(test_no_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
