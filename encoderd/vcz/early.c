/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/early.h"

#include "common/size.h"
#include "encoderd/vcz/ahead.h"

#include <stdlib.h>

enum { SAMPLE_IDS, CONTIG_IDS, POSITIONS, CONTIGS, ALLELES, IDS, NARRAYS };

static const struct {
    const char *name;
    unsigned ndim;
} wanted[NARRAYS] = {
    [SAMPLE_IDS] = {"sample_id", 1},       [CONTIG_IDS] = {"contig_id", 1},
    [POSITIONS] = {"variant_position", 1}, [CONTIGS] = {"variant_contig", 1},
    [ALLELES] = {"variant_allele", 2},     [IDS] = {"variant_id", 1},
};

struct early {
    struct zarr_array *arrays[NARRAYS]; /* owned; NULL: not to be read */
    uint64_t nvariants, stride;
    struct ahead *ahead;
};

/* What is wrong with an array is said by whoever opens it for its contents. */
static struct zarr_array *open_array(const struct zarr_group *group, unsigned i)
{
    struct zarr_array *array = NULL;
    struct err why = {0};

    if (zarr_array_open(group, wanted[i].name, &array, &why) != 0 || array == NULL)
        return NULL;
    if (array->meta.ndim == wanted[i].ndim)
        return array;
    zarr_array_free(array);
    return NULL;
}

static void drop(struct zarr_array **array)
{
    zarr_array_free(*array);
    *array = NULL;
}

static void open_arrays(struct early *early, const struct zarr_group *group, bool sites)
{
    const unsigned n = sites ? NARRAYS : POSITIONS;

    for (unsigned i = 0; i < n; i++)
        early->arrays[i] = open_array(group, i);
    if (early->arrays[POSITIONS] != NULL)
        early->nvariants = early->arrays[POSITIONS]->meta.shape[0];
    for (unsigned i = POSITIONS; i < n; i++)
        if (early->arrays[i] != NULL && early->arrays[i]->meta.shape[0] != early->nvariants)
            drop(&early->arrays[i]);
    early->stride = early->arrays[POSITIONS] != NULL ? early->arrays[POSITIONS]->meta.chunk[0] : 1;
}

static void range_variants(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    const struct early *early = arg;

    *begin = i * early->stride;
    *end = *begin + size_min(early->stride, early->nvariants - *begin);
}

struct early *early_begin(const struct zarr_group *group, const struct store *store,
                          struct chunk_table *table, bool sites)
{
    struct early *early = store_is_far(store) ? calloc(1, sizeof *early) : NULL;

    if (early == NULL)
        return NULL;
    open_arrays(early, group, sites);
    const struct ahead_plan plan = {
        .table = table,
        .whole = {early->arrays[SAMPLE_IDS], early->arrays[CONTIG_IDS]},
        .arrays = {early->arrays[CONTIGS], early->arrays[POSITIONS], early->arrays[ALLELES],
                   early->arrays[IDS]},
        .nranges = size_div_up(early->nvariants, early->stride),
        .range = range_variants,
        .arg = early,
    };

    early->ahead = ahead_begin(&plan);
    return early;
}

void early_end(struct early *early)
{
    if (early == NULL)
        return;
    ahead_end(early->ahead);
    for (unsigned i = 0; i < NARRAYS; i++)
        zarr_array_free(early->arrays[i]);
    free(early);
}
