/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/choose.h"

#include "common/parallel.h"
#include "common/size.h"
#include "encoderd/select/region_index.h"
#include "encoderd/select/types.h"
#include "encoderd/vcz/ahead.h"
#include "encoderd/vcz/columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The variants of one batch, unless an expression asks for fewer. */
#define BATCH_MAX UINT64_C(4096)

struct choosing {
    const struct vcz *vcz;
    const struct choice *choice;
    const struct pass_means *means;
    struct region_index index;
    struct rows *rows;
    struct chunk_table *table; /* shared by all batches */
    struct ahead *ahead;
    uint64_t stride;
    uint64_t batch_max;
    struct pass_progress progress;
};

/* One thread's. */
struct chooser {
    struct batch *batch;
    struct expr_eval *eval; /* NULL without an expression */
    uint8_t *keep;          /* per variant of the batch */
    uint8_t *pass;
    uint64_t most; /* limit of variants in a batch, besides struct choosing's batch_max */
};

/* The variants of one range that are kept. */
struct kept_variants {
    uint64_t n;
    uint64_t variants[];
};

bool choice_is_all(const struct choice *choice)
{
    return choice->regions == NULL && choice->targets == NULL && choice->include_types == 0 &&
           choice->exclude_types == 0 && choice->min_alleles == 0 && choice->max_alleles == 0 &&
           choice->expr == NULL;
}

static bool needs_alleles(const struct choice *choice)
{
    return choice->include_types != 0 || choice->exclude_types != 0 || choice->min_alleles != 0 ||
           choice->max_alleles != 0;
}

static int keep_by_regions(const struct regions *regions, struct batch *batch, uint8_t *keep,
                           struct err *err)
{
    const int64_t *contigs = batch_contigs(batch, err), *positions, *lengths;

    if (contigs == NULL)
        return -1;
    positions = batch_positions(batch, err);
    lengths = positions != NULL ? batch_lengths(batch, err) : NULL;
    if (lengths == NULL)
        return -1;
    for (uint64_t i = 0; i < batch->n; i++) {
        int64_t last;

        if (__builtin_add_overflow(positions[i], lengths[i] - 1, &last))
            last = INT64_MAX;
        keep[i] = keep[i] && regions_meet(regions, (uint64_t)contigs[i], positions[i], last);
    }
    return 0;
}

static int keep_by_targets(const struct choice *choice, struct batch *batch, uint8_t *keep,
                           struct err *err)
{
    const int64_t *contigs = batch_contigs(batch, err), *positions;

    if (contigs == NULL)
        return -1;
    positions = batch_positions(batch, err);
    if (positions == NULL)
        return -1;
    for (uint64_t i = 0; i < batch->n; i++)
        keep[i] = keep[i] && regions_meet(choice->targets, (uint64_t)contigs[i], positions[i],
                                          positions[i]) != choice->targets_outside;
    return 0;
}

static int keep_by_alleles(const struct choice *choice, struct batch *batch, uint8_t *keep,
                           struct err *err)
{
    const uint64_t slots = batch_allele_slots(batch);
    const unsigned *n;
    const struct str *alleles = batch_alleles(batch, &n, err);

    if (alleles == NULL)
        return -1;
    for (uint64_t i = 0; i < batch->n; i++) {
        unsigned types;

        if (!keep[i])
            continue;
        keep[i] = (choice->min_alleles == 0 || n[i] >= choice->min_alleles) &&
                  (choice->max_alleles == 0 || n[i] <= choice->max_alleles);
        if (!keep[i] || (choice->include_types == 0 && choice->exclude_types == 0))
            continue;
        types = types_of_site(alleles + i * slots, n[i]);
        keep[i] = (choice->include_types == 0 || (types & choice->include_types) != 0) &&
                  (types & choice->exclude_types) == 0;
    }
    return 0;
}

/* Shrinks the batch to what is still kept at its ends; false if nothing is. */
static bool narrow(const struct batch *batch, const uint8_t *keep, uint64_t *first, uint64_t *n)
{
    uint64_t begin = 0, end = batch->n;

    while (begin < end && !keep[begin])
        begin++;
    while (end > begin && !keep[end - 1])
        end--;
    *first = begin;
    *n = end - begin;
    return begin < end;
}

static int keep_by_expression(const struct choice *choice, struct chooser *chooser, uint64_t limit,
                              struct err *err)
{
    struct batch *batch = chooser->batch;
    const uint64_t begin = batch->begin;
    uint64_t first, n;

    if (!narrow(batch, chooser->keep, &first, &n))
        return 0;
    if (first != 0 || n != batch->n)
        batch_move(batch, begin + first, n, limit);
    if (expr_eval_run(chooser->eval, chooser->pass, err) != 0)
        return -1;
    for (uint64_t i = 0; i < n; i++)
        chooser->keep[first + i] =
            chooser->keep[first + i] && (chooser->pass[i] != 0) != choice->expr_excludes;
    return 0;
}

