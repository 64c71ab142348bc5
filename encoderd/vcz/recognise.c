/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/recognise.h"

#include "common/cleanup.h"
#include "common/size.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <zlib.h>

/* ---- URLs ---- */

static const struct {
    const char *scheme, *cure;
} urls[] = {
    {"file://", "give the path alone, without file://"},
    {"s3://", "copy it to a directory (`aws s3 sync URL DIR`)"},
    {"gs://", "copy it to a directory (`gcloud storage rsync -r URL DIR`)"},
    {"gcs://", "copy it to a directory (`gcloud storage rsync -r URL DIR`)"},
    {"az://", "copy it to a directory (`azcopy copy --recursive URL DIR`)"},
    {"http://", "copy it to a directory (`rclone copy` or `wget -r -np` do)"},
    {"https://", "copy it to a directory (`rclone copy` or `wget -r -np` do)"},
    {"", "copy it to a directory"},
};

static int refuse_url(const char *path, struct err *err)
{
    size_t i = 0;

    while (strncasecmp(path, urls[i].scheme, strlen(urls[i].scheme)) != 0)
        i++;
    return err_set(err, ERR_UNSUPPORTED,
                   "%s is a URL, and stores at a URL are not supported yet: %s", path,
                   urls[i].cure);
}

/* ---- Files ---- */

#define FROM_VCF    "`vcf2zarr convert IN.vcf.gz OUT.vcz` makes a store of it"
#define FROM_BED    "`plink2zarr convert PREFIX OUT.vcz` makes a store of it and the files beside it"
#define FROM_PLINK2 "`plink2 --export vcf bgz`, then `vcf2zarr convert`, make a store of it"

/* The first entry that matches is used. Bytes are those of the file, or of its text if it is
 * compressed with gzip or BGZF. */
static const struct file_kind {
    size_t at;
    const char *magic; /* or NULL: the name's end alone tells */
    size_t nmagic;
    const char *end; /* of the name, if magic is NULL */
    const char *what, *cure;
} files[] = {
    {0, "##fileformat=VCF", 16, NULL, "a VCF file", FROM_VCF},
    {0, "BCF\2", 4, NULL, "a BCF file", "`vcf2zarr convert IN.bcf OUT.vcz` makes a store of it"},
    {0, "\x6c\x1b\x01", 3, NULL, "a PLINK 1 .bed file", FROM_BED},
    {0, "\x6c\x1b", 2, NULL, "a PLINK 2 .pgen file (or a .bed of an old PLINK)", FROM_PLINK2},
    {16, "bgen", 4, NULL, "a BGEN file", FROM_PLINK2},
    {0, "\x89HDF\r\n\x1a\n", 8, NULL, "an HDF5 file", "convert the VCF that it was made from"},
    {0, "COREARRAY", 9, NULL, "a GDS file",
     "`seqGDS2VCF` (SeqArray), then `vcf2zarr convert`, make a store of it"},
    {0, "SQLite format 3", 16, NULL, "an SQLite database (an index of a BGEN file is one)",
     "give the store"},
    {0, "TBI\1", 4, NULL, "the index of a VCF file", FROM_VCF},
    {0, "CSI\1", 4, NULL, "the index of a VCF or BCF file", FROM_VCF},
    {257, "ustar", 5, NULL, "a tar archive", "unpack it, and give the store in it"},
    {0, NULL, 0, ".bim", "a PLINK 1 .bim file", FROM_BED},
    {0, NULL, 0, ".fam", "a PLINK 1 .fam file", FROM_BED},
    {0, NULL, 0, ".pvar", "a PLINK 2 .pvar file", FROM_PLINK2},
    {0, NULL, 0, ".pvar.zst", "a PLINK 2 .pvar file", FROM_PLINK2},
    {0, NULL, 0, ".psam", "a PLINK 2 .psam file", FROM_PLINK2},
    {0, NULL, 0, ".sample", "a file of sample IDs", "give the store"},
    {0, NULL, 0, ".zgroup", "one file of a store", "give the directory that it is in"},
    {0, NULL, 0, ".zattrs", "one file of a store", "give the directory that it is in"},
    {0, NULL, 0, ".zmetadata", "one file of a store", "give the directory that it is in"},
    {0, NULL, 0, ".zarray", "one file of a store", "give the directory of the whole store"},
    {0, NULL, 0, "zarr.json", "one file of a store", "give the directory of the whole store"},
};

