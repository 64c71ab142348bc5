/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_walk.h"

#include "common/cleanup.h"
#include "common/parallel.h"
#include "encoderd/check/check_chunk.h"
#include "encoderd/check/check_counts.h"
#include "encoderd/check/check_pieces.h"
#include "encoderd/check/check_progress.h"
#include "encoderd/vcz/holes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How many rows of genotype chunks are judged if few are stored. */
#define JUDGED_MAX 16

struct check_walk {
    struct check *check;
    const struct pass_means *means;
    struct check_pieces pieces;
    uint64_t *nabsent; /* for each array: the number of its chunks that are not stored */
    struct check_progress progress;
};

struct found {
    struct check_totals totals;
    struct call_counts counts;
    struct problems problems;
};

static int walk_start(void *arg, void **worker, struct err *err)
{
    const struct check_walk *walk = arg;

    *worker = check_worker_new(walk->check, walk->means->scratch_max, err);
    return *worker != NULL ? 0 : -1;
}

static void walk_stop(void *arg, void *worker)
{
    (void)arg;
    check_worker_free(worker);
}

static int walk_make(void *arg, void *worker, uint64_t i, void **piece, struct err *err)
{
    const struct check_walk *walk = arg;
    struct found *found = calloc(1, sizeof *found);
    struct check_piece at;

    if (found == NULL)
        return err_nomem(err, "a check");
    at = check_piece_at(&walk->pieces, i);
    if (at.nlike > 0)
        check_chunk(worker, walk->check->arrays[at.array], at.index, &found->totals, &found->counts,
                    &found->problems);
    *piece = found;
    return 0;
}

static void walk_discard(void *arg, void *piece)
{
    struct found *found = piece;

    (void)arg;
    problems_clear(&found->problems);
    free(found->counts.values);
    free(found);
}

/* Counts are compared only if every chunk of genotypes could be read. */
static int take_counts(struct check *check, size_t array, const uint64_t *index,
                       struct found *found, struct err *err)
{
    if (check->counts == NULL || strcmp(check->arrays[array]->name, "call_genotype") != 0)
        return 0;
    if (found->counts.values != NULL && found->problems.total == 0)
        return counts_take(check->counts, index, &found->counts, err);
    counts_stop(check->counts);
    return 0;
}

static void add_totals(const struct check_walk *walk, const struct check_piece *at,
                       const struct check_totals *found)
{
    struct check_totals *sum = &walk->check->totals;

    walk->nabsent[at->array] += found->nabsent * at->nlike;
    sum->nchunks += found->nchunks * at->nlike;
    sum->nabsent += found->nabsent * at->nlike;
    sum->bytes_read += found->bytes_read;
    sum->bytes_decoded += found->bytes_decoded;
    sum->nwithout_alt += check_piece_times(&walk->pieces, at, found->nwithout_alt);
    sum->nzero_ploidy += check_piece_times(&walk->pieces, at, found->nzero_ploidy);
}

static int walk_take(void *arg, uint64_t i, void *piece, struct err *err)
{
    struct check_walk *walk = arg;
    struct found *found = piece;
    const struct check_piece at = check_piece_at(&walk->pieces, i);
    const int rc = take_counts(walk->check, at.array, at.index, found, err);

    add_totals(walk, &at, &found->totals);
    problems_move(&found->problems, &walk->check->problems);
    walk_discard(arg, found);
    return rc != 0 ? -1 : check_progress_chunk(&walk->progress, at.array, i, err);
}

/* Judges some of the rows of chunks that are not completely stored, as a mount does when a reader
 * comes to one; more rows than holes_look_calls looks for in a directory. */
static int judge_calls(const struct check *check, const struct claim *claim, struct err *err)
{
    const struct zarr_meta *meta = &check->vcz->genotype->meta;
    const uint64_t width = stored_objects_along(meta, 1) * stored_objects_along(meta, 2);
    uint64_t row = 0;

    for (unsigned n = 0; n < JUDGED_MAX; n++, row++) {
        row = stored_objects_gap(&claim->stored, row * width) / width;
        if (row >= stored_objects_along(meta, 0))
            return 0;
        if (holes_judge(check->vcz->holes, row * meta->sharding.chunks[0], err) != 0)
            return -1;
    }
    return 0;
}

