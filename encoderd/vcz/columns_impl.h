/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files columns*.c share.
 */
#ifndef VCZFS_VCZ_COLUMNS_IMPL_H
#define VCZFS_VCZ_COLUMNS_IMPL_H

#include "encoderd/vcz/columns.h"

/* Consecutive columns of the stored axis whose values go to consecutive places. */
struct run {
    uint64_t column, place, n;
};

struct column {
    const struct zarr_array *array; /* borrowed */
    struct decoder *decoder;        /* borrowed */
    /* Every array is (variants, a, b): axes that it lacks have length 1. */
    uint64_t a, b, chunk_rows, chunk_a, chunk_b;
    struct run *runs; /* owned; ascending columns */
    size_t nruns;
    uint64_t row_values; /* wanted per variant */
    size_t size;         /* bytes of a number; 0 for strings */
    uint64_t limit;
    column_judge *judge; /* NULL: none */
    void *judge_arg;
    /* Numbers: variants [begin, end) as stored; only wanted elements, in the wanted order. */
    uint8_t *slab;
    uint64_t slab_rows, begin, end;
    /* Strings: nchunks_a × nchunks_b, one for each chunk of a row of chunks; only wanted chunks are
     * filled. */
    struct strings *strings;
    size_t strings_budget; /* of each */
    size_t nchunks_a, nchunks_b;
    bool loaded;
    uint64_t chunk;
};

static inline int column_name_store(const struct column *column, struct err *err)
{
    return err_name(err, "%s", store_path(column->array->store));
}

/* ---- columns_runs.c: which of the stored columns are wanted ---- */

/* samples: as column_new's; NULL: all columns, which set_axes has counted. */
int column_runs_init(struct column *column, const uint64_t *samples, uint64_t nsamples,
                     struct err *err);

/* Finds the runs that overlap chunk `chunk_a` of the second axis; false if there are none. */
bool column_runs_find(const struct column *column, uint64_t chunk_a, size_t *begin, size_t *end);

/* The part of a run inside columns [begin, end); false if it has none. */
bool column_run_clip(const struct run *run, uint64_t begin, uint64_t end, struct run *out);

/* ---- columns_slab.c: numbers as they are stored ---- */

int column_slab_init(struct column *column, size_t budget, struct err *err);

/* The rows in the slab from `variant` on: *data, and their number (at most n). */
int column_slab_rows(struct column *column, uint64_t variant, uint64_t n, const uint8_t **data,
                     uint64_t *nrows, struct err *err);

/* ---- columns_strings.c ---- */

int column_strings_init(struct column *column, size_t budget, struct err *err);

#endif
