/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_calls: compares holes in the genotypes with the store's own counts.
 */
#include "common/notices.h"
#include "common/size.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/holes_grid.h"
#include "encoderd/vcz/holes_state.h"
#include "encoderd/zarr/store/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The most names of genotype chunks that are looked up when a store is opened: in a directory, and
 * in an archive, which has a list of names. */
#define NAMES_MAX        UINT64_C(4096)
#define LISTED_NAMES_MAX (UINT64_C(1) << 20)
/* How many rows of chunks are judged when a store is opened; the others are judged when they are
 * read. */
#define JUDGED_AT_OPEN 16
/* How many variants of a row of chunks are counted: COUNTED_MIN, or more if they have no more than
 * COUNTED_NBYTES together. */
#define COUNTED_MIN    UINT64_C(8)
#define COUNTED_NBYTES (UINT64_C(64) << 20)
/* How many rows of chunks without holes must agree with the store's counts before the counts are
 * trusted, and how far from the hole they may be. */
#define TRUSTED_ROWS 2
#define TRUSTED_FAR  UINT64_C(64)

/* Keeps `said` for those `most` variants for which the store counts the most ALT alleles (if equal,
 * the earlier ones), and sets it to 0 for the others. */
static int compare_said(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

static int keep_most(double *said, uint64_t n, uint64_t most, struct err *err)
{
    AUTO_FREE double *sorted = NULL;

    if (n <= most)
        return 0;
    sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL)
        return err_nomem(err, "what is missing");
    memcpy(sorted, said, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_said);
    for (uint64_t i = 0, left = most; i < n; i++) {
        if (said[i] < sorted[most - 1] || left == 0)
            said[i] = 0;
        else
            left--;
    }
    return 0;
}

/* Finds the first variant in the row of chunks whose stored count differs from its genotypes, among
 * those that are worth counting; with `more`, only if the store counts more. *found is false if
 * there is none. */
static int find_difference(struct holes *holes, uint64_t vchunk, bool more, bool *found,
                           uint64_t *variant, struct err *err)
{
    const struct vcz *vcz = holes->vcz;
    const uint64_t length = vcz->genotype->meta.chunk[0], begin = vchunk * length;
    const uint64_t n = size_min(length, vcz->nvariants - begin);
    AUTO_FREE double *said = calloc(n + 1, sizeof *said);

    *found = false;
    if (said == NULL)
        return err_nomem(err, "what is missing");
    if (tallies_stored(holes->tallies, begin, n, said, err) != 0 ||
        keep_most(said, n,
                  size_max(COUNTED_MIN, COUNTED_NBYTES / (vcz->nsamples * vcz->ploidy + 1)),
                  err) != 0)
        return -1;
    for (uint64_t i = 0; i < n && !*found; i++) {
        enum tally tally = TALLY_AGREES;

        if (said[i] > 0 && tallies_compare(holes->tallies, begin + i, false, &tally, err) != 0)
            return -1;
        *found = more ? tally == TALLY_MORE : tally != TALLY_AGREES;
        *variant = begin + i;
    }
    return 0;
}

/* Compares the counts in a row of chunks, if it has no holes. */
static int try_trust(struct holes *holes, struct chunk_table *table, uint64_t v, unsigned *ntried,
                     struct err *err)
{
    struct hole_cell row;
    uint64_t variant;
    bool differs;

    if (v >= holes->vcz->genotype->meta.nchunks[0])
        return 0;
    if (holes_look_row(holes->vcz, table, v, &row, err) != 0)
        return -1;
    if (row.nabsent > 0)
        return 0;
    ++*ntried;
    if (find_difference(holes, v, false, &differs, &variant, err) != 0)
        return -1;
    if (differs)
        holes->trust = TRUST_NO;
    return 0;
}

/* Finds out whether the store's counts can be trusted. In many stores they are stale, for example
 * after samples were selected. */
static int find_trust(struct holes *holes, uint64_t vchunk, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    unsigned ntried = 0;

    for (uint64_t far = 1; far <= TRUSTED_FAR && ntried < TRUSTED_ROWS; far++)
        if ((holes->trust != TRUST_NO && far <= vchunk &&
             try_trust(holes, table, vchunk - far, &ntried, err) != 0) ||
            (holes->trust != TRUST_NO && try_trust(holes, table, vchunk + far, &ntried, err) != 0))
            return -1;
    if (holes->trust == TRUST_UNKNOWN)
        holes->trust = TRUST_YES;
    return 0;
}

static int open_tallies(struct holes *holes, struct err *err)
{
    if (holes->tallies_opened)
        return 0;
    if (tallies_open(holes->vcz, holes->scratch_max, &holes->tallies, err) != 0)
        return -1;
    holes->tallies_opened = true;
    return 0;
}

/* Decides whether a row of chunks with holes is bad. If nothing of it is stored, it is bad if the
 * store counts any ALT; if a part is stored, only if the store's counts can be trusted as well. */
