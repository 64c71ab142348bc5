/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/pass.h"

#include "common/parallel.h"
#include "common/size.h"
#include "encoderd/vcz/ahead.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* Ranges of tiny chunks are joined, so that each is worth handing to a thread; but not more than
 * some chunks of an array, because each takes opening, and the read-ahead covers a few ranges. */
#define RANGE_MIN    UINT64_C(4096)
#define RANGE_CHUNKS UINT64_C(64)

/* Ranges of huge chunks are split. What a range yields, up to SITE_NBYTES a site, is held until it
 * is taken in order, and there may be twice as many such ranges as threads. */
#define RANGE_MAX   UINT64_C(65536)
#define SITE_NBYTES 32

#define PROGRESS_INTERVAL_NS INT64_C(50000000)

struct pass_run {
    const struct pass *pass;
    const struct pass_means *means;
    struct row_map every; /* the rows if the pass names none; owns nothing */
    const struct row_map *rows;
    uint64_t stride;           /* variants a range; chunks begin and end at its multiples */
    struct chunk_table *table; /* shared by all readers */
    struct ahead *ahead;
    uint64_t nparts;               /* ranges that each stride is split into */
    struct pass_progress progress; /* in rows; written by take only */
};

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The rows of range i are [*begin, *end). */
static void range_rows(const struct pass_run *run, uint64_t i, uint64_t *begin, uint64_t *end)
{
    const uint64_t part = size_div_up(run->stride, run->nparts);
    const uint64_t whole = i / run->nparts * run->stride;
    const uint64_t whole_end = size_min(run->pass->vcz->nvariants, whole + run->stride);
    const uint64_t first = size_min(whole_end, whole + i % run->nparts * part);
    const uint64_t last = size_min(whole_end, first + part);

    *begin = row_map_lower_bound(run->rows, 0, first);
    *end = row_map_lower_bound(run->rows, 0, last);
}

static unsigned parts_read(const struct pass *pass)
{
    return pass->parts != 0 ? pass->parts : VCZ_SITES;
}

static int worker_start(void *arg, void **worker, struct err *err)
{
    const struct pass_run *run = arg;
    struct sites_reader *reader =
        sites_reader_of(run->pass->vcz, parts_read(run->pass), run->means->scratch_max, err);

    *worker = reader;
    if (reader == NULL)
        return -1;
    sites_reader_share(reader, run->table);
    return 0;
}

static void worker_stop(void *arg, void *worker)
{
    (void)arg;
    sites_reader_free(worker);
}

static void piece_discard(void *arg, void *piece)
{
    const struct pass_run *run = arg;

    if (piece != NULL && run->pass->clear != NULL)
        run->pass->clear(piece);
    free(piece);
}

static int look_at_rows(const struct pass_run *run, struct sites_reader *reader, uint64_t begin,
                        uint64_t end, void *piece, struct err *err)
{
    const struct pass *pass = run->pass;
    struct row_cursor row = row_map_from(run->rows, begin);

    for (; row.at.index < end; row_cursor_next(&row)) {
        struct site site;

        if (sites_get(reader, row.at.variant, &site, err) != 0 ||
            pass->site(&site, &row.at, piece, pass->arg, err) != 0)
            return -1;
    }
    return 0;
}

static int piece_make(void *arg, void *worker, uint64_t i, void **out, struct err *err)
{
    struct pass_run *run = arg;
    uint64_t begin, end;
    void *piece;

    *out = NULL;
    ahead_reached(run->ahead, i);
    range_rows(run, i, &begin, &end);
    if (begin == end)
        return 0;
    piece = calloc(1, run->pass->piece_size + 1);
    if (piece == NULL)
        return err_nomem(err, "%s", run->pass->what);
    if (look_at_rows(run, worker, begin, end, piece, err) != 0) {
        piece_discard(run, piece);
        return -1;
    }
    *out = piece;
    return 0;
}