/* Decides about the current batch. Cheap tests come first, so that variants that they reject are
 * not read by the others. */
static int choose_batch(const struct choosing *choosing, struct chooser *chooser, uint64_t limit,
                        struct err *err)
{
    const struct choice *choice = choosing->choice;
    struct batch *batch = chooser->batch;
    uint64_t first, n;

    memset(chooser->keep, 1, batch->n);
    if (choice->regions != NULL && keep_by_regions(choice->regions, batch, chooser->keep, err) != 0)
        return -1;
    if (choice->targets != NULL && keep_by_targets(choice, batch, chooser->keep, err) != 0)
        return -1;
    if (!narrow(batch, chooser->keep, &first, &n))
        return 0;
    if (needs_alleles(choice) && keep_by_alleles(choice, batch, chooser->keep, err) != 0)
        return -1;
    return choice->expr != NULL ? keep_by_expression(choice, chooser, limit, err) : 0;
}

static void chooser_free(struct chooser *chooser)
{
    if (chooser == NULL)
        return;
    expr_eval_free(chooser->eval);
    batch_free(chooser->batch);
    free(chooser->keep);
    free(chooser->pass);
    free(chooser);
}

static int worker_start(void *arg, void **worker, struct err *err)
{
    const struct choosing *choosing = arg;
    struct chooser *chooser = calloc(1, sizeof *chooser);

    *worker = chooser;
    if (chooser == NULL)
        return err_nomem(err, "choosing variants");
    chooser->most = choosing->batch_max;
    chooser->keep = calloc(choosing->batch_max, 1);
    chooser->pass = calloc(choosing->batch_max, 1);
    chooser->batch =
        batch_new(choosing->vcz, choosing->batch_max, choosing->means->scratch_max, err);
    if (chooser->keep == NULL || chooser->pass == NULL)
        err_nomem(err, "choosing variants");
    if (chooser->batch != NULL)
        batch_share(chooser->batch, choosing->table);
    if (chooser->batch != NULL && choosing->choice->expr != NULL)
        chooser->eval = expr_eval_new(choosing->choice->expr, chooser->batch, err);
    if (chooser->keep != NULL && chooser->pass != NULL && chooser->batch != NULL &&
        (choosing->choice->expr == NULL || chooser->eval != NULL))
        return 0;
    chooser_free(chooser);
    *worker = NULL;
    return -1;
}

static void worker_stop(void *arg, void *worker)
{
    (void)arg;
    chooser_free(worker);
}

/* Returns where a batch that begins at `variant` must end: no string array is read across its
 * chunks. */
static uint64_t batch_end(const struct choosing *choosing, const struct chooser *chooser,
                          uint64_t variant, uint64_t end)
{
    const struct vcz *vcz = choosing->vcz;
    uint64_t chunk = vcz->allele->meta.chunk[0];

    end = size_min(end, variant + choosing->batch_max);
    end = size_min(end, variant - variant % chunk + chunk);
    return chooser->eval != NULL ? expr_eval_end(chooser->eval, variant, end) : end;
}

/* Chooses among the variants of one batch, from variant `at` on; *next is where it ended. If its
 * strings need more memory than is allowed, this batch and the following ones are shorter. */
static int choose_some(const struct choosing *choosing, struct chooser *chooser, uint64_t at,
                       uint64_t end, uint64_t *next, struct err *err)
{
    for (;;) {
        struct err why = {0};

        *next = size_min(batch_end(choosing, chooser, at, end), at + chooser->most);
        batch_move(chooser->batch, at, *next - at, end);
        if (choose_batch(choosing, chooser, end, &why) == 0)
            return 0;
        if ((why.code != ERR_BUDGET && why.code != ERR_MEMORY) || *next - at < 2) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        chooser->most = (*next - at) / 2;
    }
}

static struct kept_variants *piece_new(uint64_t most, struct err *err)
{
    struct kept_variants *piece = malloc(sizeof *piece + most * sizeof piece->variants[0]);

    if (piece == NULL)
        err_nomem(err, "choosing variants");
    else
        piece->n = 0;
    return piece;
}

static int piece_make(void *arg, void *worker, uint64_t i, void **out, struct err *err)
{
    const struct choosing *choosing = arg;
    struct chooser *chooser = worker;
    const uint64_t begin = i * choosing->stride;
    const uint64_t end = size_min(choosing->vcz->nvariants, begin + choosing->stride);
    struct kept_variants *piece = piece_new(end - begin, err);

    *out = NULL;
    if (piece == NULL)
        return -1;
    ahead_reached(choosing->ahead, i);
    for (uint64_t at = region_index_next(&choosing->index, begin, end), next; at < end;
         at = region_index_next(&choosing->index, next, end)) {
        if (choose_some(choosing, chooser, at, end, &next, err) != 0) {
            free(piece);
            return -1;
        }
        for (uint64_t k = 0; k < next - at; k++)
            if (chooser->keep[k])
                piece->variants[piece->n++] = at + k;
    }
    *out = piece;
    return 0;
}

