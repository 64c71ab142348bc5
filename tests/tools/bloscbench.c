/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bloscbench: how fast c-blosc alone decodes the genotypes of a store (Zarr v2, Blosc), from the
 * page cache, with as many threads as a mount would have.
 *
 * usage: bloscbench STORE [THREADS [RUNS]]
 *
 * Each thread decodes whole chunks into a buffer that it keeps and has touched before: the best
 * case. A store of one chunk is decoded by c-blosc's own threads. Prints one JSON object; bed_bytes
 * is the size of the .bed rows that the calls make, seconds has one figure for each run, of which
 * there may be none; zstd_seconds is CPU time of libzstd for what a mount has it decode, and of
 * nothing else: less than that no mount can take.
 */
#include "common/bytes.h"
#include "encoderd/zarr/codec/blosc1.h"
#include "encoderd/zarr/codec/zstd_zeros.h"

#include <blosc.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

struct bench {
    char dir[PATH_MAX];
    char **names; /* of the chunks */
    size_t nchunks, cap;
    size_t chunk_nbytes, packed_max;
    uint64_t packed_total, bed_nbytes;
    int nthreads;
    atomic_size_t next;
};

struct worker {
    struct bench *bench;
    uint8_t *packed, *out;
    pthread_t thread;
};

static void *allocate(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (p == NULL)
        errx(1, "out of memory (%zu bytes)", n);
    return p;
}

static uint64_t json_at(const json_t *list, size_t i)
{
    json_int_t n = json_integer_value(json_array_get(list, i));

    if (n <= 0)
        errx(1, "call_genotype/.zarray: an impossible shape");
    return (uint64_t)n;
}

static void read_meta(struct bench *b)
{
    char path[PATH_MAX + 16];
    json_error_t error;
    json_t *meta, *chunks, *shape;

    snprintf(path, sizeof(path), "%s/.zarray", b->dir);
    meta = json_load_file(path, 0, &error);
    if (meta == NULL)
        errx(1, "%s: %s", path, error.text);
    shape = json_object_get(meta, "shape");
    chunks = json_object_get(meta, "chunks");
    if (json_array_size(shape) != 3 || json_array_size(chunks) != 3)
        errx(1, "%s: not three dimensions", path);
    b->bed_nbytes = json_at(shape, 0) * ((json_at(shape, 1) + 3) / 4);
    b->chunk_nbytes = json_at(chunks, 0) * json_at(chunks, 1) * json_at(chunks, 2);
    json_decref(meta);
}

static void find_chunks(struct bench *b)
{
    DIR *dir = opendir(b->dir);
    const struct dirent *entry;

    if (dir == NULL)
        err(1, "%s", b->dir);
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;

        if (entry->d_name[0] == '.')
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) != 0)
            err(1, "%s/%s", b->dir, entry->d_name);
        if (b->nchunks == b->cap) {
            b->cap = b->cap ? 2 * b->cap : 64;
            b->names = reallocarray(b->names, b->cap, sizeof(*b->names));
        }
        if (b->names == NULL || (b->names[b->nchunks] = strdup(entry->d_name)) == NULL)
            errx(1, "out of memory");
        b->nchunks++;
        b->packed_total += (uint64_t)st.st_size;
        if ((size_t)st.st_size > b->packed_max)
            b->packed_max = (size_t)st.st_size;
    }
    closedir(dir);
    if (b->nchunks == 0)
        errx(1, "%s: no chunks", b->dir);
}

static size_t read_chunk(const struct bench *b, size_t i, uint8_t *packed)
{
    char path[PATH_MAX + NAME_MAX + 2];
    size_t n = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", b->dir, b->names[i]);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        err(1, "%s", path);
    while ((got = read(fd, packed + n, b->packed_max - n)) > 0)
        n += (size_t)got;
    if (got < 0)
        err(1, "%s", path);
    close(fd);
    return n;
}

static void decode(const struct bench *b, size_t i, uint8_t *packed, uint8_t *out, int inner)
{
    size_t n = read_chunk(b, i, packed), decoded;

    if (blosc_cbuffer_validate(packed, n, &decoded) < 0 || decoded != b->chunk_nbytes)
        errx(1, "%s/%s: not a Blosc chunk of this array", b->dir, b->names[i]);
    if (blosc_decompress_ctx(packed, out, b->chunk_nbytes, inner) != (int)b->chunk_nbytes)
        errx(1, "%s/%s: c-blosc cannot decode it", b->dir, b->names[i]);
}

