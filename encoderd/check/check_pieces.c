/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_pieces.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>

/* A store that claims more chunks than this cannot have stored most of them. */
#define CHUNKS_MAX (UINT64_C(1) << 26)
/* If an array has no more chunks than this, and is no longer along its first axis, all its chunks
 * are visited even if few are stored. */
#define CLAIMED_MAX        UINT64_C(4096)
#define CLAIMED_LENGTH_MAX (UINT64_C(1) << 24)
/* An array is sparse if at most one chunk of so many is stored. */
#define CLAIMED_EACH UINT64_C(16)

static uint64_t array_nchunks(const struct zarr_array *array)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (!size_mul(n, array->meta.nchunks[d], &n))
            return UINT64_MAX;
    return n;
}

/* Place k in C order of a grid. */
static void grid_place(uint64_t k, const uint64_t *lengths, unsigned ndim, uint64_t *place)
{
    for (unsigned d = ndim; d > 0; d--) {
        place[d - 1] = k % lengths[d - 1];
        k /= lengths[d - 1];
    }
}

/* Finds chunk k of the object; false if it lies past the array's end. */
static bool object_chunk(const struct zarr_meta *meta, uint64_t object, uint64_t k, uint64_t *index)
{
    uint64_t along[ZARR_DIMS_MAX], inner[ZARR_DIMS_MAX];
    bool inside = true;

    for (unsigned d = 0; d < meta->ndim; d++)
        along[d] = stored_objects_along(meta, d);
    grid_place(object, along, meta->ndim, index);
    grid_place(k, meta->sharding.chunks, meta->ndim, inner);
    for (unsigned d = 0; d < meta->ndim; d++) {
        index[d] = index[d] * meta->sharding.chunks[d] + inner[d];
        inside = inside && index[d] < meta->nchunks[d];
    }
    return inside;
}

struct check_piece check_piece_at(const struct check_pieces *pieces, uint64_t i)
{
    struct check_piece out = {.nlike = 1};
    const struct claim *claim;
    const struct zarr_meta *meta;

    while (i >= pieces->first[out.array + 1])
        out.array++;
    i -= pieces->first[out.array];
    claim = &pieces->claims[out.array];
    meta = &pieces->check->arrays[out.array]->meta;
    if (!claim->sparse) {
        grid_place(i, meta->nchunks, meta->ndim, out.index);
    } else if (i / claim->each < claim->stored.n) {
        out.nlike =
            object_chunk(meta, claim->stored.numbers[i / claim->each], i % claim->each, out.index);
    } else {
        object_chunk(meta, stored_objects_gap(&claim->stored, 0), 0, out.index);
        out.nlike = claim->nothers;
    }
    return out;
}

/* The result is limited to the array's elements, because chunks at the end of an axis have fewer
 * values than the chunk that was counted for them. */
uint64_t check_piece_times(const struct check_pieces *pieces, const struct check_piece *piece,
                           uint64_t n)
{
    const struct zarr_array *array = pieces->check->arrays[piece->array];
    uint64_t product = UINT64_MAX, most = 1;

    if (piece->nlike == 1)
        return n;
    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (!size_mul(most, array->meta.shape[d], &most))
            most = UINT64_MAX;
    return size_mul(n, piece->nlike, &product) ? size_min(product, most) : most;
}

static uint64_t chunks_in(const struct zarr_meta *meta, uint64_t object)
{
    uint64_t index[ZARR_DIMS_MAX], n = 1;

    object_chunk(meta, object, 0, index);
    for (unsigned d = 0; d < meta->ndim; d++)
        n *= size_min(meta->sharding.chunks[d], meta->nchunks[d] - index[d]);
    return n;
}

/* True if most of the array's chunks are not stored. If the stored objects cannot be listed, false:
 * then all chunks are visited. */
static bool is_sparse(const struct zarr_array *array, struct claim *claim)
{
    const struct zarr_meta *meta = &array->meta;
    struct err ignored = {0};
    uint64_t n;

    if (meta->ndim == 0 || claim->nchunks == 0 || claim->nchunks == UINT64_MAX ||
        (claim->nchunks <= CLAIMED_MAX && meta->shape[0] <= CLAIMED_LENGTH_MAX))
        return false;
    claim->each = 1;
    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(claim->each, meta->sharding.chunks[d], &claim->each))
            return false;
    return stored_objects_list(array, &claim->stored, &ignored) == 0 && claim->stored.complete &&
           size_mul(claim->stored.n, claim->each, &n) && n <= (claim->nchunks - 1) / CLAIMED_EACH;
}

static uint64_t array_npieces(const struct zarr_array *array, struct claim *claim)
{
    claim->nchunks = array_nchunks(array);
    claim->sparse = is_sparse(array, claim);
    if (!claim->sparse) {
        stored_objects_clear(&claim->stored);
        return claim->nchunks;
    }
    claim->nothers = claim->nchunks;
    for (size_t i = 0; i < claim->stored.n; i++)
        claim->nothers -= chunks_in(&array->meta, claim->stored.numbers[i]);
    return claim->stored.n * claim->each + 1;
}

static void number_pieces(struct check_pieces *pieces, struct check *check)
{
    uint64_t *first = pieces->first;

    for (size_t a = 0; a < check->narrays; a++) {
        const struct zarr_array *array = check->arrays[a];
        uint64_t n = array_npieces(array, &pieces->claims[a]);

        if (n > CHUNKS_MAX - first[a]) {
            problems_add(&check->problems, array->name, "",
                         "it has %" PRIu64 " chunks%s: more than can be checked",
                         pieces->claims[a].nchunks, n == UINT64_MAX ? " or more" : "");
            n = 0;
        }
        first[a + 1] = first[a] + n;
    }
}

int check_pieces_init(struct check_pieces *pieces, struct check *check, struct err *err)
{
    *pieces = (struct check_pieces){
        .check = check,
        .claims = calloc(check->narrays + 1, sizeof *pieces->claims),
        .first = calloc(check->narrays + 1, sizeof *pieces->first),
    };
    if (pieces->claims == NULL || pieces->first == NULL)
        return err_nomem(err, "a check");
    number_pieces(pieces, check);
    return 0;
}

void check_pieces_clear(struct check_pieces *pieces)
{
    for (size_t a = 0; pieces->claims != NULL && a < pieces->check->narrays; a++)
        stored_objects_clear(&pieces->claims[a].stored);
    free(pieces->claims);
    free(pieces->first);
    *pieces = (struct check_pieces){0};
}
