/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/array_identity.h"

#include "common/size.h"
#include "encoderd/zarr/meta/stored_objects.h"

/* All of them; UINT64_MAX where they are more than can be counted. */
static uint64_t count_objects(const struct zarr_meta *meta)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(n, stored_objects_along(meta, d), &n))
            return UINT64_MAX;
    return n;
}

/* The first chunk in object `number`, in C order. */
static void object_index(const struct zarr_meta *meta, uint64_t number, uint64_t *index)
{
    for (unsigned d = meta->ndim; d > 0; d--) {
        const uint64_t n = stored_objects_along(meta, d - 1);

        index[d - 1] = number % n * meta->sharding.chunks[d - 1];
        number /= n;
    }
}

uint64_t zarr_identity_nchunks(const struct zarr_array *array)
{
    return size_min(count_objects(&array->meta), ZARR_IDENTITY_MOST);
}

void zarr_identity_chunk(const struct zarr_array *array, uint64_t i, uint64_t *index)
{
    const uint64_t total = count_objects(&array->meta);
    const uint64_t n = size_min(total, ZARR_IDENTITY_MOST), gaps = n > 1 ? n - 1 : 1;

    object_index(&array->meta, (total - 1) / gaps * i + (total - 1) % gaps * i / gaps, index);
}
