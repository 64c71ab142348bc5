/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zarr_fixture: small stores in a temporary directory, and whole arrays as numbers.
 */
#ifndef VCZFS_TESTS_ZARR_FIXTURE_H
#define VCZFS_TESTS_ZARR_FIXTURE_H

#include "encoderd/zarr/chunk/chunk.h"
#include "encoderd/zarr/meta/floats.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct zarr_group *group;
    struct decoder *decoder;
};

static inline const char *vector_path(const char *name, char buf[512])
{
    const char *root = getenv("VCZFS_VECTORS");

    snprintf(buf, 512, "%s/stores/%s", root != NULL ? root : "build/vectors", name);
    return buf;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void make_dir(struct fixture *f)
{
    *f = (struct fixture){0};
    strcpy(f->dir, "/tmp/vczfs-zarr-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
}

/* Writes a file below the fixture's directory, and the directories that lead to it. */
static inline void put_file(const struct fixture *f, const char *key, const void *data, size_t n)
{
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", f->dir, key);
    for (char *at = strchr(path + strlen(f->dir) + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *at = '/';
    }
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void put_text(const struct fixture *f, const char *key, const char *text)
{
    put_file(f, key, text, strlen(text));
}

static inline void open_path(struct fixture *f, const char *path)
{
    struct err err = {0};

    if (store_open(path, &f->store, &err) != 0 || zarr_group_open(f->store, &f->group, &err) != 0)
        fail_msg("%s", err.msg);
    f->decoder = decoder_new((size_t)64 << 20, &err);
    assert_non_null(f->decoder);
}

static inline void close_fixture(struct fixture *f)
{
    decoder_free(f->decoder);
    zarr_group_free(f->group);
    store_free(f->store);
    if (f->dir[0] != '\0')
        nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    *f = (struct fixture){0};
}

static inline struct zarr_array *open_array(const struct fixture *f, const char *name)
{
    struct zarr_array *array = NULL;
    struct err err = {0};

    if (zarr_array_open(f->group, name, &array, &err) != 0)
        fail_msg("%s", err.msg);
    return array;
}

/* The c-th chunk in C order. */
static inline void chunk_index(const struct zarr_meta *meta, uint64_t c, uint64_t *index)
{
    for (unsigned d = meta->ndim; d > 0; d--) {
        index[d - 1] = c % meta->nchunks[d - 1];
        c /= meta->nchunks[d - 1];
    }
}

static inline uint64_t total_chunks(const struct zarr_meta *meta)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < meta->ndim; d++)
        n *= meta->nchunks[d];
    return n;
}

static inline uint64_t total_elements(const struct zarr_meta *meta)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < meta->ndim; d++)
        n *= meta->shape[d];
    return n;
}

/* Where element k of the chunk lies in the array in C order; UINT64_MAX if past its edge. */
static inline uint64_t element_place(const struct zarr_meta *meta, const uint64_t *index,
                                     uint64_t k)
{
    uint64_t place = 0, stride = 1;

    for (unsigned d = meta->ndim; d > 0; d--) {
        uint64_t at = index[d - 1] * meta->chunk[d - 1] + k % meta->chunk[d - 1];

        if (at >= meta->shape[d - 1])
            return UINT64_MAX;
        k /= meta->chunk[d - 1];
        place += at * stride;
        stride *= meta->shape[d - 1];
    }
    return place;
}

/* Every element of a float array as a double, and, unless kinds is NULL, whether it is a value: see
 * floats.h. Both have room for meta.chunk_elements. */
static inline int chunk_floats(struct decoder *decoder, const struct zarr_array *array,
                               const uint64_t *index, double *out, uint8_t *kinds, struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    struct chunk *chunk;
    struct block block;

    if (decoder_chunk(decoder, array, index, &chunk, err) != 0)
        return -1;
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        uint64_t first;

        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
            return -1;
        first = block.begin / dtype->size;
        zarr_floats(dtype, block.data, block.nbytes / dtype->size, out + first,
                    kinds != NULL ? kinds + first : NULL);
    }
    return 0;
}

#endif
