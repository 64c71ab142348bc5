/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is given in place of a store is recognised, and nothing that might be a store is.
 */
#include "encoderd/vcz/recognise.h"
#include "encoderd/vcz/vcz.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <unistd.h>
#include <zlib.h>

#define SCRATCH ((size_t)64 << 20)

/* The message of the refusal must have both words; NULL: there is no refusal. */
static void expect(const char *path, const char *what, const char *cure)
{
    struct err err = {0};
    struct vcz *vcz = NULL;

    if (recognise_path(path, &err) == 0 && vcz_open(path, SCRATCH, &vcz, &err) == 0) {
        vcz_free(vcz);
        if (what != NULL)
            fail_msg("%s was taken for a store", path);
        return;
    }
    if (what == NULL || strstr(err.msg, path) == NULL || strstr(err.msg, what) == NULL ||
        strstr(err.msg, cure) == NULL)
        fail_msg("%s: %s", path, err.msg);
}

static void test_urls(void **state)
{
    (void)state;
    expect("s3://bucket/x.vcz", "a URL", "aws s3 sync");
    expect("S3://bucket/x.vcz", "a URL", "aws s3 sync");
    expect("gs://bucket/x.vcz", "a URL", "gcloud storage");
    expect("https://example.org/x.vcz", "a URL", "rclone");
    expect("file:///data/x.vcz", "a URL", "without file://");
    expect("memory://x", "a URL", "copy it to a directory");
}

struct sample {
    const char *name;
    const char *bytes;
    size_t at, n;
    const char *what, *cure;
};

static const struct sample samples[] = {
    {"a.vcf", "##fileformat=VCFv4.2\n", 0, 21, "a VCF file", "vcf2zarr convert IN.vcf.gz"},
    {"a", "##fileformat=VCFv4.2\n", 0, 21, "a VCF file", "vcf2zarr convert"},
    {"a.bcf", "BCF\2\2", 0, 5, "a BCF file", "vcf2zarr convert IN.bcf"},
    {"a.bed", "\x6c\x1b\x01\xff", 0, 4, "a PLINK 1 .bed file", "plink2zarr convert"},
    {"a.pgen", "\x6c\x1b\x10\xff", 0, 4, "a PLINK 2 .pgen file", "--export vcf"},
    {"a.bgen", "bgen", 16, 4, "a BGEN file", "--export vcf"},
    {"a.bgi", "SQLite format 3", 0, 16, "an SQLite database", "give the store"},
    {"a.h5", "\x89HDF\r\n\x1a\n", 0, 8, "an HDF5 file", "convert the VCF"},
    {"a.tar", "ustar", 257, 5, "a tar archive", "unpack it"},
    {"a.bim", "1\trs1\t0\t10\tC\tA\n", 0, 15, "a PLINK 1 .bim file", "plink2zarr convert"},
    {"a.fam", "S1 S1 0 0 0 -9\n", 0, 15, "a PLINK 1 .fam file", "plink2zarr convert"},
    {"a.pvar", "#CHROM\tPOS\n", 0, 11, "a PLINK 2 .pvar file", "--export vcf"},
    {"zarr.json", "{}", 0, 2, "one file of a store", "give the directory"},
    {"a.txt", "hello", 0, 5, "neither a directory nor a zip archive", ""},
    {"empty", "", 0, 0, "neither a directory nor a zip archive", ""},
    {"short", "B", 0, 1, "neither a directory nor a zip archive", ""},
};

static void write_sample(const struct sample *sample, const char *path, bool packed)
{
    uint8_t bytes[512] = {0};
    const size_t n = sample->at + sample->n;
    gzFile file = gzopen(path, packed ? "wb" : "wbT");

    assert_non_null(file);
    memcpy(bytes + sample->at, sample->bytes, sample->n);
    assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Also as gzip and BGZF hide them. */
static void test_files(void **state)
{
    char dir[] = "/tmp/vczfs-recognise-XXXXXX", path[128];

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        for (unsigned packed = 0; packed < 2; packed++) {
            snprintf(path, sizeof path, "%s/%s", dir, samples[i].name);
            write_sample(&samples[i], path, packed != 0);
            expect(path, samples[i].what, samples[i].cure);
            unlink(path);
        }
    assert_int_equal(rmdir(dir), 0);
}

static const struct tree {
    const char *files[4];
    const char *text;
    const char *what, *cure;
} trees[] = {
    {{0}, NULL, "is empty", "neither .zgroup nor zarr.json"},
    {{"README"}, NULL, "not a Zarr store", "neither .zgroup nor zarr.json"},
    {{".zarray", "0.0"}, NULL, "an array, not a store", "give the store"},
    {{"zarr.json"},
     "{\"zarr_format\": 3, \"node_type\": \"array\", \"chunk_grid\": {}}",
     "an array, not a store",
     "give the store"},
    {{"metadata.json", "header.txt", "CHROM/p0"}, NULL, "(ICF)", "vcf2zarr encode"},
    {{"header.txt", "wip/metadata.json"}, NULL, "(ICF)", "dexplode-finalise"},
    {{"snapshots/A", "refs/branch.main/ref.json", "chunks/B"}, NULL, "Icechunk", "to_zarr"},
    {{"repo", "snapshots/A", "manifests/B"}, NULL, "Icechunk", "to_zarr"},
    {{"metadata.json.gz", "rows/metadata", "entries/metadata"}, NULL, "Hail", "export_vcf"},
    {{"a.vcz/.zattrs"}, "{\"vcf_zarr_version\": \"0.4\"}", "holds one", "/a.vcz"},
    {{"a.vcz/.zattrs", "b.vcz/.zattrs"},
     "{\"vcf_zarr_version\": \"0.4\"}",
     "holds several",
     ".vcz"},
    {{".zgroup", "variants/.zgroup", "calldata/.zgroup"},
     "{\"zarr_format\": 2}",
     "scikit-allel",
     "vcf2zarr convert"},
    {{".zgroup", "sub/zarr.json"},
     "{\"zarr_format\": 2, \"vcf_zarr_version\": 1}",
     "holds one",
     "/sub"},
    {{".zgroup", "wip/metadata.json"},
     "{\"zarr_format\": 2}",
     "did not finish",
     "dencode-finalise"},
    {{".zgroup", "a/.zgroup"}, "{\"zarr_format\": 2}", "not a VCF Zarr store", "vcf2zarr"},
};

static void test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
        struct made_store store = {"/tmp/vczfs-made-XXXXXX"};

        assert_non_null(mkdtemp(store.path));
        for (size_t k = 0; k < 4 && trees[i].files[k] != NULL; k++) {
            char path[512];

            snprintf(path, sizeof path, "%s/%s", store.path, trees[i].files[k]);
            for (char *at = path + strlen(store.path) + 1; (at = strchr(at, '/')) != NULL; at++) {
                *at = '\0';
                mkdir(path, 0777);
                *at = '/';
            }
            made_text(&store, trees[i].files[k], trees[i].text != NULL ? trees[i].text : "x");
        }
        expect(store.path, trees[i].what, trees[i].cure);
        made_remove(&store);
    }
}

/* A store with all of these beside its arrays is a store. */
static void test_clutter(void **state)
{
    static const char *const files[] = {"metadata.json", "header.txt", "repo", "README.vcf"};
    static const char *const dirs[] = {"snapshots", "refs", "variants", "calldata", "entries"};
    struct made_store store;
    char path[512];

    (void)state;
    made_vcz(&store);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        made_text(&store, files[i], "##fileformat=VCFv4.2");
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", store.path, dirs[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
    expect(store.path, NULL, NULL);
    made_remove(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_clutter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
