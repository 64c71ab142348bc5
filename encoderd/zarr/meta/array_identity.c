/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/array_identity.h"

#include "common/size.h"
#include "encoderd/zarr/meta/stored_objects.h"

#include <string.h>

/* The number of all objects; UINT64_MAX if it is too large to count. */
static uint64_t count_objects(const struct zarr_meta *meta)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(n, stored_objects_along(meta, d), &n))
            return UINT64_MAX;
    return n;
}

/* The key of object `number`, in C order. */
static void object_key(const struct zarr_array *array, uint64_t number, char key[ZARR_KEY_MAX])
{
    const struct zarr_meta *meta = &array->meta;
    uint64_t index[ZARR_DIMS_MAX] = {0};

    for (unsigned d = meta->ndim; d > 0; d--) {
        const uint64_t n = stored_objects_along(meta, d - 1);

        index[d - 1] = number % n * meta->sharding.chunks[d - 1];
        number /= n;
    }
    zarr_chunk_key(array, index, key);
}

uint64_t zarr_identity_nparts(const struct zarr_array *array)
{
    return 1 + size_min(count_objects(&array->meta), ZARR_IDENTITY_MOST);
}

int zarr_identity_part(const struct zarr_array *array, uint64_t part,
                       void (*add)(const void *data, size_t n, void *arg), void *arg,
                       struct err *err)
{
    const uint64_t total = count_objects(&array->meta), i = part - 1;
    const uint64_t n = size_min(total, ZARR_IDENTITY_MOST), gaps = n > 1 ? n - 1 : 1;
    char key[ZARR_KEY_MAX];

    if (part == 0)
        return store_identity(array->store, array->name, add, arg, err);
    object_key(array, (total - 1) / gaps * i + (total - 1) % gaps * i / gaps, key);
    add(key, strlen(key) + 1, arg);
    return store_identity(array->store, key, add, arg, err);
}
