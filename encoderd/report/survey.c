/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/survey.h"

#include "common/buf.h"
#include "encoderd/format/refuse.h"

#include <stdlib.h>
#include <string.h>

#define POSITION_MAX INT64_C(2147483646)

/* IDs are compared as hashes, 8 bytes each. */
#define IDS_MAX (UINT64_C(4) << 20)

/* If there are more runs than this, the order is certainly broken. */
#define RUNS_MAX (UINT64_C(1) << 20)

_Static_assert(SURVEY_PLACE_MAX == REFUSE_PLACE_MAX, "places are copied");

/* What the next variant is held against. */
struct neighbour {
    uint64_t contig;
    int64_t position;
    uint64_t id; /* 0: none */
};

/* Facts about a range of rows: counts within it, and its first and last variant. */
struct survey_range {
    struct buf runs; /* of struct survey_run */
    struct buf ids;  /* of uint64_t */
    bool any;        /* there is a row */
    uint64_t nunnamed, nsame_id;
    struct survey_count unsorted, far;
    struct neighbour first, last;
    char first_place[SURVEY_PLACE_MAX];
};

struct surveying {
    const struct vcz *vcz;
    struct survey *out;
    struct buf runs, ids;
    uint64_t nids;
    bool any; /* there was a row */
    struct neighbour last;
};

static uint64_t hash_of(const struct str *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text->len; i++)
        hash = (hash ^ (uint8_t)text->at[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    return hash != 0 ? hash : 1;
}

static void count_site(struct survey_count *count, const struct site *site)
{
    if (count->n++ == 0)
        refuse_show_place(site, count->first);
}

static void add_count(struct survey_count *sum, const struct survey_count *more)
{
    if (sum->n == 0 && more->n > 0)
        memcpy(sum->first, more->first, sizeof sum->first);
    sum->n += more->n;
}

static bool is_unsorted(const struct neighbour *before, const struct neighbour *at)
{
    return before->contig == at->contig && at->position < before->position;
}

static bool has_same_id(const struct neighbour *before, const struct neighbour *at)
{
    return at->id != 0 && at->id == before->id;
}

/* Lengthens the last run, or adds a new one. */
static void add_run(struct buf *runs, const struct survey_run *run)
{
    struct survey_run *last =
        runs->len > 0 ? (struct survey_run *)(void *)(runs->data + runs->len) - 1 : NULL;

    if (last == NULL || last->contig != run->contig) {
        buf_append(runs, run, sizeof *run);
        return;
    }
    last->nrows += run->nrows;
    if (run->least < last->least)
        last->least = run->least;
}

static int look_at(const struct site *site, const struct output_row *row, void *arg_piece,
                   void *arg, struct err *err)
{
    struct survey_range *piece = arg_piece;
    const bool named = !(site->id.len == 1 && site->id.at[0] == '.');
    const struct neighbour at = {(uint64_t)site->contig_index, site->position,
                                 named ? hash_of(&site->id) : 0};
    const struct survey_run run = {at.contig, row->index, 1, at.position};

    (void)arg;
    (void)err;
    if (!piece->any) {
        piece->first = at;
        refuse_show_place(site, piece->first_place);
    } else {
        if (is_unsorted(&piece->last, &at))
            count_site(&piece->unsorted, site);
        piece->nsame_id += has_same_id(&piece->last, &at);
    }
    if (site->position > POSITION_MAX)
        count_site(&piece->far, site);
    if (named)
        buf_append(&piece->ids, &at.id, sizeof at.id);
    piece->nunnamed += !named;
    add_run(&piece->runs, &run);
    piece->any = true;
    piece->last = at;
    return 0;
}

/* Compares the range's first variant with the last one before it. */
static void take_first(struct surveying *surveying, struct survey_range *piece)
{
    struct survey_count unsorted = {.n = 1};

    if (!surveying->any) {
        surveying->out->first_position = piece->first.position;
        return;
    }
    if (is_unsorted(&surveying->last, &piece->first)) {
        memcpy(unsorted.first, piece->first_place, sizeof unsorted.first);
        add_count(&surveying->out->unsorted, &unsorted);
    }
    piece->nsame_id += has_same_id(&surveying->last, &piece->first);
}

static void take_runs(struct surveying *surveying, const struct survey_range *piece)
{
    const struct survey_run *runs = (const void *)piece->runs.data;

    for (size_t i = 0; i < piece->runs.len / sizeof *runs; i++) {
        surveying->out->contig_nrows[runs[i].contig] += runs[i].nrows;
        if (surveying->runs.len / sizeof *runs < RUNS_MAX)
            add_run(&surveying->runs, &runs[i]);
    }
}

static int take(void *arg_piece, void *arg, struct err *err)
{
    struct survey_range *piece = arg_piece;
    struct surveying *surveying = arg;
    struct survey *out = surveying->out;

    if (!piece->any)
        return 0;
    take_first(surveying, piece);
    take_runs(surveying, piece);
    surveying->nids += piece->ids.len / sizeof(uint64_t);
    if (surveying->nids <= IDS_MAX)
        buf_append(&surveying->ids, piece->ids.data, piece->ids.len);
    add_count(&out->unsorted, &piece->unsorted);
    add_count(&out->far, &piece->far);
    out->nunnamed += piece->nunnamed;
    out->nsame_id += piece->nsame_id;
    surveying->any = true;
    surveying->last = piece->last;
    if (piece->runs.failed || piece->ids.failed || surveying->runs.failed || surveying->ids.failed)
        return err_nomem(err, "what is known of the variants of %s",
                         store_path(surveying->vcz->store));
    return 0;
}

static void clear_piece(void *arg_piece)
{
    struct survey_range *piece = arg_piece;

    buf_free(&piece->runs);
    buf_free(&piece->ids);
}

static int compare_ids(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void compare_all(struct surveying *surveying)
{
    uint64_t *ids = (uint64_t *)(void *)surveying->ids.data;

    surveying->out->all_compared = surveying->nids <= IDS_MAX;
    if (!surveying->out->all_compared || surveying->nids == 0)
        return;
    qsort(ids, (size_t)surveying->nids, sizeof *ids, compare_ids);
    surveying->out->nsame_id = 0;
    for (uint64_t i = 1; i < surveying->nids; i++)
        surveying->out->nsame_id += ids[i] == ids[i - 1];
}

int survey_make(const struct selection *selection, const struct pass_means *means,
                struct survey *out, struct err *err)
{
    struct surveying surveying = {.vcz = selection->vcz, .out = out};
    const struct pass pass = {
        .vcz = selection->vcz,
        .rows = &selection->rows,
        .what = "looking at sites",
        .parts = VCZ_PLACES | VCZ_IDS,
        .piece_size = sizeof(struct survey_range),
        .site = look_at,
        .take = take,
        .clear = clear_piece,
        .arg = &surveying,
    };
    int rc;

    out->contig_nrows = calloc(selection->vcz->contigs.nitems + 1, sizeof *out->contig_nrows);
    if (out->contig_nrows == NULL)
        return err_nomem(err, "the contigs of %s", store_path(selection->vcz->store));
    rc = pass_run(&pass, means, err);
    out->runs = (struct survey_run *)(void *)surveying.runs.data;
    out->nruns = surveying.runs.len / sizeof *out->runs;
    if (rc == 0)
        compare_all(&surveying);
    buf_free(&surveying.ids);
    return rc;
}

void survey_clear(struct survey *survey)
{
    free(survey->runs);
    free(survey->contig_nrows);
    *survey = (struct survey){0};
}
