/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/contig_counts.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/columns.h"
#include "encoderd/zarr/meta/stored_objects.h"

#include <inttypes.h>
#include <stdlib.h>

#define BATCH UINT64_C(65536)

/* The number of variants in one object of a one-dimensional array. */
static uint64_t object_length(const struct zarr_array *array)
{
    uint64_t length;

    return size_mul(array->meta.chunk[0], array->meta.sharding.chunks[0], &length) ? length
                                                                                   : UINT64_MAX;
}

static int count_one(const struct vcz *vcz, uint64_t variant, int64_t contig, uint64_t n,
                     uint64_t *counts, struct err *err)
{
    if (contig < 0 || (uint64_t)contig >= vcz->contigs.nitems)
        return err_set(err, ERR_CORRUPT,
                       "%s: array variant_contig: variant %" PRIu64 " is on contig %" PRId64
                       ", but contig_id has %zu entries",
                       store_path(vcz->store), variant, contig, vcz->contigs.nitems);
    counts[contig] += n;
    return 0;
}

static int count_range(const struct vcz *vcz, struct column *column, uint64_t begin, uint64_t end,
                       int64_t *room, uint64_t *counts, struct err *err)
{
    for (uint64_t at = begin; at < end; at += BATCH) {
        const uint64_t n = size_min(BATCH, end - at);

        if (column_ints(column, at, n, room, err) != 0)
            return -1;
        for (uint64_t i = 0; i < n; i++)
            if (count_one(vcz, at + i, room[i], 1, counts, err) != 0)
                return -1;
    }
    return 0;
}

/* All variants in objects that are not stored have the same contig: one of them is read. */
static int count_rest(const struct vcz *vcz, struct column *column,
                      const struct stored_objects *stored, uint64_t n, uint64_t *counts,
                      struct err *err)
{
    const uint64_t length = object_length(vcz->contig);
    const uint64_t hole = stored_objects_gap(stored, 0);
    int64_t contig;

    if (n == 0)
        return 0;
    if (column_ints(column, hole * length, 1, &contig, err) != 0)
        return -1;
    return count_one(vcz, hole * length, contig, n, counts, err);
}

static int count_all(const struct vcz *vcz, struct column *column,
                     const struct stored_objects *stored, int64_t *room, uint64_t *counts,
                     struct err *err)
{
    const uint64_t length = object_length(vcz->contig);
    uint64_t rest = vcz->nvariants;

    if (!stored->complete)
        return count_range(vcz, column, 0, rest, room, counts, err);
    for (size_t i = 0; i < stored->n; i++) {
        const uint64_t begin = stored->numbers[i] * length;
        const uint64_t end = begin + size_min(length, vcz->nvariants - begin);

        if (count_range(vcz, column, begin, end, room, counts, err) != 0)
            return -1;
        rest -= end - begin;
    }
    return count_rest(vcz, column, stored, rest, counts, err);
}

int contig_counts(const struct vcz *vcz, size_t scratch_max, uint64_t *counts, struct err *err)
{
    AUTO_FREE int64_t *room = malloc(BATCH * sizeof *room);
    struct decoder *decoder = NULL;
    struct column *column = NULL;
    struct stored_objects stored = {0};
    int rc = -1;

    if (vcz_need(vcz, VCZ_PLACES, err) != 0 || vcz->nvariants == 0)
        return vcz_need(vcz, VCZ_PLACES, err);
    if (room == NULL)
        return err_nomem(err, "the contigs of %s", store_path(vcz->store));
    decoder = decoder_new(scratch_max, err);
    if (decoder != NULL)
        column = column_new(vcz->contig, NULL, 0, decoder, scratch_max, err);
    if (column != NULL && stored_objects_list(vcz->contig, &stored, err) == 0)
        rc = count_all(vcz, column, &stored, room, counts, err);
    stored_objects_clear(&stored);
    column_free(column);
    decoder_free(decoder);
    return rc;
}
