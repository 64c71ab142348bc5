/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkvcz: writes a VCF Zarr store as bio2zarr does, of any size, from a seed.
 */
#include "common/buf.h"
#include "tests/tools/mkvcz_data.h"

#include <blosc.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which arrays have one chunk of variants, and links to it in place of all others. */
enum links { LINKS_NONE, LINKS_CALLS, LINKS_ALL };

struct options {
    struct data_options data;
    uint64_t chunk_variants, chunk_samples, blocksize;
    int level, nthreads;
    unsigned zarr;
    bool with_phased, one_chunk, bare;
    enum links links;
    unsigned allele_nbytes;
    const char *cname, *vcf, *out;
};

enum type { TYPE_BOOL, TYPE_I1, TYPE_I2, TYPE_I4, TYPE_I8, TYPE_F4, TYPE_STRING };

static const struct {
    const char *v2, *v3, *fill3;
    unsigned nbytes;
} types[] = {
    [TYPE_BOOL] = {"|b1", "bool", "false", 1},   [TYPE_I1] = {"|i1", "int8", "0", 1},
    [TYPE_I2] = {"<i2", "int16", "0", 2},        [TYPE_I4] = {"<i4", "int32", "0", 4},
    [TYPE_I8] = {"<i8", "int64", "0", 8},        [TYPE_F4] = {"<f4", "float32", "0.0", 4},
    [TYPE_STRING] = {"|O", "string", "\"\"", 1},
};

/* An array's metadata. Dimensions that are 0 are not there. */
struct array {
    const char *name;
    enum type type;
    uint64_t shape[3], chunks[3];
    const char *dims[3];
    bool bitshuffle;
};

static unsigned array_ndim(const struct array *a)
{
    return a->dims[1] == NULL ? 1 : a->dims[2] == NULL ? 2 : 3;
}

static void write_file(const char *path, const void *data, size_t n)
{
    const char *at = data;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        err(1, "%s", path);
    while (n > 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            err(1, "%s", path);
        at += done;
        n -= (size_t)done;
    }
    if (close(fd) != 0)
        err(1, "%s", path);
}

static void write_text(const char *path, struct buf *text)
{
    if (text->failed)
        errx(1, "out of memory");
    write_file(path, text->data, text->len);
    buf_free(text);
}

static void make_dir(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        err(1, "%s", path);
}

static void *allocate(size_t n)
{
    void *p = calloc(n ? n : 1, 1);

    if (p == NULL)
        errx(1, "out of memory (%zu bytes)", n);
    return p;
}

static void put_numbers(struct buf *b, const uint64_t *numbers, unsigned n)
{
    buf_append_char(b, '[');
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s%llu", i ? ", " : "", (unsigned long long)numbers[i]);
    buf_append_char(b, ']');
}

static void put_names(struct buf *b, const char *const *names, unsigned n)
{
    buf_append_char(b, '[');
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s\"%s\"", i ? ", " : "", names[i]);
    buf_append_char(b, ']');
}

static void write_meta_v2(const struct options *o, const struct array *a)
{
    struct buf b = {0};
    char path[PATH_MAX];
    unsigned ndim = array_ndim(a);

    buf_append_str(&b, "{\"shape\": ");
    put_numbers(&b, a->shape, ndim);
    buf_append_str(&b, ", \"chunks\": ");
    put_numbers(&b, a->chunks, ndim);
    buf_printf(&b, ", \"dtype\": \"%s\", \"fill_value\": null, \"order\": \"C\", \"filters\": %s",
               types[a->type].v2, a->type == TYPE_STRING ? "[{\"id\": \"vlen-utf8\"}]" : "null");
    buf_printf(&b,
               ", \"dimension_separator\": \".\", \"compressor\": {\"id\": \"blosc\", \"cname\": "
               "\"%s\", \"clevel\": %d, \"shuffle\": %d, \"blocksize\": %llu}, "
               "\"zarr_format\": 2}\n",
               o->cname, o->level, a->bitshuffle ? 2 : 1, (unsigned long long)o->blocksize);
    snprintf(path, sizeof(path), "%s/%s/.zarray", o->out, a->name);
    write_text(path, &b);

    buf_append_str(&b, "{\"_ARRAY_DIMENSIONS\": ");
    put_names(&b, a->dims, ndim);
    buf_append_str(&b, "}\n");
    snprintf(path, sizeof(path), "%s/%s/.zattrs", o->out, a->name);
    write_text(path, &b);
}

static const char *v3_first_codec(enum type type)
{
    if (type == TYPE_STRING)
        return "{\"name\": \"vlen-utf8\", \"configuration\": {}}";
    if (types[type].nbytes == 1)
        return "{\"name\": \"bytes\"}";
    return "{\"name\": \"bytes\", \"configuration\": {\"endian\": \"little\"}}";
}

