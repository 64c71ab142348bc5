/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_chunk_impl.h"

#include <stdlib.h>
#include <string.h>

static uint64_t call_rows(const struct vcz *vcz)
{
    return vcz->genotype->meta.chunk[0];
}

struct check_worker *check_worker_new(const struct check *check, size_t scratch_max,
                                      struct err *err)
{
    struct check_worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL) {
        err_nomem(err, "a check");
        return NULL;
    }
    worker->check = check;
    worker->nalleles_chunk = UINT64_MAX;
    worker->strings_budget = scratch_max / 4;
    worker->decoder = decoder_new(scratch_max, err);
    if (worker->decoder == NULL) {
        check_worker_free(worker);
        return NULL;
    }
    /* Without these the genotypes are still decoded, but not compared with the numbers of
     * alleles. */
    if (check->vcz != NULL && call_rows(check->vcz) <= scratch_max / sizeof *worker->nalleles) {
        worker->sites = sites_reader_new(check->vcz, scratch_max, NULL);
        worker->nalleles = calloc(call_rows(check->vcz), sizeof *worker->nalleles);
    }
    return worker;
}

void check_worker_free(struct check_worker *worker)
{
    if (worker == NULL)
        return;
    strings_free(&worker->strings);
    sites_reader_free(worker->sites);
    decoder_free(worker->decoder);
    free(worker->nalleles);
    free(worker);
}

static bool is_string(const struct zarr_array *array)
{
    return array->meta.dtype.kind == DTYPE_STRING || array->meta.dtype.kind == DTYPE_BYTES ||
           array->meta.dtype.kind == DTYPE_UCS4;
}

/* Checks all strings of the chunk, a part at a time. If the chunk is not stored, only the first
 * part is checked: all its strings are equal, and their number is only a claim of the metadata. */
static int check_strings(struct check_worker *worker, const struct zarr_array *array,
                         const uint64_t *index, struct check_totals *totals, struct err *err)
{
    const struct strings *strings = &worker->strings;
    bool absent = false;

    for (uint64_t k = 0; k < array->meta.chunk_elements && !absent;
         k = strings->first + strings->nitems) {
        if (zarr_chunk_strings_at(worker->decoder, array, index, k, 1, worker->strings_budget,
                                  &worker->strings, err) != 0)
            return -1;
        absent = strings->absent;
    }
    totals->nabsent += absent;
    return 0;
}

/* The report prints the array and the key. So this removes them from the message, and leaves the
 * place within a shard and what is wrong. */
static void add_failure(struct problems *problems, const struct zarr_array *array, const char *key,
                        const uint64_t *index, const struct err *err)
{
    const char *path = store_path(array->store);
    char label[CHUNK_LABEL_MAX];
    const char *place = label + strlen(key);

    chunk_label(array, index, label);
    if (err_is_about(err, "%s/%s", path, key) || err_is_about(err, "%s (%s)", key, path))
        problems_add(problems, array->name, key, "%s", err_what(err));
    else if (err_is_about(err, "%s (%s)", label, path))
        problems_add(problems, array->name, key, "%s: %s", place + strlen(", "), err_what(err));
    else
        problems_add(problems, array->name, key, "%s", err->msg);
}

void check_chunk(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 struct check_totals *totals, struct call_counts *counts, struct problems *problems)
{
    struct decoder_stats before, after;
    char key[ZARR_KEY_MAX];
    struct err err = {0};
    int rc;

    zarr_chunk_key(array, index, key);
    decoder_stats(worker->decoder, &before);
    if (is_string(array))
        rc = check_strings(worker, array, index, totals, &err);
    else
        rc = check_values(worker, array, index, key, totals, counts, problems, &err);
    if (rc != 0)
        add_failure(problems, array, key, index, &err);
    decoder_stats(worker->decoder, &after);
    totals->nchunks++;
    totals->bytes_read += after.bytes_read - before.bytes_read;
    totals->bytes_decoded += after.bytes_decoded - before.bytes_decoded;
}
