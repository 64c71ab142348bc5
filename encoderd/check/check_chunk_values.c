/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_chunk_impl.h"

#include "common/size.h"
#include "encoderd/zarr/meta/ints.h"

#include <inttypes.h>

/* Finds the place in the array of element k of the chunk; false if it is past the array's edge. */
static bool element_place(const struct chunk_values *values, uint64_t k, uint64_t *place)
{
    const struct zarr_meta *meta = &values->array->meta;

    for (unsigned d = meta->ndim; d > 0; d--) {
        place[d - 1] = values->index[d - 1] * meta->chunk[d - 1] + k % meta->chunk[d - 1];
        k /= meta->chunk[d - 1];
        if (place[d - 1] >= meta->shape[d - 1])
            return false;
    }
    return true;
}

/* There is one problem for each chunk, with the first bad value and the number of bad values, so
 * that a chunk of garbage does not fill the report. */
static void note_bad(struct chunk_values *values, const uint64_t *place, int64_t value,
                     const char *what)
{
    if (values->nbad++ > 0)
        return;
    buf_append_str(&values->first, "value [");
    for (unsigned d = 0; d < values->array->meta.ndim; d++)
        buf_printf(&values->first, "%s%" PRIu64, d > 0 ? ", " : "", place[d]);
    buf_printf(&values->first, "] = %" PRId64 " %s", value, what);
    buf_append(&values->first, "", 1);
}

/* Counts an allele. Elements past the ploidy are not counted; those past the array's edge are
 * counted for columns that are no sample, or for rows that are no variant, and are not used. */
static void count_value(struct chunk_values *values, uint64_t k, int64_t value)
{
    const struct zarr_meta *meta = &values->array->meta;
    struct call_walk walk;
    uint64_t call, p;

    if (values->counts == NULL) /* the array may have fewer axes */
        return;
    call = k / meta->chunk[2];
    p = k % meta->chunk[2];
    if (p >= meta->shape[2])
        return;
    walk = (struct call_walk){call / meta->chunk[1], call % meta->chunk[1], value, p == 0,
                              &values->has_data};
    counts_add(values->worker->check->counts, values->index, &walk, values->counts);
}

static void walk_block(struct chunk_values *values, const struct block *block)
{
    const struct dtype *dtype = &values->array->meta.dtype;
    const uint64_t begin = block->begin / dtype->size;
    uint64_t place[ZARR_DIMS_MAX] = {0};

    for (uint64_t i = 0; i < block->nbytes / dtype->size; i++) {
        const int64_t value = zarr_int(dtype, block->data + i * dtype->size);
        const char *what;

        if (values->edge && !element_place(values, begin + i, place))
            continue;
        count_value(values, begin + i, value);
        what = check_judge(values, begin + i, value);
        if (what == NULL)
            continue;
        element_place(values, begin + i, place);
        note_bad(values, place, value, what);
    }
}

/* Judges one value, in place of nlike elements of the chunk that are equal to it. */
static void judge_at(struct chunk_values *values, uint64_t k, int64_t value, uint64_t nlike)
{
    const uint64_t without_alt = values->nwithout_alt;
    uint64_t place[ZARR_DIMS_MAX] = {0};
    const char *what;

    if (!element_place(values, k, place))
        return;
    what = check_judge(values, k, value);
    if (values->nwithout_alt > without_alt)
        values->nwithout_alt = without_alt + nlike;
    if (what == NULL)
        return;
    note_bad(values, place, value, what);
    values->nbad += nlike - 1;
}

/* The number of the chunk's elements that lie inside the array: of the whole chunk (from 0), or of
 * each of its rows (from 1). */
static uint64_t elements_inside(const struct chunk_values *values, unsigned from)
{
    const struct zarr_meta *meta = &values->array->meta;
    uint64_t n = 1;

    for (unsigned d = from; d < meta->ndim; d++)
        n *= size_min(meta->chunk[d], meta->shape[d] - values->index[d] * meta->chunk[d]);
    return n;
}

/* A chunk that is not stored has one value everywhere. It is judged once, or for genotypes once a
 * row, because only their validity depends on the row. */
static int walk_absent(struct chunk_values *values, struct chunk *chunk, struct err *err)
{
    const struct zarr_meta *meta = &values->array->meta;
    struct block block;
    uint64_t rows, row_elements;
    int64_t value;

    if (decoder_block(values->worker->decoder, chunk, 0, false, &block, err) != 0)
        return -1;
    if (values->rule == RULE_NONE)
        return 0;
    value = zarr_int(&meta->dtype, block.data);
    if (values->counts != NULL)
        counts_add_absent(values->worker->check->counts, values->index, value, values->counts);
    if (values->rule != RULE_GENOTYPE || !values->worker->nalleles_known) {
        judge_at(values, 0, value, elements_inside(values, 0));
        return 0;
    }
    rows = size_min(meta->chunk[0], meta->shape[0] - values->index[0] * meta->chunk[0]);
    row_elements = elements_inside(values, 1);
    for (uint64_t row = 0; row < rows; row++)
        judge_at(values, row * meta->chunk[1] * meta->chunk[2], value, row_elements);
    if (value == VCZ_INT_FILL && values->index[2] == 0)
        values->nzero_ploidy = rows * row_elements / check_call_slots(values);
    return 0;
}

static int walk_chunk(struct chunk_values *values, struct chunk *chunk, struct err *err)
{
    if (chunk_is_absent(chunk))
        return walk_absent(values, chunk, err);
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        struct block block;

        if (decoder_block(values->worker->decoder, chunk, i, false, &block, err) != 0)
            return -1;
        if (values->rule != RULE_NONE)
            walk_block(values, &block);
    }
    return 0;
}

static bool is_edge(const struct zarr_meta *meta, const uint64_t *index)
{
    for (unsigned d = 0; d < meta->ndim; d++)
        if (meta->shape[d] - index[d] * meta->chunk[d] < meta->chunk[d])
            return true;
    return false;
}

static struct call_counts *start_counting(const struct check_worker *worker,
                                          const struct chunk *chunk, struct call_counts *counts)
{
    if (worker->check->counts == NULL || !counts_begin(worker->check->counts, counts))
        return NULL;
    counts->nabsent = chunk_is_absent(chunk);
    counts->nstored = !chunk_is_absent(chunk);
    return counts;
}

int check_values(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 const char *key, struct check_totals *totals, struct call_counts *counts,
                 struct problems *problems, struct err *err)
{
    struct chunk_values values = {.worker = worker,
                                  .array = array,
                                  .index = index,
                                  .rule = check_rule(worker->check, array),
                                  .edge = is_edge(&array->meta, index)};
    struct chunk *chunk;
    int rc;

    if (decoder_chunk(worker->decoder, array, index, &chunk, err) != 0)
        return -1;
    totals->nabsent += chunk_is_absent(chunk);
    if (values.rule == RULE_GENOTYPE) {
        check_load_nalleles(worker, array, index[0]);
        values.counts = start_counting(worker, chunk, counts);
    }
    rc = walk_chunk(&values, chunk, err);
    if (values.nbad > 0)
        problems_add(problems, array->name, key, "%s (%" PRIu64 " such value%s in this chunk)",
                     values.first.failed ? "a value" : (const char *)values.first.data, values.nbad,
                     values.nbad == 1 ? "" : "s");
    totals->nwithout_alt += values.nwithout_alt;
    totals->nzero_ploidy += values.nzero_ploidy;
    buf_free(&values.first);
    return rc;
}
