/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_chunk.h"

#include "common/size.h"
#include "encoderd/vcz/sites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct check_worker {
    const struct check *check;
    struct decoder *decoder;
    struct sites_reader *sites; /* NULL without a vcz */
    struct strings strings;
    size_t strings_budget;
    /* the chunk along the variants that `nalleles` is about; UINT64_MAX: none */
    uint64_t nalleles_chunk;
    uint32_t *nalleles; /* one for each row of a genotype chunk; owned, NULL without a vcz */
    bool nalleles_known;
};

/* What an array's values must be. */
enum rule {
    RULE_NONE,
    RULE_BOOL,     /* 0 or 1 */
    RULE_CONTIG,   /* an index into contig_id */
    RULE_POSITION, /* not negative */
    RULE_GENOTYPE, /* an allele of the site, missing (-1), or fill (-2) behind all alleles */
};

/* The state of a walk over a chunk's elements, block after block. */
struct values {
    struct check_worker *worker;
    const struct zarr_array *array;
    const uint64_t *index; /* of the chunk */
    enum rule rule;
    bool edge;             /* part of the chunk lies outside the array */
    uint64_t nfill;        /* fill values of the current call so far */
    uint64_t nbad;         /* values that break the rule */
    struct buf first;      /* the message about the first of them; terminated */
    uint64_t nwithout_alt; /* see check_totals */
    uint64_t nzero_ploidy;
    struct call_counts *counts; /* NULL: nothing is counted */
    bool has_data;              /* the call being walked */
};

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

static enum rule array_rule(const struct check *check, const struct zarr_array *array)
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

/* Loads the numbers of alleles of the chunk's variants. If they cannot be read, they stay unknown;
 * the check of the alleles reports that. */
static void load_nalleles(struct check_worker *worker, const struct zarr_array *array,
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

static int64_t element(const uint8_t *at, const struct dtype *dtype)
{
    const bool is_signed = dtype->kind == DTYPE_INT;
    uint16_t two;
    uint32_t four;
    int64_t eight;

    switch (dtype->size) {
    case 1:
        return is_signed ? (int8_t)*at : *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return is_signed ? (int16_t)two : two;
    case 4:
        memcpy(&four, at, sizeof four);
        return is_signed ? (int32_t)four : (int64_t)four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

/* Finds the place in the array of element k of the chunk; false if it is past the array's edge. */
static bool element_place(const struct values *values, uint64_t k, uint64_t *place)
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

/* Elements of a call that are in the chunk. */
static uint64_t call_slots(const struct values *values)
{
    const struct zarr_meta *meta = &values->array->meta;

    return size_min(meta->chunk[2], meta->shape[2] - values->index[2] * meta->chunk[2]);
}

/* Calls come in order, each a run of `ploidy` elements. */
static const char *judge_call(struct values *values, uint64_t k, int64_t value)
{
    const struct zarr_meta *meta = &values->array->meta;
    const struct check_worker *worker = values->worker;
    const uint64_t row = k / (meta->chunk[1] * meta->chunk[2]);

    if (k % meta->chunk[2] == 0)
        values->nfill = 0;
    if (value == VCZ_INT_FILL) {
        values->nfill++;
        values->nzero_ploidy += values->nfill == call_slots(values) && values->index[2] == 0;
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

/* What is wrong with the value, or NULL. */
static const char *judge(struct values *values, uint64_t k, int64_t value)
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

/* There is one problem for each chunk, with the first bad value and the number of bad values, so
 * that a chunk of garbage does not fill the report. */
static void note_bad(struct values *values, const uint64_t *place, int64_t value, const char *what)
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
static void count_value(struct values *values, uint64_t k, int64_t value)
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

static void walk_block(struct values *values, const struct block *block)
{
    const struct dtype *dtype = &values->array->meta.dtype;
    const uint64_t begin = block->begin / dtype->size;
    uint64_t place[ZARR_DIMS_MAX] = {0};

    for (uint64_t i = 0; i < block->nbytes / dtype->size; i++) {
        const int64_t value = element(block->data + i * dtype->size, dtype);
        const char *what;

        if (values->edge && !element_place(values, begin + i, place))
            continue;
        count_value(values, begin + i, value);
        what = judge(values, begin + i, value);
        if (what == NULL)
            continue;
        element_place(values, begin + i, place);
        note_bad(values, place, value, what);
    }
}

/* Judges one value, in place of nlike elements of the chunk that are equal to it. */
static void judge_at(struct values *values, uint64_t k, int64_t value, uint64_t nlike)
{
    const uint64_t without_alt = values->nwithout_alt;
    uint64_t place[ZARR_DIMS_MAX] = {0};
    const char *what;

    if (!element_place(values, k, place))
        return;
    what = judge(values, k, value);
    if (values->nwithout_alt > without_alt)
        values->nwithout_alt = without_alt + nlike;
    if (what == NULL)
        return;
    note_bad(values, place, value, what);
    values->nbad += nlike - 1;
}

/* The number of the chunk's elements that lie inside the array: of the whole chunk (from 0), or of
 * each of its rows (from 1). */
static uint64_t elements_inside(const struct values *values, unsigned from)
{
    const struct zarr_meta *meta = &values->array->meta;
    uint64_t n = 1;

    for (unsigned d = from; d < meta->ndim; d++)
        n *= size_min(meta->chunk[d], meta->shape[d] - values->index[d] * meta->chunk[d]);
    return n;
}

/* A chunk that is not stored has one value everywhere. It is judged once, or for genotypes once a
 * row, because only their validity depends on the row. */
static int walk_absent(struct values *values, struct chunk *chunk, struct err *err)
{
    const struct zarr_meta *meta = &values->array->meta;
    struct block block;
    uint64_t rows, row_elements;
    int64_t value;

    if (decoder_block(values->worker->decoder, chunk, 0, false, &block, err) != 0)
        return -1;
    if (values->rule == RULE_NONE)
        return 0;
    value = element(block.data, &meta->dtype);
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
        values->nzero_ploidy = rows * row_elements / call_slots(values);
    return 0;
}

static int walk_chunk(struct values *values, struct chunk *chunk, struct err *err)
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

static int check_values(struct check_worker *worker, const struct zarr_array *array,
                        const uint64_t *index, const char *key, struct check_totals *totals,
                        struct call_counts *counts, struct problems *problems, struct err *err)
{
    struct values values = {.worker = worker,
                            .array = array,
                            .index = index,
                            .rule = array_rule(worker->check, array),
                            .edge = is_edge(&array->meta, index)};
    struct chunk *chunk;
    int rc;

    if (decoder_chunk(worker->decoder, array, index, &chunk, err) != 0)
        return -1;
    totals->nabsent += chunk_is_absent(chunk);
    if (values.rule == RULE_GENOTYPE) {
        load_nalleles(worker, array, index[0]);
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