static void write_meta_v3(const struct options *o, const struct array *a)
{
    struct buf b = {0};
    char path[PATH_MAX];
    unsigned ndim = array_ndim(a);

    buf_append_str(&b, "{\"shape\": ");
    put_numbers(&b, a->shape, ndim);
    buf_printf(&b,
               ", \"data_type\": \"%s\", \"chunk_grid\": {\"name\": \"regular\", "
               "\"configuration\": {\"chunk_shape\": ",
               types[a->type].v3);
    put_numbers(&b, a->chunks, ndim);
    buf_printf(&b,
               "}}, \"chunk_key_encoding\": {\"name\": \"default\", \"configuration\": "
               "{\"separator\": \"/\"}}, \"fill_value\": %s, \"codecs\": [%s, ",
               types[a->type].fill3, v3_first_codec(a->type));
    buf_printf(&b,
               "{\"name\": \"blosc\", \"configuration\": {\"typesize\": %u, \"cname\": \"%s\", "
               "\"clevel\": %d, \"shuffle\": \"%s\", \"blocksize\": %llu}}], \"attributes\": {}, ",
               types[a->type].nbytes, o->cname, o->level, a->bitshuffle ? "bitshuffle" : "shuffle",
               (unsigned long long)o->blocksize);
    buf_append_str(&b, "\"dimension_names\": ");
    put_names(&b, a->dims, ndim);
    buf_append_str(&b, ", \"zarr_format\": 3, \"node_type\": \"array\", "
                       "\"storage_transformers\": []}\n");
    snprintf(path, sizeof(path), "%s/%s/zarr.json", o->out, a->name);
    write_text(path, &b);
}

/* The array's directory and what says how it is stored. */
static void array_create(const struct options *o, const struct array *a)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", o->out, a->name);
    make_dir(path);
    if (o->zarr == 2)
        write_meta_v2(o, a);
    else
        write_meta_v3(o, a);
}

static void group_create(const struct options *o)
{
    static const char attributes[] = "{\"vcf_zarr_version\": \"0.4\", \"source\": \"mkvcz\", "
                                     "\"vcf_meta_information\": [[\"fileformat\", \"VCFv4.3\"]]}";
    struct buf b = {0};
    char path[PATH_MAX];

    if (mkdir(o->out, 0755) != 0)
        err(1, "%s", o->out);
    if (o->zarr == 3) {
        buf_printf(&b, "{\"attributes\": %s, \"zarr_format\": 3, \"node_type\": \"group\"}\n",
                   attributes);
        snprintf(path, sizeof(path), "%s/zarr.json", o->out);
        write_text(path, &b);
        return;
    }
    buf_append_str(&b, "{\"zarr_format\": 2}\n");
    snprintf(path, sizeof(path), "%s/.zgroup", o->out);
    write_text(path, &b);
    buf_printf(&b, "%s\n", attributes);
    snprintf(path, sizeof(path), "%s/.zattrs", o->out);
    write_text(path, &b);
}

/* Makes the directories that a v3 key needs. */
static void chunk_path(const struct options *o, const struct array *a, const uint64_t *index,
                       char *path, size_t size)
{
    unsigned ndim = array_ndim(a);
    int n = snprintf(path, size, o->zarr == 2 ? "%s/%s/" : "%s/%s/c", o->out, a->name);

    for (unsigned i = 0; i < ndim; i++) {
        const char *separator = i > 0 ? "." : "";

        if (o->zarr == 3) {
            make_dir(path);
            separator = "/";
        }
        n +=
            snprintf(path + n, size - (size_t)n, "%s%llu", separator, (unsigned long long)index[i]);
    }
}

/* Compresses and writes one chunk; returns the bytes stored. */
static uint64_t write_chunk(const struct options *o, const struct array *a, const uint64_t *index,
                            const void *data, uint64_t nbytes, int nthreads)
{
    char path[PATH_MAX];
    uint8_t *packed;
    int n;

    if (nbytes > BLOSC_MAX_BUFFERSIZE)
        errx(1, "%s: a chunk of %llu bytes is more than Blosc takes", a->name,
             (unsigned long long)nbytes);
    packed = malloc(nbytes + BLOSC_MAX_OVERHEAD);
    if (packed == NULL)
        errx(1, "out of memory");
    n = blosc_compress_ctx(o->level, a->bitshuffle ? BLOSC_BITSHUFFLE : BLOSC_SHUFFLE,
                           types[a->type].nbytes, nbytes, data, packed, nbytes + BLOSC_MAX_OVERHEAD,
                           o->cname, o->blocksize, nthreads);
    if (n <= 0)
        errx(1, "%s: blosc cannot compress (%d)", a->name, n);
    chunk_path(o, a, index, path, sizeof(path));
    write_file(path, packed, (size_t)n);
    free(packed);
    return (uint64_t)n;
}