static int judge_row(struct holes *holes, struct verdict *verdict, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    struct hole_cell row;

    if (open_tallies(holes, err) != 0)
        return -1;
    if (holes->tallies == NULL)
        return 0;
    if (holes_look_row(holes->vcz, table, verdict->vchunk, &row, err) != 0 ||
        find_difference(holes, verdict->vchunk, true, &verdict->bad, &verdict->variant, err) != 0)
        return -1;
    if (!verdict->bad || row.nstored == 0)
        return 0;
    if (holes->trust == TRUST_UNKNOWN && find_trust(holes, verdict->vchunk, err) != 0)
        return -1;
    verdict->bad = holes->trust == TRUST_YES;
    return 0;
}

static int refuse_calls(const struct vcz *vcz, const struct verdict *verdict, struct err *err)
{
    return store_fail(
        vcz->store, NULL, err, ERR_CORRUPT,
        "array call_genotype: chunk %" PRIu64
        " along the variants is not stored, or not for all samples, and its calls cannot "
        "be %s, as they would read: the store counts more ALT alleles of variant %" PRIu64
        " (variant_AC, variant_AF). It was not written, or not copied, to its end; write "
        "or copy it again" CURE,
        verdict->vchunk, holes_fill_text(&vcz->genotype->meta), verdict->variant);
}

int holes_judge(struct holes *holes, uint64_t vchunk, struct err *err)
{
    struct verdict *slot, verdict = {.vchunk = vchunk};
    int rc = 0;

    if (holes == NULL)
        return 0;
    slot = &holes->verdicts[vchunk % VERDICTS];
    pthread_mutex_lock(&holes->lock);
    if (slot->known && slot->vchunk == vchunk) {
        verdict = *slot;
    } else if ((rc = judge_row(holes, &verdict, err)) == 0) {
        verdict.known = true;
        *slot = verdict;
        tallies_trim(holes->tallies);
    }
    pthread_mutex_unlock(&holes->lock);
    return rc != 0 || !verdict.bad ? rc : refuse_calls(holes->vcz, &verdict, err);
}

bool holes_are_judged(struct holes *holes, uint64_t vchunk)
{
    const struct verdict *slot;
    bool judged;

    if (holes == NULL)
        return true;
    slot = &holes->verdicts[vchunk % VERDICTS];
    if (pthread_mutex_trylock(&holes->lock) != 0)
        return false;
    judged = slot->known && slot->vchunk == vchunk;
    pthread_mutex_unlock(&holes->lock);
    return judged;
}

int holes_judge_calls(void *holes, uint64_t vchunk, struct err *err)
{
    return holes_judge(holes, vchunk, err);
}

int holes_judge_lengths(void *holes, uint64_t vchunk, struct err *err)
{
    if (holes == NULL)
        return 0;
    return store_fail(
        ((const struct holes *)holes)->vcz->store, NULL, err, ERR_CORRUPT,
        "chunk %" PRIu64
        " of variant_length is not stored, and no variant has the length that it would "
        "read as: the store was not written, or not copied, to its end" CURE,
        vchunk);
}

/* How many rows of chunks are looked up side by side. */
#define ROWS_MAX UINT64_C(128)

struct rows_look {
    const struct vcz *vcz;
    struct chunk_table *table;
    uint64_t first;
    struct hole_cell rows[ROWS_MAX];
};

static int look_row(void *arg, uint64_t i, struct err *err)
{
    struct rows_look *look = arg;

    return holes_look_row(look->vcz, look->table, look->first + i, &look->rows[i], err);
}

int holes_look_calls(struct holes *holes, struct notices *notices, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    const struct zarr_meta *meta;
    uint64_t total, n, nabsent = 0, njudged = 0;
    struct rows_look look = {.table = table};

    if (holes == NULL || vcz_need(holes->vcz, VCZ_CALLS | VCZ_SAMPLES, NULL) != 0)
        return 0;
    meta = &holes->vcz->genotype->meta;
    if (!size_mul(meta->nchunks[0], meta->nchunks[1] * meta->nchunks[2], &total) ||
        total > (store_lists_names(holes->vcz->store) ? LISTED_NAMES_MAX : NAMES_MAX))
        return 0;
    look.vcz = holes->vcz;
    for (; look.first < meta->nchunks[0]; look.first += n) {
        n = size_min(ROWS_MAX, meta->nchunks[0] - look.first);
        if (store_each(holes->vcz->store, n, look_row, &look, err) != 0)
            return -1;
        for (uint64_t i = 0; i < n; i++) {
            nabsent += look.rows[i].nabsent;
            if (look.rows[i].nabsent > 0 && njudged++ < JUDGED_AT_OPEN &&
                holes_judge(holes, look.first + i, err) != 0)
                return -1;
        }
    }
    if (nabsent > 0 && notices != NULL)
        notices_add(notices,
                    "%s: %" PRIu64 " of %" PRIu64
                    " chunks of call_genotype are not stored: their calls are shown as %s. Some "
                    "writers leave out such chunks (bio2zarr with zarr-python 3.1); an incomplete "
                    "copy looks the same",
                    store_path(holes->vcz->store), nabsent, total, holes_fill_text(meta));
    return 0;
}