static int piece_take(void *arg, uint64_t i, void *made, struct err *err)
{
    struct choosing *choosing = arg;
    struct kept_variants *piece = made;
    const uint64_t begin = i * choosing->stride;

    for (uint64_t k = 0; k < piece->n; k++)
        rows_keep(choosing->rows, piece->variants[k]);
    free(piece);
    return pass_progress_add(&choosing->progress,
                             size_min(choosing->stride, choosing->vcz->nvariants - begin), err);
}

static void piece_discard(void *arg, void *piece)
{
    (void)arg;
    free(piece);
}

/* Ranges hold whole chunks: two threads that share a chunk would decode it twice. */
static uint64_t choice_stride(const struct vcz *vcz, const struct choice *choice)
{
    uint64_t chunk = size_max(column_array_stride(vcz->position), column_array_stride(vcz->contig));

    if (needs_alleles(choice) || choice->regions != NULL)
        chunk = size_max(chunk, column_array_stride(vcz->allele));
    if (choice->expr != NULL)
        chunk = size_max(chunk, expr_stride(choice->expr));
    return pass_stride(chunk);
}

/* The variants of range i, from the first one on that the region index does not exclude. */
static void range_variants(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    const struct choosing *choosing = arg;

    *begin = i * choosing->stride;
    *end = size_min(choosing->vcz->nvariants, *begin + choosing->stride);
    *begin = region_index_next(&choosing->index, *begin, *end);
}

/* Reads ahead the arrays of the first test only: the other tests do not read variants that it
 * rejects. `length` is variant_length, or NULL. */
static struct ahead *read_ahead(const struct choosing *choosing, uint64_t nranges,
                                const struct zarr_array *length)
{
    const struct choice *choice = choosing->choice;
    const struct vcz *vcz = choosing->vcz;
    const bool places = choice->regions != NULL || choice->targets != NULL;
    struct ahead_plan plan = {
        .table = choosing->table, .nranges = nranges, .range = range_variants, .arg = choosing};

    if (places) {
        plan.arrays[0] = vcz->contig;
        plan.arrays[1] = vcz->position;
        plan.arrays[2] = length;
    } else if (needs_alleles(choice)) {
        plan.arrays[0] = vcz->allele;
    } else if (choice->expr != NULL) {
        plan.arrays[0] = expr_only_array(choice->expr);
    }
    return ahead_begin(&plan);
}

static int run(struct choosing *choosing, struct err *err)
{
    struct zarr_array *length = NULL;
    struct err why; /* ignored: a batch that needs the lengths reports it */
    int rc;

    struct parallel_job job = {
        .npieces = size_div_up(choosing->vcz->nvariants, choosing->stride),
        .nthreads = choosing->means->nthreads,
        .start = worker_start,
        .stop = worker_stop,
        .make = piece_make,
        .take = piece_take,
        .discard = piece_discard,
        .arg = choosing,
    };

    choosing->table = choosing->vcz->table != NULL ? choosing->vcz->table : chunk_table_new(err);
    if (choosing->table == NULL)
        return -1;
    if (choosing->choice->regions != NULL &&
        column_array_open(choosing->vcz, "variant_length", false, &length, &why) != 0)
        length = NULL;
    choosing->ahead = read_ahead(choosing, job.npieces, length);
    rc = parallel_run(&job, err);
    ahead_end(choosing->ahead);
    zarr_array_free(length);
    if (choosing->table != choosing->vcz->table)
        chunk_table_free(choosing->table);
    return rc;
}

int choose_rows(const struct vcz *vcz, const struct choice *choice, const struct pass_means *means,
                struct row_map *out, struct err *err)
{
    struct rows rows;
    struct choosing choosing = {
        .vcz = vcz,
        .choice = choice,
        .means = means,
        .rows = &rows,
        .batch_max =
            choice->expr != NULL ? size_min(BATCH_MAX, expr_batch_max(choice->expr)) : BATCH_MAX,
        .progress = {.means = means, .what = "choosing variants", .total = vcz->nvariants},
    };
    int rc = -1;

    if (vcz_need(vcz, VCZ_PLACES | VCZ_ALLELES, err) != 0 ||
        rows_init_none(&rows, vcz->nvariants, err) != 0)
        return -1;
    choosing.stride = choice_stride(vcz, choice);
    if (region_index_open(vcz, choice->regions, choice->targets_outside ? NULL : choice->targets,
                          means->scratch_max, &choosing.index, err) == 0)
        rc = run(&choosing, err);
    region_index_free(&choosing.index);
    if (rc == 0)
        rc = rows_finish(&rows, err);
    if (rc == 0)
        row_map_init(out, &rows);
    else
        rows_free(&rows);
    return rc;
}