#define HEAD_NBYTES 512

static bool ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), k = strlen(end);

    return n >= k && strcasecmp(path + n - k, end) == 0;
}

/* If the file is compressed with gzip or BGZF, replaces its first bytes by the first bytes of its
 * text. */
static size_t unpack_head(uint8_t *head, size_t n)
{
    uint8_t packed[HEAD_NBYTES];
    z_stream stream = {.next_in = packed, .avail_in = (uInt)n};

    if (n < 2 || head[0] != 0x1f || head[1] != 0x8b || inflateInit2(&stream, 15 + 16) != Z_OK)
        return n;
    memcpy(packed, head, n);
    stream.next_out = head;
    stream.avail_out = HEAD_NBYTES;
    inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return HEAD_NBYTES - stream.avail_out;
}

/* Reads the first bytes of a regular file; returns 0 if it is not one. */
static size_t read_head(const char *path, uint8_t head[HEAD_NBYTES])
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    n = pread(fd, head, HEAD_NBYTES, 0);
    return n > 0 ? unpack_head(head, (size_t)n) : 0;
}

static bool file_is(const struct file_kind *kind, const char *path, const uint8_t *head, size_t n)
{
    if (kind->magic == NULL)
        return ends_with(path, kind->end);
    return size_range_ok(kind->at, kind->nmagic, n) &&
           memcmp(head + kind->at, kind->magic, kind->nmagic) == 0;
}

int recognise_path(const char *path, struct err *err)
{
    uint8_t head[HEAD_NBYTES];
    size_t n;

    if (strstr(path, "://") != NULL)
        return refuse_url(path, err);
    n = read_head(path, head);
    if (n >= 2 && memcmp(head, "PK", 2) == 0) /* a zip archive */
        return 0;
    for (size_t i = 0; n > 0 && i < sizeof files / sizeof files[0]; i++)
        if (file_is(&files[i], path, head, n))
            return err_set(err, ERR_DATA, "%s is %s, not a VCF Zarr store: %s", path, files[i].what,
                           files[i].cure);
    return 0;
}

/* ---- Trees ---- */

struct tree_kind {
    const char *objects[2]; /* objects that it must have */
    const char *word;       /* which must be in the first of them; or NULL */
    const char *trees[2];   /* directories that it must have */
    const char *what;
};

static const struct tree_kind bare_trees[] = {
    {{".zarray"}, NULL, {0}, "an array, not a store: give the store that it is an array of"},
    {{"zarr.json"},
     "\"chunk_grid\"",
     {0},
     "an array, not a store: give the store that it is an array of"},
    {{"metadata.json", "header.txt"},
     NULL,
     {0},
     "what `vcf2zarr explode` leaves (ICF), not a store: `vcf2zarr encode ICF OUT.vcz` makes one"},
    {{"header.txt"},
     NULL,
     {"wip"},
     "what `vcf2zarr dexplode-init` began (ICF), not a store: run `vcf2zarr dexplode-partition` "
     "for "
     "each partition, `vcf2zarr dexplode-finalise`, then `vcf2zarr encode`"},
    {{0},
     NULL,
     {"snapshots", "refs"},
     "an Icechunk repository, which vczfs does not read: write a "
     "snapshot of it as a Zarr directory (in Python: xarray.open_zarr(session.store)"
     ".to_zarr(DIR))"},
    {{"repo"},
     NULL,
     {"snapshots"},
     "an Icechunk repository, which vczfs does not read: write a "
     "snapshot of it as a Zarr directory (in Python: xarray.open_zarr(session.store)"
     ".to_zarr(DIR))"},
    {{"metadata.json.gz"},
     NULL,
     {"entries", "rows"},
     "a Hail MatrixTable, not a VCF Zarr store: "
     "export it (hl.export_vcf), then `vcf2zarr convert` makes a store of it"},
};

#define UNFINISHED                                                                                 \
    "the conversion that made it did not finish (wip/ beside the arrays is vcf2zarr's): convert "  \
    "again, or go on with `vcf2zarr dencode-partition` and `vcf2zarr dencode-finalise`"

static const struct tree_kind groups[] = {
    {{0}, NULL, {"wip"}, "not a VCF Zarr store yet: " UNFINISHED},
    {{0},
     NULL,
     {"calldata", "variants"},
     "a Zarr store with scikit-allel's layout, not a VCF Zarr "
     "store: `vcf2zarr convert IN.vcf.gz OUT.vcz` makes one of the VCF that it was made from"},
};

