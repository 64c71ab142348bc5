/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/warm.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/stored.h"

#define PIECE_NBYTES ((uint64_t)128 << 10)
#define WARM_NBYTES  ((uint64_t)4 << 20)

/* Reads through the store, which counts whether it had to wait. */
static bool read_piece(const struct stored *stored, uint64_t at, uint64_t length, uint8_t *to)
{
    struct store_range range = {0};

    store_range_init(&range, "", stored->object, stored->base + at, length, to);
    range.label = stored->label;
    store_get(stored->name.store, &range);
    return range.state == RANGE_THERE && range.nread == length;
}

void chunk_warm(struct chunk_table *table, const struct zarr_array *array, const uint64_t *index)
{
    CLEANUP(chunk_need_clear) struct chunk_need need = {.may_wait = true};
    struct err err = {0};
    struct stored *stored = stored_get(table, array, index, &err);
    AUTO_FREE uint8_t *piece = NULL;
    uint64_t n;

    if (stored != NULL &&
        stored_make(stored, array, index, STORED_LOCATED, &need, &err) == NEED_THERE &&
        stored->object != NULL) {
        n = size_min(stored->length, WARM_NBYTES);
        piece = malloc((size_t)size_min(n, PIECE_NBYTES) + 1);
        for (uint64_t at = 0, length; piece != NULL && at < n; at += length) {
            length = size_min(n - at, PIECE_NBYTES);
            if (!read_piece(stored, at, length, piece))
                break;
        }
    }
    stored_put(stored);
}