int pass_progress_add(struct pass_progress *progress, uint64_t done, struct err *err)
{
    const struct pass_means *means = progress->means;
    int64_t now;

    progress->done += done;
    if (means->progress == NULL)
        return 0;
    now = now_ns();
    if (progress->last_said_ns == 0)
        progress->last_said_ns = now;
    if (progress->done < progress->total && now - progress->last_said_ns < PROGRESS_INTERVAL_NS)
        return 0;
    progress->last_said_ns = now;
    if (means->progress(progress->what, progress->done, progress->total, means->progress_arg) != 0)
        return err_set(err, ERR_PEER, "stopped while %s: nobody waits for it any more",
                       progress->what);
    return 0;
}

uint64_t pass_stride(uint64_t chunk)
{
    return chunk < RANGE_MIN ? chunk * size_min(size_div_up(RANGE_MIN, chunk), RANGE_CHUNKS)
                             : chunk;
}

static int piece_take(void *arg, uint64_t i, void *piece, struct err *err)
{
    struct pass_run *run = arg;
    uint64_t begin, end;
    int rc;

    if (piece == NULL)
        return 0;
    rc = run->pass->take(piece, run->pass->arg, err);
    piece_discard(run, piece);
    range_rows(run, i, &begin, &end);
    return rc != 0 ? -1 : pass_progress_add(&run->progress, end - begin, err);
}

/* The variants from the first row to the last row of range i. */
static void range_variants(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    const struct pass_run *run = arg;
    uint64_t first, last;

    range_rows(run, i, &first, &last);
    *begin = *end = 0;
    if (first == last)
        return;
    *begin = row_map_at(run->rows, first).variant;
    *end = row_map_at(run->rows, last - 1).variant + 1;
}

static struct ahead *read_ahead(const struct pass_run *run, uint64_t nranges)
{
    const struct vcz *vcz = run->pass->vcz;
    const unsigned parts = parts_read(run->pass);
    const struct ahead_plan plan = {
        .table = run->table,
        .arrays = {(parts & VCZ_PLACES) != 0 ? vcz->contig : NULL,
                   (parts & VCZ_PLACES) != 0 ? vcz->position : NULL,
                   (parts & VCZ_ALLELES) != 0 ? vcz->allele : NULL,
                   (parts & VCZ_IDS) != 0 ? vcz->id : NULL},
        .nranges = nranges,
        .range = range_variants,
        .arg = run,
    };

    return ahead_begin(&plan);
}

int pass_run(const struct pass *pass, const struct pass_means *means, struct err *err)
{
    struct pass_run run = {
        .pass = pass,
        .means = means,
        .stride = size_min(pass_stride(sites_stride(pass->vcz)), pass->vcz->nvariants),
        .rows = pass->rows != NULL ? pass->rows : &run.every,
        .progress = {.means = means, .what = pass->what},
    };
    struct parallel_job job = {
        .nthreads = means->nthreads,
        .start = worker_start,
        .stop = worker_stop,
        .make = piece_make,
        .take = piece_take,
        .discard = piece_discard,
        .arg = &run,
    };
    int rc;

    row_map_init_all(&run.every, pass->vcz->nvariants);
    run.progress.total = row_map_nrows(run.rows);
    if (run.progress.total == 0)
        return pass_progress_add(&run.progress, 0, err);
    run.nparts = size_div_up(run.stride, size_max(RANGE_MAX, means->scratch_max / SITE_NBYTES));
    job.npieces = size_div_up(pass->vcz->nvariants, run.stride) * run.nparts;
    run.progress.last_said_ns = now_ns();
    run.table = pass->vcz->table != NULL ? pass->vcz->table : chunk_table_new(err);
    if (run.table == NULL)
        return -1;
    run.ahead = read_ahead(&run, job.npieces);
    rc = parallel_run(&job, err);
    ahead_end(run.ahead);
    if (run.table != pass->vcz->table)
        chunk_table_free(run.table);
    return rc;
}