/* Columns */

static void put_string(struct buf *b, const char *text)
{
    uint32_t n = (uint32_t)strlen(text);

    buf_append(b, &n, sizeof(n));
    buf_append(b, text, n);
}

static void put_int(struct buf *b, enum type type, int64_t value)
{
    /* Little-endian: the low bytes come first. */
    buf_append(b, &value, types[type].nbytes);
}

/* One element, or one row of elements, of a column. */
typedef void put_fn(const struct options *o, const struct array *a, uint64_t i, struct buf *b);

/* Chunk i along the column's first dimension; what lies past the end is zero. */
static void write_column_chunk(const struct options *o, const struct array *a, put_fn *put,
                               uint64_t chunk)
{
    uint64_t width = a->dims[1] ? a->shape[1] : 1, begin = chunk * a->chunks[0];
    const uint64_t index[3] = {chunk};
    uint32_t count = (uint32_t)(a->chunks[0] * width);
    struct buf b = {0};

    if (a->type == TYPE_STRING)
        buf_append(&b, &count, sizeof(count));
    for (uint64_t i = begin; i < begin + a->chunks[0]; i++)
        if (i < a->shape[0])
            put(o, a, i, &b);
        else
            for (uint64_t k = 0; k < width; k++)
                if (a->type == TYPE_STRING)
                    put_string(&b, "");
                else
                    put_int(&b, a->type, 0);
    if (b.failed)
        errx(1, "out of memory");
    write_chunk(o, a, index, b.data, b.len, 1);
    buf_free(&b);
}

struct column_job {
    const struct options *o;
    const struct array *array;
    put_fn *put;
    uint64_t nchunks;
    atomic_uint_fast64_t next;
};

static void *column_worker(void *arg)
{
    struct column_job *job = arg;
    uint64_t i;

    while ((i = atomic_fetch_add(&job->next, 1)) < job->nchunks)
        write_column_chunk(job->o, job->array, job->put, i);
    return NULL;
}

