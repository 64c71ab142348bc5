/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_chunk_impl.h"

#include "common/size.h"

#include <string.h>

enum rule check_rule(const struct check *check, const struct zarr_array *array)
{
    const bool whole = array->meta.dtype.kind == DTYPE_INT || array->meta.dtype.kind == DTYPE_UINT;

    if (array->meta.dtype.kind == DTYPE_BOOL)
        return RULE_BOOL;
    if (!whole)
        return RULE_NONE;
    if (strcmp(array->name, "variant_contig") == 0 && check->ncontigs != UINT64_MAX)
        return RULE_CONTIG;
    if (strcmp(array->name, "variant_position") == 0)
        return RULE_POSITION;
    if (strcmp(array->name, "call_genotype") == 0 && array->meta.ndim == 3)
        return RULE_GENOTYPE;
    if (strcmp(array->name, "call_genotype_phased") == 0)
        return RULE_BOOL;
    return RULE_NONE;
}

void check_load_nalleles(struct check_worker *worker, const struct zarr_array *array,
                         uint64_t vchunk)
{
    const uint64_t rows = array->meta.chunk[0], first = vchunk * rows;
    struct site site;

    if (worker->nalleles_chunk == vchunk)
        return;
    worker->nalleles_chunk = vchunk;
    worker->nalleles_known = false;
    if (worker->sites == NULL || worker->nalleles == NULL)
        return;
    for (uint64_t row = 0; row < rows && first + row < worker->check->vcz->nvariants; row++) {
        if (sites_get(worker->sites, first + row, &site, NULL) != 0)
            return;
        worker->nalleles[row] = site.nalleles;
    }
    worker->nalleles_known = true;
}

uint64_t check_call_slots(const struct chunk_values *values)
{
    const struct zarr_meta *meta = &values->array->meta;

    return size_min(meta->chunk[2], meta->shape[2] - values->index[2] * meta->chunk[2]);
}

/* Calls come in order, each a run of `ploidy` elements. */
static const char *judge_call(struct chunk_values *values, uint64_t k, int64_t value)
{
    const struct zarr_meta *meta = &values->array->meta;
    const struct check_worker *worker = values->worker;
    const uint64_t row = k / (meta->chunk[1] * meta->chunk[2]);

    if (k % meta->chunk[2] == 0)
        values->nfill = 0;
    if (value == VCZ_INT_FILL) {
        values->nfill++;
        values->nzero_ploidy += values->nfill == check_call_slots(values) && values->index[2] == 0;
        return NULL;
    }
    if (values->nfill > 0)
        return "is an allele after a fill value";
    if (value < VCZ_INT_MISSING)
        return "is neither an allele, nor missing (-1), nor fill (-2)";
    if (!worker->nalleles_known || value < (int64_t)worker->nalleles[row])
        return NULL;
    if (value > 1)
        return "is an allele that the site does not have";
    values->nwithout_alt++;
    return NULL;
}

const char *check_judge(struct chunk_values *values, uint64_t k, int64_t value)
{
    switch (values->rule) {
    case RULE_BOOL:
        return value == 0 || value == 1 ? NULL : "is neither 0 nor 1";
    case RULE_CONTIG:
        return value >= 0 && (uint64_t)value < values->worker->check->ncontigs
                   ? NULL
                   : "is no index into contig_id";
    case RULE_POSITION:
        return value >= 0 ? NULL : "is negative";
    case RULE_GENOTYPE:
        return judge_call(values, k, value);
    case RULE_NONE:
        break;
    }
    return NULL;
}