static void *work(void *arg)
{
    const struct worker *w = arg;
    struct bench *b = w->bench;
    int inner = b->nchunks == 1 ? b->nthreads : 1;
    size_t i;

    while ((i = atomic_fetch_add(&b->next, 1)) < b->nchunks)
        decode(b, i, w->packed, w->out, inner);
    return NULL;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double run(struct bench *b, struct worker *workers, size_t n)
{
    double begin = now();

    atomic_store(&b->next, 0);
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            errx(1, "cannot start a thread");
    for (size_t i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    return now() - begin;
}

static void run_all(struct bench *b, int nruns)
{
    size_t n = b->nchunks == 1 ? 1 : (size_t)b->nthreads;
    struct worker *workers = allocate(n * sizeof(*workers));

    for (size_t i = 0; i < n; i++) {
        workers[i].bench = b;
        workers[i].packed = allocate(b->packed_max);
        workers[i].out = allocate(b->chunk_nbytes);
        /* Not zero: a compiler may make one calloc of malloc and memset. */
        memset(workers[i].out, 1, b->chunk_nbytes);
    }
    for (int i = 0; i < nruns; i++)
        printf("%s%.6f", i ? ", " : "", run(b, workers, n));
    for (size_t i = 0; i < n; i++) {
        free(workers[i].out);
        free(workers[i].packed);
    }
    free(workers);
}

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of libzstd for the blocks of one chunk. */
static double zstd_chunk(const struct bench *b, const char *name, uint8_t *packed, size_t n,
                         uint8_t *out, ZSTD_DCtx *zstd)
{
    struct blosc1_frame frame;
    uint32_t *begins, *ends;
    struct err why = {0};
    double seconds = 0;

    if (blosc1_parse_header(packed, n, b->chunk_nbytes, &frame, &why) != 0 ||
        blosc1_index(&frame, packed + BLOSC1_HEADER_NBYTES, &begins, &ends, &why) != 0)
        errx(1, "%s/%s: %s", b->dir, name, why.msg);
    for (uint32_t i = 0; i < frame.nblocks; i++) {
        uint8_t *stream = packed + begins[i] + 4;
        size_t nstream = get_le32(stream - 4), nbytes = blosc1_block_nbytes(&frame, i), there;
        double begin;

        if (!blosc1_block_is_planes(&frame, i) || blosc1_frame_codec(&frame) != BLOSC1_ZSTD ||
            nstream == nbytes)
            continue;
        there = zstd_cut_zeros(stream, &nstream, nbytes);
        begin = cpu_now();
        if (there > 0 && ZSTD_decompressDCtx(zstd, out, nbytes, stream, nstream) != there)
            errx(1, "%s/%s: zstd cannot decode it", b->dir, name);
        seconds += cpu_now() - begin;
    }
    free(begins);
    free(ends);
    return seconds;
}

static double zstd_alone(const struct bench *b)
{
    uint8_t *packed = allocate(b->packed_max), *out = allocate(b->chunk_nbytes);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    double seconds = 0;

    for (size_t i = 0; i < b->nchunks; i++)
        seconds += zstd_chunk(b, b->names[i], packed, read_chunk(b, i, packed), out, zstd);
    ZSTD_freeDCtx(zstd);
    free(packed);
    free(out);
    return seconds;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    int nruns = argc > 3 ? atoi(argv[3]) : 1;

    b.nthreads = argc > 2 ? atoi(argv[2]) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (argc < 2 || argc > 4 || b.nthreads < 1 || nruns < 0)
        errx(2, "usage: bloscbench STORE [THREADS [RUNS]]");
    snprintf(b.dir, sizeof(b.dir), "%s/call_genotype", argv[1]);
    read_meta(&b);
    find_chunks(&b);
    printf("{\"threads\": %d, \"chunks\": %zu, \"bed_bytes\": %llu, \"decoded_bytes\": %llu, "
           "\"stored_bytes\": %llu, \"seconds\": [",
           b.nthreads, b.nchunks, (unsigned long long)b.bed_nbytes,
           (unsigned long long)(b.chunk_nbytes * b.nchunks), (unsigned long long)b.packed_total);
    run_all(&b, nruns);
    printf("], \"zstd_seconds\": %.6f}\n", zstd_alone(&b));
    for (size_t i = 0; i < b.nchunks; i++)
        free(b.names[i]);
    free(b.names);
    return 0;
}