/* As many threads as there is work for. */
static void run_threads(const struct options *o, uint64_t npieces, void *(*worker)(void *),
                        void *arg)
{
    uint64_t nthreads = (uint64_t)o->nthreads < npieces ? (uint64_t)o->nthreads : npieces;
    pthread_t *threads = allocate(nthreads * sizeof(*threads));

    for (uint64_t i = 0; i < nthreads; i++)
        if (pthread_create(&threads[i], NULL, worker, arg) != 0)
            errx(1, "cannot start a thread");
    for (uint64_t i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* How many of an array's n chunks along its first dimension have contents of their own. */
static uint64_t chunks_made(const struct options *o, const struct array *a, uint64_t n)
{
    bool calls = a->dims[1] != NULL && strcmp(a->dims[1], "samples") == 0;
    bool linked = o->links == LINKS_ALL || (o->links == LINKS_CALLS && calls);

    return linked && n > 1 && strcmp(a->dims[0], "variants") == 0 ? 1 : n;
}

/* Makes chunk `index` the same file as `first`, or a copy where a file has as many names as it
 * may. */
static void link_chunk(const struct options *o, const struct array *a, const uint64_t *first,
                       const uint64_t *index)
{
    char from[PATH_MAX], to[PATH_MAX], aside[PATH_MAX];
    struct buf copy = {0};
    FILE *f;
    int c;

    chunk_path(o, a, first, from, sizeof(from));
    chunk_path(o, a, index, to, sizeof(to));
    if (link(from, to) == 0)
        return;
    if (errno != EMLINK)
        err(1, "%s", to);
    f = fopen(from, "rb");
    if (f == NULL)
        err(1, "%s", from);
    while ((c = getc(f)) != EOF)
        buf_append_char(&copy, (char)c);
    fclose(f);
    if (snprintf(aside, sizeof(aside), "%s.new", from) >= (int)sizeof(aside))
        errx(1, "%s: too long a name", from);
    write_text(aside, &copy);
    if (rename(aside, from) != 0 || link(from, to) != 0)
        err(1, "%s", to);
}

/* The rest of an array's chunks, where --links says so. */
static void link_chunks(const struct options *o, const struct array *a, uint64_t made, uint64_t n,
                        uint64_t ncols)
{
    for (uint64_t i = made; i < n; i++)
        for (uint64_t k = 0; k < ncols; k++) {
            const uint64_t first[3] = {0, k}, index[3] = {i, k};

            link_chunk(o, a, first, index);
        }
}

/* A column, chunk by chunk along its first dimension. */
static void write_column(const struct options *o, const struct array *a, put_fn *put)
{
    uint64_t n = (a->shape[0] + a->chunks[0] - 1) / a->chunks[0], made = chunks_made(o, a, n);
    struct column_job job = {.o = o, .array = a, .put = put, .nchunks = made};

    array_create(o, a);
    run_threads(o, made, column_worker, &job);
    link_chunks(o, a, made, n, 1);
}

static void sample_name(uint64_t i, char *out, size_t size)
{
    snprintf(out, size, "S%06llu", (unsigned long long)i + 1);
}

static void put_sample_id(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    char name[32];

    (void)o, (void)a;
    sample_name(i, name, sizeof(name));
    put_string(b, name);
}

static void put_contig_id(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    char name[32];

    (void)o, (void)a;
    contig_name(i, name, sizeof(name));
    put_string(b, name);
}

static void put_contig_length(const struct options *o, const struct array *a, uint64_t i,
                              struct buf *b)
{
    put_int(b, a->type, (int64_t)contig_length(&o->data, i));
}

static void put_filter_id(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    (void)o, (void)a;
    put_string(b, filter_names[i]);
}

static void put_contig(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    site_make(&o->data, i, &s);
    put_int(b, a->type, (int64_t)s.contig);
}

static void put_position(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    site_make(&o->data, i, &s);
    put_int(b, a->type, (int64_t)s.position);
}

static void put_length(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    site_make(&o->data, i, &s);
    put_int(b, a->type, (int64_t)strlen(s.alleles[0]));
}

static void put_id(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    (void)a;
    site_make(&o->data, i, &s);
    put_string(b, s.id);
}

static void put_alleles(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    site_make(&o->data, i, &s);
    for (uint64_t k = 0; k < a->shape[1]; k++)
        put_string(b, s.alleles[k]);
}

static void put_quality(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    static const uint32_t missing = 0x7f800001;
    struct site s;

    (void)a;
    site_make(&o->data, i, &s);
    if (isnan(s.quality))
        buf_append(b, &missing, sizeof(missing));
    else
        buf_append(b, &s.quality, sizeof(s.quality));
}

static void put_filters(const struct options *o, const struct array *a, uint64_t i, struct buf *b)
{
    struct site s;

    (void)a;
    site_make(&o->data, i, &s);
    for (unsigned k = 0; k < NFILTERS; k++)
        put_int(b, TYPE_BOOL, s.filters[k]);
}

static enum type smallest_int(uint64_t max)
{
    return max <= INT8_MAX ? TYPE_I1 : max <= INT16_MAX ? TYPE_I2 : TYPE_I4;
}

static void write_columns(const struct options *o)
{
    const struct data_options *d = &o->data;
    uint64_t nv = d->nvariants, cv = o->chunk_variants, cs = o->chunk_samples;
    uint64_t alleles = d->multiallelic > 0 ? SITE_ALLELES_MAX : 2;
    enum type position = smallest_int(contig_length(d, 0));
    const struct {
        struct array array;
        put_fn *put;
        bool extra; /* no view needs it */
    } columns[] = {
        {{"sample_id", TYPE_STRING, {d->nsamples}, {cs}, {"samples"}, false}, put_sample_id, false},
        {{"contig_id", TYPE_STRING, {d->ncontigs}, {d->ncontigs}, {"contigs"}, false},
         put_contig_id,
         false},
        {{"contig_length", TYPE_I8, {d->ncontigs}, {d->ncontigs}, {"contigs"}, false},
         put_contig_length,
         true},
        {{"filter_id", TYPE_STRING, {NFILTERS}, {NFILTERS}, {"filters"}, false},
         put_filter_id,
         true},
        {{"variant_contig", smallest_int(d->ncontigs), {nv}, {cv}, {"variants"}, false},
         put_contig,
         false},
        {{"variant_position", position, {nv}, {cv}, {"variants"}, false}, put_position, false},
        {{"variant_length", TYPE_I1, {nv}, {cv}, {"variants"}, false}, put_length, true},
        {{"variant_id", TYPE_STRING, {nv}, {cv}, {"variants"}, false}, put_id, false},
        {{"variant_allele",
          TYPE_STRING,
          {nv, alleles},
          {cv, alleles},
          {"variants", "alleles"},
          false},
         put_alleles,
         false},
        {{"variant_quality", TYPE_F4, {nv}, {cv}, {"variants"}, false}, put_quality, true},
        {{"variant_filter",
          TYPE_BOOL,
          {nv, NFILTERS},
          {cv, NFILTERS},
          {"variants", "filters"},
          true},
         put_filters,
         true},
    };

    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        if (!o->bare || !columns[i].extra)
            write_column(o, &columns[i].array, columns[i].put);
}

/* Calls */

struct job {
    const struct options *o;
    struct array genotypes, phased;
    uint64_t nrows, ncols; /* of chunks */
    atomic_uint_fast64_t next, genotype_nbytes, phased_nbytes;
};

/* The part of chunk [v0, v0 + cv) × [s0, s0 + cs) that lies in the tile. */
static void copy_tile(const struct job *job, const struct tile *tile, uint64_t tv, uint64_t ts,
                      uint64_t v0, uint64_t s0, int8_t *genotypes, uint8_t *phased)
{
    uint64_t cv = job->o->chunk_variants, cs = job->o->chunk_samples, p = job->o->data.ploidy;
    uint64_t first_v = tv * TILE_VARIANTS, first_s = ts * TILE_SAMPLES;
    uint64_t begin = first_s > s0 ? first_s : s0;
    uint64_t end = first_s + tile->nsamples < s0 + cs ? first_s + tile->nsamples : s0 + cs;

    for (uint64_t row = 0; row < tile->nvariants; row++) {
        uint64_t v = first_v + row;

        if (v < v0 || v >= v0 + cv)
            continue;
        memcpy(genotypes + ((v - v0) * cs + begin - s0) * p,
               tile->alleles[row] + (begin - first_s) * p, (end - begin) * p);
        if (phased)
            memcpy(phased + (v - v0) * cs + begin - s0, tile->phased[row] + begin - first_s,
                   end - begin);
    }
}

/* Past the array's edge a chunk is zero. */
static void fill_chunk(const struct job *job, uint64_t v0, uint64_t s0, struct tile *tile,
                       int8_t *genotypes, uint8_t *phased)
{
    const struct options *o = job->o;
    const struct data_options *d = &o->data;
    uint64_t v1 = v0 + o->chunk_variants < d->nvariants ? v0 + o->chunk_variants : d->nvariants;
    uint64_t s1 = s0 + o->chunk_samples < d->nsamples ? s0 + o->chunk_samples : d->nsamples;

    memset(genotypes, 0, o->chunk_variants * o->chunk_samples * d->ploidy);
    if (phased)
        memset(phased, 0, o->chunk_variants * o->chunk_samples);
    for (uint64_t tv = v0 / TILE_VARIANTS; tv * TILE_VARIANTS < v1; tv++)
        for (uint64_t ts = s0 / TILE_SAMPLES; ts * TILE_SAMPLES < s1; ts++) {
            tile_make(d, tv, ts, tile);
            copy_tile(job, tile, tv, ts, v0, s0, genotypes, phased);
        }
}

/* n alleles in elements of the array's type: `alleles` itself, or `room`. */
static const void *widen(const struct array *a, const int8_t *alleles, uint64_t n, uint8_t *room)
{
    const unsigned nbytes = types[a->type].nbytes;

    if (nbytes == 1)
        return alleles;
    for (uint64_t i = 0; i < n; i++) {
        const int64_t allele = alleles[i];

        /* Little-endian: the low bytes come first. */
        memcpy(room + i * nbytes, &allele, nbytes);
    }
    return room;
}

static void *call_worker(void *arg)
{
    struct job *job = arg;
    const struct options *o = job->o;
    uint64_t ncalls = o->chunk_variants * o->chunk_samples, nalleles = ncalls * o->data.ploidy;
    int inner = job->nrows * job->ncols == 1 ? o->nthreads : 1;
    int8_t *genotypes = allocate(nalleles);
    uint8_t *wide = o->allele_nbytes > 1 ? allocate(nalleles * o->allele_nbytes) : NULL;
    uint8_t *phased = o->with_phased ? allocate(ncalls) : NULL;
    struct tile *tile = allocate(sizeof(*tile));
    uint64_t i;

    while ((i = atomic_fetch_add(&job->next, 1)) < job->nrows * job->ncols) {
        uint64_t index[3] = {i / job->ncols, i % job->ncols, 0};

        fill_chunk(job, index[0] * o->chunk_variants, index[1] * o->chunk_samples, tile, genotypes,
                   phased);
        atomic_fetch_add(&job->genotype_nbytes,
                         write_chunk(o, &job->genotypes, index,
                                     widen(&job->genotypes, genotypes, nalleles, wide),
                                     nalleles * o->allele_nbytes, inner));
        if (phased)
            atomic_fetch_add(&job->phased_nbytes,
                             write_chunk(o, &job->phased, index, phased, ncalls, inner));
    }
    free(tile);
    free(phased);
    free(wide);
    free(genotypes);
    return NULL;
}

static enum type allele_type(unsigned nbytes)
{
    return nbytes == 1 ? TYPE_I1 : nbytes == 2 ? TYPE_I2 : nbytes == 4 ? TYPE_I4 : TYPE_I8;
}

static void write_calls(const struct options *o)
{
    const struct data_options *d = &o->data;
    uint64_t cv = o->chunk_variants, cs = o->chunk_samples;
    struct job job = {
        .o = o,
        .genotypes = {"call_genotype",
                      allele_type(o->allele_nbytes),
                      {d->nvariants, d->nsamples, d->ploidy},
                      {cv, cs, d->ploidy},
                      {"variants", "samples", "ploidy"},
                      true},
        .phased = {"call_genotype_phased",
                   TYPE_BOOL,
                   {d->nvariants, d->nsamples},
                   {cv, cs},
                   {"variants", "samples"},
                   true},
        .nrows = (d->nvariants + cv - 1) / cv,
        .ncols = (d->nsamples + cs - 1) / cs,
    };
    uint64_t nrows = job.nrows, real;

    array_create(o, &job.genotypes);
    if (o->with_phased)
        array_create(o, &job.phased);
    job.nrows = chunks_made(o, &job.genotypes, nrows);
    run_threads(o, job.nrows * job.ncols, call_worker, &job);
    link_chunks(o, &job.genotypes, job.nrows, nrows, job.ncols);
    if (o->with_phased)
        link_chunks(o, &job.phased, job.nrows, nrows, job.ncols);
    real = (job.nrows < nrows ? cv : d->nvariants) * d->nsamples * d->ploidy;
    printf("%s: %llu variants, %llu samples; call_genotype %llu bytes, 1/%.1f of the calls\n",
           o->out, (unsigned long long)d->nvariants, (unsigned long long)d->nsamples,
           (unsigned long long)job.genotype_nbytes, (double)real / (double)job.genotype_nbytes);
}

/* The same records as VCF text */

static void vcf_header(const struct options *o, FILE *f)
{
    char name[32];

    fputs("##fileformat=VCFv4.3\n", f);
    for (unsigned i = 0; i < NFILTERS; i++)
        fprintf(f, "##FILTER=<ID=%s,Description=\"Made by mkvcz\">\n", filter_names[i]);
    for (uint64_t i = 0; i < o->data.ncontigs; i++) {
        contig_name(i, name, sizeof(name));
        fprintf(f, "##contig=<ID=%s,length=%llu>\n", name,
                (unsigned long long)contig_length(&o->data, i));
    }
    fputs("##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
          "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT",
          f);
    for (uint64_t i = 0; i < o->data.nsamples; i++) {
        sample_name(i, name, sizeof(name));
        fprintf(f, "\t%s", name);
    }
    fputc('\n', f);
}

static void vcf_site(const struct site *s, FILE *f)
{
    char name[32];
    const char *separator = "\t";

    contig_name(s->contig, name, sizeof(name));
    fprintf(f, "%s\t%llu\t%s\t%s", name, (unsigned long long)s->position, s->id, s->alleles[0]);
    for (unsigned i = 1; i < s->nalleles; i++)
        fprintf(f, "%c%s", i > 1 ? ',' : '\t', s->alleles[i]);
    if (isnan(s->quality))
        fputs("\t.", f);
    else
        fprintf(f, "\t%g", (double)s->quality);
    for (unsigned i = 0; i < NFILTERS; i++)
        if (s->filters[i]) {
            fprintf(f, "%s%s", separator, filter_names[i]);
            separator = ";";
        }
    fputs("\t.\tGT", f);
}

static void vcf_call(const int8_t *alleles, unsigned ploidy, bool phased, FILE *f)
{
    for (unsigned i = 0; i < ploidy && alleles[i] != -2; i++) {
        fputc(i == 0 ? '\t' : phased ? '|' : '/', f);
        if (alleles[i] < 0)
            fputc('.', f);
        else
            fprintf(f, "%d", alleles[i]);
    }
}

static void write_vcf(const struct options *o)
{
    const struct data_options *d = &o->data;
    uint64_t ntiles = (d->nsamples + TILE_SAMPLES - 1) / TILE_SAMPLES;
    struct tile *tiles = allocate(ntiles * sizeof(*tiles));
    FILE *f = fopen(o->vcf, "w");

    if (f == NULL)
        err(1, "%s", o->vcf);
    vcf_header(o, f);
    for (uint64_t v = 0; v < d->nvariants; v++) {
        struct site site;

        for (uint64_t ts = 0; v % TILE_VARIANTS == 0 && ts < ntiles; ts++)
            tile_make(d, v / TILE_VARIANTS, ts, &tiles[ts]);
        site_make(d, v, &site);
        vcf_site(&site, f);
        for (uint64_t s = 0; s < d->nsamples; s++) {
            const struct tile *tile = &tiles[s / TILE_SAMPLES];
            uint64_t row = v % TILE_VARIANTS, at = s % TILE_SAMPLES;

            vcf_call(tile->alleles[row] + at * d->ploidy, d->ploidy, tile->phased[row][at], f);
        }
        fputc('\n', f);
    }
    if (ferror(f) || fclose(f) != 0)
        err(1, "%s", o->vcf);
    free(tiles);
}

/* The command line */

static const char usage_text[] =
    "usage: mkvcz [options] OUT\n"
    "size:        --samples N (100) --variants N (1000) --ploidy 1|2 (2) --contigs N (2)\n"
    "chunks:      --chunk-variants N --chunk-samples N --one-chunk (default: as bio2zarr, 1000 ×\n"
    "             10000, or as many as there are)\n"
    "calls:       --density sparse|dense --missing F --half-missing F --haploid-fraction F\n"
    "             --phased F (1) --no-phased --multiallelic F (F: a fraction from 0 to 1)\n"
    "             --allele-bytes 1|2|4|8 (1)\n"
    "compression: --cname NAME (zstd) --level N (7) --blocksize N (0: c-blosc's choice)\n"
    "other:       --zarr 2|3 (2) --seed N (1) --threads N (all) --vcf FILE\n"
    "             --bare: no array that a view does without\n"
    "             --links calls|all: chunks of variants are hard links to the first one\n";

static uint64_t number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n < min || n > max)
        errx(2, "--%s %s: not a number from %llu to %llu", name, text, (unsigned long long)min,
             (unsigned long long)max);
    return n;
}

