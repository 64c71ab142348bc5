/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made_store: small Zarr v2 stores, written by a test into a temporary directory.
 *
 * Arrays are uncompressed and chunked as asked; every function fails the test if it cannot do its
 * work.
 */
#ifndef VCZFS_TESTS_MADE_STORE_H
#define VCZFS_TESTS_MADE_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs some of those above it. */
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/shuffling.h"

struct made_store {
    char path[64];
};

struct made_array {
    const char *name;
    const char *dtype; /* "|i1", "<i4", ...; "|O": strings */
    unsigned ndim;
    uint64_t shape[3], chunk[3]; /* chunk 0: as long as the axis */
    const int64_t *ints;         /* either, in C order */
    const char *const *strings;
};

static inline int made_unlink(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void made_remove(struct made_store *store)
{
    nftw(store->path, made_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline FILE *made_file(const struct made_store *store, const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", store->path, name);
    file = fopen(path, "w+");
    assert_non_null(file);
    return file;
}

static inline void made_text(const struct made_store *store, const char *name, const char *text)
{
    FILE *file = made_file(store, name);

    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Just the group. */
static inline void made_group(struct made_store *store)
{
    strcpy(store->path, "/tmp/vczfs-made-XXXXXX");
    assert_non_null(mkdtemp(store->path));
    made_text(store, ".zgroup", "{\"zarr_format\": 2}");
    made_text(store, ".zattrs", "{\"vcf_zarr_version\": \"0.4\", \"source\": \"test\"}");
}

static inline void made_dims(FILE *file, const char *key, const uint64_t *dims, unsigned ndim)
{
    fprintf(file, "\"%s\": [", key);
    for (unsigned d = 0; d < ndim; d++)
        fprintf(file, "%s%llu", d > 0 ? ", " : "", (unsigned long long)dims[d]);
    fputs("], ", file);
}

static inline void made_element(FILE *file, const struct made_array *array, uint64_t at,
                                bool inside)
{
    if (array->dtype[1] == 'O') {
        const char *text = inside ? array->strings[at] : "";
        uint32_t len = (uint32_t)strlen(text);

        fwrite(&len, 4, 1, file);
        fwrite(text, 1, len, file);
    } else {
        const size_t width = (size_t)(array->dtype[2] - '0');
        const bool big = array->dtype[0] == '>';
        int64_t value = inside ? array->ints[at] : 0;

        for (size_t i = 0; i < width; i++)
            fputc((int)(value >> 8 * (big ? width - 1 - i : i) & 0xff), file);
    }
}

/* A Blosc frame of one bit-shuffled block, whose stream is stored, around the file's elements. */
static inline void made_planes(FILE *file, uint32_t count)
{
    const uint8_t head[] = {2, 1, 0x04 | 0x10 | 4 << 5, 1};
    const uint32_t numbers[] = {count, count, 24 + count, 20, count};
    int8_t *elements = malloc(count);
    uint8_t *planes = malloc(count);

    assert_int_equal(count % 8, 0);
    rewind(file);
    assert_int_equal(fread(elements, 1, count, file), count);
    shuffle(elements, count, PLANES_ALL, planes);
    rewind(file);
    fwrite(head, sizeof head, 1, file);
    fwrite(numbers, sizeof numbers, 1, file);
    fwrite(planes, count, 1, file);
    free(planes);
    free(elements);
}

static inline void made_chunk(const struct made_store *store, const struct made_array *array,
                              const uint64_t shape[3], const uint64_t chunk[3],
                              const uint64_t index[3], bool planes)
{
    uint32_t count = (uint32_t)(chunk[0] * chunk[1] * chunk[2]);
    char name[256];
    size_t used =
        (size_t)snprintf(name, sizeof name, "%s/%llu", array->name, (unsigned long long)index[0]);
    FILE *file;

    for (unsigned d = 1; d < array->ndim; d++)
        used += (size_t)snprintf(name + used, sizeof name - used, ".%llu",
                                 (unsigned long long)index[d]);
    file = made_file(store, name);
    if (array->dtype[1] == 'O')
        fwrite(&count, 4, 1, file);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t x = index[0] * chunk[0] + i / (chunk[1] * chunk[2]);
        uint64_t y = index[1] * chunk[1] + i / chunk[2] % chunk[1];
        uint64_t z = index[2] * chunk[2] + i % chunk[2];
        bool inside = x < shape[0] && y < shape[1] && z < shape[2];

        made_element(file, array, (x * shape[1] + y) * shape[2] + z, inside);
    }
    if (planes)
        made_planes(file, count);
    assert_int_equal(fclose(file), 0);
}

static inline void made_meta(const struct made_store *store, const struct made_array *array,
                             const uint64_t chunk[3], bool planes)
{
    bool strings = array->dtype[1] == 'O';
    char name[256];
    FILE *file;

    snprintf(name, sizeof name, "%s/.zarray", array->name);
    file = made_file(store, name);
    fprintf(file, "{\"zarr_format\": 2, \"dtype\": \"%s\", ", array->dtype);
    made_dims(file, "shape", array->shape, array->ndim);
    made_dims(file, "chunks", chunk, array->ndim);
    fprintf(file, "\"compressor\": %s, \"order\": \"C\", \"fill_value\": %s, \"filters\": %s}",
            planes ? "{\"id\": \"blosc\", \"cname\": \"zstd\", \"clevel\": 7, \"shuffle\": 2, "
                     "\"blocksize\": 0}"
                   : "null",
            strings ? "\"\"" : "0", strings ? "[{\"id\": \"vlen-utf8\"}]" : "null");
    assert_int_equal(fclose(file), 0);
}

/* Removes the array and all that is below it. */
static inline void made_drop(const struct made_store *store, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", store->path, name);
    nftw(path, made_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes the array; one of the same name is replaced. Without ints and strings, only metadata. With
 * `planes`, for dtype |i1 and chunks of a multiple of 8 elements, in Blosc frames of bit planes. */
static inline void made_put_as(const struct made_store *store, const struct made_array *array,
                               bool planes)
{
    uint64_t shape[3] = {1, 1, 1}, chunk[3] = {1, 1, 1}, n[3] = {1, 1, 1}, index[3];
    char path[512];

    made_drop(store, array->name);
    snprintf(path, sizeof path, "%s/%s", store->path, array->name);
    assert_int_equal(mkdir(path, 0777), 0);
    for (unsigned d = 0; d < array->ndim && d < 3; d++) {
        shape[d] = array->shape[d];
        chunk[d] = array->chunk[d] != 0 ? array->chunk[d] : shape[d] != 0 ? shape[d] : 1;
        n[d] = (shape[d] + chunk[d] - 1) / chunk[d];
    }
    made_meta(store, array, chunk, planes);
    if (array->ints == NULL && array->strings == NULL)
        return;
    for (index[0] = 0; index[0] < n[0]; index[0]++)
        for (index[1] = 0; index[1] < n[1]; index[1]++)
            for (index[2] = 0; index[2] < n[2]; index[2]++)
                made_chunk(store, array, shape, chunk, index, planes);
}

static inline void made_put(const struct made_store *store, const struct made_array *array)
{
    made_put_as(store, array, false);
}

/* A valid store: three variants, two samples, diploid. */
static inline void made_vcz(struct made_store *store)
{
    static const int64_t genotype[] = {0, 0, 0, 1, 1, 1, -1, -1, 0, -2, 1, 0};
    static const int64_t contig[] = {0, 0, 1}, position[] = {10, 20, 5};
    static const char *const allele[] = {"A", "C", "G", "T", "AC", ""};
    static const char *const id[] = {"rs1", ".", ""}, *const sample[] = {"S1", "S2"};
    static const char *const contigs[] = {"chr1", "chrUn", "chrM"};

    made_group(store);
    made_put(store,
             &(struct made_array){"call_genotype", "|i1", 3, {3, 2, 2}, {0}, genotype, NULL});
    made_put(store, &(struct made_array){"variant_contig", "|i1", 1, {3}, {0}, contig, NULL});
    made_put(store, &(struct made_array){"variant_position", "<i4", 1, {3}, {0}, position, NULL});
    made_put(store, &(struct made_array){"variant_allele", "|O", 2, {3, 2}, {0}, NULL, allele});
    made_put(store, &(struct made_array){"variant_id", "|O", 1, {3}, {0}, NULL, id});
    made_put(store, &(struct made_array){"sample_id", "|O", 1, {2}, {0}, NULL, sample});
    made_put(store, &(struct made_array){"contig_id", "|O", 1, {3}, {0}, NULL, contigs});
}

#endif
