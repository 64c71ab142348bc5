/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_meta: what parsed metadata must be, whatever it was parsed from.
 */
#ifndef VCZFS_TESTS_FUZZ_META_H
#define VCZFS_TESTS_FUZZ_META_H

#include "common/size.h"
#include "encoderd/zarr/meta/array.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mem_store.h"

static inline void require_sane(const struct zarr_meta *meta)
{
    uint64_t elements = 1, nbytes;
    char name[24];

    REQUIRE(meta->ndim <= ZARR_DIMS_MAX);
    REQUIRE(meta->ncodecs <= ZARR_CODECS_MAX);
    for (unsigned d = 0; d < meta->ndim; d++) {
        REQUIRE(meta->chunk[d] > 0);
        REQUIRE(size_mul(elements, meta->chunk[d], &elements));
        REQUIRE(meta->nchunks[d] == size_div_up(meta->shape[d], meta->chunk[d]));
    }
    REQUIRE(meta->chunk_elements == elements);
    REQUIRE(size_mul(elements, meta->dtype.size, &nbytes));
    REQUIRE((meta->dtype.size == 0) == (meta->dtype.kind == DTYPE_STRING));
    REQUIRE(meta->separator == '.' || meta->separator == '/');
    REQUIRE(memchr(meta->codec_text, 0, sizeof meta->codec_text) != NULL);
    REQUIRE(strlen(dtype_name(&meta->dtype, name, sizeof name)) < sizeof name);
}

static inline int open_one(const char *name, void *arg)
{
    const struct zarr_group *group = arg;
    static const uint64_t first[ZARR_DIMS_MAX];
    struct zarr_array *array = NULL;
    struct err err = {0};
    char key[ZARR_KEY_MAX];

    if (zarr_array_open(group, name, &array, &err) != 0) {
        REQUIRE(err.code != ERR_NONE && err.msg[0] != '\0');
        return 0;
    }
    if (array == NULL)
        return 0;
    require_sane(&array->meta);
    zarr_chunk_key(array, first, key);
    REQUIRE(strncmp(key, name, strlen(name)) == 0);
    zarr_array_free(array);
    return 0;
}

/* The text as consolidated metadata, and whatever arrays it names. */
static inline void try_group(const char *root_key, const char *root, const char *key,
                             const uint8_t *data, size_t size)
{
    struct mem_store mem;
    struct zarr_group *group = NULL;
    struct err err = {0};

    mem_store_init(&mem);
    mem_put_text(&mem, root_key, root);
    mem_put(&mem, key, data, size);
    if (zarr_group_open(&mem.store, &group, &err) != 0) {
        REQUIRE(err.code != ERR_NONE && strstr(err.msg, "memory") != NULL);
        return;
    }
    if (zarr_group_arrays(group, open_one, group, &err) != 0)
        REQUIRE(err.code != ERR_NONE);
    zarr_group_free(group);
}

#endif