static double fraction(const char *name, const char *text)
{
    char *end;
    double f = strtod(text, &end);

    if (end == text || *end != '\0' || !(f >= 0 && f <= 1))
        errx(2, "--%s %s: not a fraction from 0 to 1", name, text);
    return f;
}

enum {
    OPT_SAMPLES = 256,
    OPT_VARIANTS,
    OPT_PLOIDY,
    OPT_CONTIGS,
    OPT_CHUNK_VARIANTS,
    OPT_CHUNK_SAMPLES,
    OPT_ONE_CHUNK,
    OPT_DENSITY,
    OPT_MISSING,
    OPT_HALF_MISSING,
    OPT_HAPLOID,
    OPT_PHASED,
    OPT_NO_PHASED,
    OPT_MULTIALLELIC,
    OPT_ALLELE_BYTES,
    OPT_CNAME,
    OPT_LEVEL,
    OPT_BLOCKSIZE,
    OPT_ZARR,
    OPT_SEED,
    OPT_THREADS,
    OPT_VCF,
    OPT_BARE,
    OPT_LINKS,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"samples", 1, NULL, OPT_SAMPLES},
    {"variants", 1, NULL, OPT_VARIANTS},
    {"ploidy", 1, NULL, OPT_PLOIDY},
    {"contigs", 1, NULL, OPT_CONTIGS},
    {"chunk-variants", 1, NULL, OPT_CHUNK_VARIANTS},
    {"chunk-samples", 1, NULL, OPT_CHUNK_SAMPLES},
    {"one-chunk", 0, NULL, OPT_ONE_CHUNK},
    {"density", 1, NULL, OPT_DENSITY},
    {"missing", 1, NULL, OPT_MISSING},
    {"half-missing", 1, NULL, OPT_HALF_MISSING},
    {"haploid-fraction", 1, NULL, OPT_HAPLOID},
    {"phased", 1, NULL, OPT_PHASED},
    {"no-phased", 0, NULL, OPT_NO_PHASED},
    {"multiallelic", 1, NULL, OPT_MULTIALLELIC},
    {"allele-bytes", 1, NULL, OPT_ALLELE_BYTES},
    {"cname", 1, NULL, OPT_CNAME},
    {"level", 1, NULL, OPT_LEVEL},
    {"blocksize", 1, NULL, OPT_BLOCKSIZE},
    {"zarr", 1, NULL, OPT_ZARR},
    {"seed", 1, NULL, OPT_SEED},
    {"threads", 1, NULL, OPT_THREADS},
    {"vcf", 1, NULL, OPT_VCF},
    {"bare", 0, NULL, OPT_BARE},
    {"links", 1, NULL, OPT_LINKS},
    {"help", 0, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool parse_density(const char *text)
{
    if (strcmp(text, "sparse") != 0 && strcmp(text, "dense") != 0)
        errx(2, "--density %s: sparse or dense", text);
    return text[0] == 'd';
}

static enum links parse_links(const char *text)
{
    if (strcmp(text, "calls") != 0 && strcmp(text, "all") != 0)
        errx(2, "--links %s: calls or all", text);
    return text[0] == 'c' ? LINKS_CALLS : LINKS_ALL;
}

static void parse_one(struct options *o, int opt, const char *name)
{
    static const uint64_t many = UINT64_C(1) << 31;
    struct data_options *d = &o->data;

    switch (opt) {
    case OPT_SAMPLES:
        d->nsamples = number(name, optarg, 1, many);
        break;
    case OPT_VARIANTS:
        d->nvariants = number(name, optarg, 1, many);
        break;
    case OPT_PLOIDY:
        d->ploidy = (unsigned)number(name, optarg, 1, 2);
        break;
    case OPT_CONTIGS:
        d->ncontigs = number(name, optarg, 1, 10000);
        break;
    case OPT_CHUNK_VARIANTS:
        o->chunk_variants = number(name, optarg, 1, many);
        break;
    case OPT_CHUNK_SAMPLES:
        o->chunk_samples = number(name, optarg, 1, many);
        break;
    case OPT_ONE_CHUNK:
        o->one_chunk = true;
        break;
    case OPT_DENSITY:
        d->dense = parse_density(optarg);
        break;
    case OPT_MISSING:
        d->missing = fraction(name, optarg);
        break;
    case OPT_HALF_MISSING:
        d->half_missing = fraction(name, optarg);
        break;
    case OPT_HAPLOID:
        d->haploid = fraction(name, optarg);
        break;
    case OPT_PHASED:
        d->phased = fraction(name, optarg);
        break;
    case OPT_NO_PHASED:
        o->with_phased = false;
        break;
    case OPT_MULTIALLELIC:
        d->multiallelic = fraction(name, optarg);
        break;
    case OPT_ALLELE_BYTES:
        o->allele_nbytes = (unsigned)number(name, optarg, 1, 8);
        if ((o->allele_nbytes & (o->allele_nbytes - 1)) != 0)
            errx(2, "--allele-bytes %s: 1, 2, 4 or 8", optarg);
        break;
    case OPT_CNAME:
        o->cname = optarg;
        break;
    case OPT_LEVEL:
        o->level = (int)number(name, optarg, 0, 9);
        break;
    case OPT_BLOCKSIZE:
        o->blocksize = number(name, optarg, 0, INT_MAX);
        break;
    case OPT_ZARR:
        o->zarr = (unsigned)number(name, optarg, 2, 3);
        break;
    case OPT_SEED:
        d->seed = number(name, optarg, 0, UINT64_MAX);
        break;
    case OPT_THREADS:
        o->nthreads = (int)number(name, optarg, 1, 256);
        break;
    case OPT_VCF:
        o->vcf = optarg;
        break;
    case OPT_BARE:
        o->bare = true;
        break;
    case OPT_LINKS:
        o->links = parse_links(optarg);
        break;
    case OPT_HELP:
        fputs(usage_text, stdout);
        exit(0);
    default:
        fputs(usage_text, stderr);
        exit(2);
    }
}

static uint64_t chunk_length(uint64_t asked, uint64_t usual, uint64_t axis)
{
    if (asked != 0)
        return asked;
    return axis < usual ? axis : usual;
}

/* bio2zarr makes no chunk longer than its axis; one that is asked for may be, and is padded. */
static void choose_chunks(struct options *o)
{
    const uint64_t nvariants = o->data.nvariants, nsamples = o->data.nsamples;

    o->chunk_variants = chunk_length(o->chunk_variants, o->one_chunk ? nvariants : 1000, nvariants);
    o->chunk_samples = chunk_length(o->chunk_samples, o->one_chunk ? nsamples : 10000, nsamples);
}

static void parse_options(struct options *o, int argc, char **argv)
{
    int opt, which = 0;

    while ((opt = getopt_long(argc, argv, "", long_options, &which)) != -1)
        parse_one(o, opt, opt == '?' ? "" : long_options[which].name);
    if (optind + 1 != argc) {
        fputs(usage_text, stderr);
        exit(2);
    }
    o->out = argv[optind];
    if (blosc_compname_to_compcode(o->cname) < 0)
        errx(2, "--cname %s: this c-blosc has %s", o->cname, blosc_list_compressors());
    if (o->data.ncontigs > o->data.nvariants)
        o->data.ncontigs = o->data.nvariants;
    if (o->links && o->vcf)
        errx(2, "--links and --vcf exclude each other: the VCF would have other records");
    choose_chunks(o);
}

int main(int argc, char **argv)
{
    struct options o = {
        .data = {.nsamples = 100,
                 .nvariants = 1000,
                 .ncontigs = 2,
                 .seed = 1,
                 .ploidy = 2,
                 .phased = 1},
        .level = 7,
        .nthreads = (int)sysconf(_SC_NPROCESSORS_ONLN),
        .zarr = 2,
        .with_phased = true,
        .allele_nbytes = 1,
        .cname = "zstd",
    };

    parse_options(&o, argc, argv);
    group_create(&o);
    write_columns(&o);
    write_calls(&o);
    if (o.vcf)
        write_vcf(&o);
    if (fflush(stdout) != 0)
        err(1, "stdout");
    return 0;
}