static bool has_object(const struct store *store, const char *key, const char *word)
{
    struct object *object;
    struct buf text = {0};
    bool found;

    if (word != NULL) {
        found = store_read_all(store, key, (size_t)1 << 20, &text, &found, NULL) == 0 && found &&
                memmem(text.data, text.len, word, strlen(word)) != NULL;
        buf_free(&text);
        return found;
    }
    if (store_object(store, key, &object, NULL) != 0 || object == NULL)
        return false;
    object_close(object);
    return true;
}

static int same_name(const char *name, void *arg)
{
    return strcmp(name, arg) == 0;
}

static bool has_tree(const struct store *store, const char *name)
{
    return store_children(store, "", same_name, (void *)(uintptr_t)name, NULL) == 1;
}

static bool tree_is(const struct tree_kind *kind, const struct store *store)
{
    for (size_t i = 0; i < 2 && kind->objects[i] != NULL; i++)
        if (!has_object(store, kind->objects[i], i == 0 ? kind->word : NULL))
            return false;
    for (size_t i = 0; i < 2 && kind->trees[i] != NULL; i++)
        if (!has_tree(store, kind->trees[i]))
            return false;
    return true;
}

static int find_tree(const struct tree_kind *kinds, size_t n, const struct store *store,
                     struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (tree_is(&kinds[i], store))
            return err_set(err, ERR_DATA, "%s is %s", store_path(store), kinds[i].what);
    return 0;
}

/* ---- Stores inside of what was given ---- */

/* The first child that is a VCF Zarr store, and the number of such children. */
struct inner {
    const struct store *store;
    char first[256];
    size_t n;
};

static int look_into(const char *name, void *arg)
{
    static const char *const attributes[] = {".zattrs", "zarr.json"};
    struct inner *inner = arg;
    char key[512];

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        const int n = snprintf(key, sizeof key, "%s/%s", name, attributes[i]);

        if (n < 0 || (size_t)n >= sizeof key ||
            !has_object(inner->store, key, "\"vcf_zarr_version\""))
            continue;
        if (inner->n++ == 0)
            snprintf(inner->first, sizeof inner->first, "%s", name);
        break;
    }
    return inner->n > 1;
}

static int find_inner(const struct store *store, struct err *err)
{
    struct inner inner = {.store = store};
    const char *path = store_path(store);
    const int stopped = store_children(store, "", look_into, &inner, NULL);
    struct stat st;

    if (stopped < 0 || inner.n == 0)
        return 0;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_DATA,
                       "%s is not a VCF Zarr store, but holds %s: unpack the archive, or make one "
                       "of %s alone",
                       path, inner.first, inner.first);
    return err_set(err, ERR_DATA, "%s is not a VCF Zarr store, but holds %s: give %s/%s", path,
                   inner.n > 1 ? "several" : "one", path, inner.first);
}

static int any_tree(const char *name, void *arg)
{
    (void)name;
    (void)arg;
    return 1;
}

static bool is_empty(const struct store *store)
{
    uint64_t nobjects, nbytes;

    return store_children(store, "", any_tree, NULL, NULL) == 0 &&
           store_usage(store, "", &nobjects, &nbytes, NULL) == 0 && nobjects == 0;
}

int recognise_tree(const struct store *store, struct err *err)
{
    if (is_empty(store))
        return err_set(
            err, ERR_NOT_FOUND,
            "%s is empty: it has neither .zgroup nor zarr.json, so it is not a Zarr store",
            store_path(store));
    if (find_tree(bare_trees, sizeof bare_trees / sizeof bare_trees[0], store, err) != 0)
        return -1;
    return find_inner(store, err);
}

int recognise_group(const struct store *store, struct err *err)
{
    if (find_tree(groups, sizeof groups / sizeof groups[0], store, err) != 0 ||
        find_inner(store, err) != 0)
        return -1;
    return err_set(err, ERR_DATA,
                   "%s is not a VCF Zarr store: its group has no attribute vcf_zarr_version; "
                   "vcf2zarr makes such stores from VCF files",
                   store_path(store));
}

const char *recognise_unfinished(const struct store *store)
{
    return has_tree(store, "wip") ? UNFINISHED : NULL;
}

const char *recognise_missing(const struct store *store)
{
    const char *unfinished = recognise_unfinished(store);

    return unfinished != NULL ? unfinished : "the store is incomplete; convert the VCF again";
}