/* Leaves out the checks that go from variant to variant if most variants are only claimed.
 * Positions show that: a position is never the fill value, so it must be stored. Contigs, IDs and
 * genotypes may all be the fill value. */
static void see_sparse(struct check *check, const struct claim *claims)
{
    struct err why = {0};

    for (size_t a = 0; a < check->narrays; a++) {
        const char *name = check->arrays[a]->name;

        if (!claims[a].sparse)
            continue;
        if (strcmp(name, "variant_position") == 0) {
            check->sites_sparse = true;
        } else if (strcmp(name, "call_genotype") == 0 && check->counts != NULL) {
            counts_free(check->counts);
            check->counts = NULL;
            problems_add(&check->remarks, name, "",
                         "next to none of it is stored: the store's own counts (variant_AC, "
                         "variant_AN, variant_NS) are not all compared with it");
            if (holes_look_calls(check->vcz->holes, NULL, &why) != 0 ||
                judge_calls(check, &claims[a], &why) != 0)
                problems_add(&check->problems, name, "", "%s", why.msg);
        }
    }
}

/* A chunk may legally be absent, but it may also have been lost: so it is a remark. */
static void remark_absent(struct check *check, const struct check_walk *walk)
{
    for (size_t a = 0; a < check->narrays; a++)
        if (walk->nabsent[a] > 0)
            problems_add(&check->remarks, check->arrays[a]->name, "",
                         "%" PRIu64 " of %" PRIu64
                         " chunks are not stored: they read as the fill value",
                         walk->nabsent[a], walk->pieces.claims[a].nchunks);
}

/* Some tools write deletions without an ALT in this way, and plink2 accepts them. */
static void remark_without_alt(struct check *check)
{
    const uint64_t n = check->totals.nwithout_alt;

    if (n > 0)
        problems_add(&check->remarks, "call_genotype", "",
                     "%" PRIu64 " value%s allele 1 of a site that has no ALT: shown as such, with "
                     "\".\" for the ALT",
                     n, n == 1 ? " is" : "s are");
}

/* Some tools write this if a sample does not have the chromosome. */
static void remark_zero_ploidy(struct check *check)
{
    const uint64_t n = check->totals.nzero_ploidy;

    if (n > 0)
        problems_add(&check->remarks, "call_genotype", "",
                     "%" PRIu64 " call%s of no alleles, missing or not, but of fill values (-2) "
                     "alone: shown as missing",
                     n, n == 1 ? " is" : "s are");
}

static int visit_chunks(struct check_walk *walk, struct err *err)
{
    struct check *check = walk->check;
    const struct parallel_job job = {.npieces = walk->pieces.first[check->narrays],
                                     .nthreads = walk->means->nthreads,
                                     .start = walk_start,
                                     .stop = walk_stop,
                                     .make = walk_make,
                                     .take = walk_take,
                                     .discard = walk_discard,
                                     .arg = walk};
    int rc = check_progress_begin(&walk->progress, check, walk->means, walk->pieces.first, err);

    if (rc == 0 && job.npieces > 0)
        rc = parallel_run(&job, err);
    check_progress_end(&walk->progress);
    return rc;
}

static int run_walk(struct check_walk *walk, struct err *err)
{
    struct check *check = walk->check;

    if (walk->nabsent == NULL)
        return err_nomem(err, "a check");
    if (check_pieces_init(&walk->pieces, check, err) != 0)
        return -1;
    see_sparse(check, walk->pieces.claims);
    if (visit_chunks(walk, err) != 0)
        return -1;
    remark_absent(check, walk);
    remark_without_alt(check);
    remark_zero_ploidy(check);
    return 0;
}

int check_walk(struct check *check, const struct pass_means *means, struct err *err)
{
    AUTO_FREE uint64_t *nabsent = calloc(check->narrays + 1, sizeof *nabsent);
    struct check_walk walk = {.check = check, .means = means, .nabsent = nabsent};
    const int rc = run_walk(&walk, err);

    check_pieces_clear(&walk.pieces);
    return rc;
}
