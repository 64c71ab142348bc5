#include "encoderd/vcz/holes.h"

#include "common/cleanup.h"
#include "common/notices.h"
#include "common/size.h"
#include "encoderd/vcz/columns.h"
#include "encoderd/vcz/region_rows.h"
#include "encoderd/vcz/tallies.h"
#include "encoderd/vcz/text.h"
#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/meta/stored_objects.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define AUTO_TABLE  CLEANUP(free_table)
#define AUTO_STORED CLEANUP(stored_objects_clear)
#define CURE        "; with --absent-chunks fill it is shown so all the same"

/* Names of genotype chunks that are looked at when a store is opened: of a directory, and of an archive, whose
 * names are at hand. */
#define NAMES_MAX        UINT64_C(4096)
#define LISTED_NAMES_MAX (UINT64_C(1) << 20)
/* Chunks of samples that have none that is stored are looked for up to so many names. */
#define SAMPLES_NAMES_MAX (UINT64_C(1) << 18)
/* Chunks of a site array that are looked for one by one; of more, a list of what is stored is taken. */
#define SITE_NAMES_MAX UINT64_C(4096)
/* Rows of chunks that are judged when a store is opened; the others are when they are read. */
#define JUDGED_AT_OPEN 16
/* Variants of a row of chunks that are counted: so many, or as many as have so few bytes together. */
#define COUNTED_MIN    UINT64_C(8)
#define COUNTED_NBYTES (UINT64_C(64) << 20)
/* Rows of chunks, without holes, that show whether the store's counts can be trusted, and how far they are
 * looked for. */
#define TRUSTED_ROWS 2
#define TRUSTED_FAR  UINT64_C(64)
/* Stores of more variants than that have no samples of whom every call is REF. */
#define CONFIRMED_VARIANTS UINT64_C(20000)
#define NAMES_SHOWN        3
#define VERDICTS           1024

enum trust { TRUST_UNKNOWN, TRUST_NO, TRUST_YES };

struct verdict {
    uint64_t vchunk;
    bool known, bad;
    uint64_t variant; /* the one that cannot be, if bad */
};

struct holes {
    const struct vcz *vcz; /* borrowed */
    size_t scratch_max;
    pthread_mutex_t lock;    /* of all below */
    struct tallies *tallies; /* owned; NULL until needed, or if there are none */
    bool tallies_opened;
    enum trust trust;
    struct verdict verdicts[VERDICTS]; /* of the row of chunks n at n % VERDICTS */
};

int holes_new(const struct vcz *vcz, size_t scratch_max, struct holes **out, struct err *err)
{
    struct holes *holes = calloc(1, sizeof *holes);

    *out = holes;
    if (holes == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    holes->vcz = vcz;
    holes->scratch_max = scratch_max;
    pthread_mutex_init(&holes->lock, NULL);
    return 0;
}

void holes_free(struct holes *holes)
{
    if (holes == NULL)
        return;
    tallies_free(holes->tallies);
    pthread_mutex_destroy(&holes->lock);
    free(holes);
}

static void free_table(struct chunk_table **table)
{
    chunk_table_free(*table);
}

/* ---- Sites ---- */

/* A run of chunks along the variants, the first along other axes. */
struct run {
    uint64_t begin, end;
};

/* The next chunk that is absent, from `from` on, or their number: it costs what is stored. */
static int next_absent(const struct zarr_array *array, struct chunk_table *table, uint64_t from,
                       uint64_t *out, struct err *err)
{
    uint64_t index[ZARR_DIMS_MAX] = {from};
    bool stored = true;

    for (; index[0] < array->meta.nchunks[0]; index[0]++) {
        if (chunk_is_stored(table, array, index, &stored, err) != 0)
            return -1;
        if (!stored)
            break;
    }
    *out = index[0];
    return 0;
}

/* Of an array of one axis that claims many chunks, what is stored; of others, nothing is listed. */
static int list_objects(const struct zarr_array *array, struct stored_objects *list,
                        struct err *err)
{
    if (array->meta.ndim != 1 || array->meta.nchunks[0] <= SITE_NAMES_MAX)
        return 0;
    return stored_objects_list(array, list, err);
}

/* The first chunk from `from` on that the list does not rule out, or their number. */
static uint64_t skip_unlisted(const struct zarr_array *array, const struct stored_objects *list,
                              uint64_t from)
{
    const uint64_t each = array->meta.sharding.chunks[0], object = from / each;
    uint64_t next;

    if (!list->complete)
        return from;
    next = stored_objects_next(list, object, UINT64_MAX);
    if (next == object)
        return from;
    return next == UINT64_MAX ? array->meta.nchunks[0] : next * each;
}

/* The next run of absent chunks from `from` on; empty if there is none. `list`: see list_objects. */
static int next_hole(const struct zarr_array *array, struct chunk_table *table,
                     const struct stored_objects *list, uint64_t from, struct run *out,
                     struct err *err)
{
    uint64_t index[ZARR_DIMS_MAX] = {0};
    bool stored = false;

    if (next_absent(array, table, from, &out->begin, err) != 0)
        return -1;
    out->end = out->begin;
    while (!stored && out->end < array->meta.nchunks[0]) {
        index[0] = out->end = skip_unlisted(array, list, out->end + 1);
        if (index[0] < array->meta.nchunks[0] &&
            chunk_is_stored(table, array, index, &stored, err) != 0)
            return -1;
    }
    return 0;
}

static int refuse_hole(const struct zarr_array *array, uint64_t vchunk, const char *reads_as,
                       struct err *err)
{
    const uint64_t index[ZARR_DIMS_MAX] = {vchunk};
    char key[ZARR_KEY_MAX];

    zarr_chunk_key(array, index, key);
    return err_set(
        err, ERR_CORRUPT,
        "%s: %s%s is not stored, and %s: the store was not written, or not copied, to its "
        "end; write or copy it again" CURE,
        store_path(array->store), key,
        array->meta.sharding.nlevels > 0 ? ", or a chunk in it," : "", reads_as);
}

static int look_plain(const struct zarr_array *array, const char *reads_as, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    uint64_t absent;

    if (next_absent(array, table, 0, &absent, err) != 0)
        return -1;
    return absent == array->meta.nchunks[0] ? 0 : refuse_hole(array, absent, reads_as, err);
}

/* The contig of one variant, as stored or by the fill value. */
static int contig_at(const struct vcz *vcz, struct decoder *decoder, uint64_t variant, int64_t *out,
                     struct err *err)
{
    const uint64_t length = vcz->contig->meta.chunk[0], index[ZARR_DIMS_MAX] = {variant / length};

    return zarr_chunk_ints_at(decoder, vcz->contig, index, variant % length, 1, out, err);
}

/* Does the index have variants [begin, end), or a part of them, on another contig? */
static bool index_contradicts(const struct vcz *vcz, const struct region_rows *index,
                              uint64_t begin, uint64_t end, int64_t contig)
{
    const uint64_t length = vcz->position->meta.chunk[0];

    for (uint64_t i = 0; i < index->n; i++) {
        const int64_t *row = index->rows + i * INDEX_WIDTH;
        const uint64_t first = (uint64_t)row[INDEX_CHUNK] * length;

        if (first >= begin && size_min(first + length, vcz->nvariants) <= end &&
            row[INDEX_CONTIG] != contig)
            return true;
    }
    return false;
}

/* Contigs come in the order in which the store lists them, if nothing else is known. */
static int order_contradicts(const struct vcz *vcz, struct decoder *decoder, uint64_t begin,
                             uint64_t end, int64_t contig, bool *out, struct err *err)
{
    int64_t before = contig, after = contig;

    if ((begin > 0 && contig_at(vcz, decoder, begin - 1, &before, err) != 0) ||
        (end < vcz->nvariants && contig_at(vcz, decoder, end, &after, err) != 0))
        return -1;
    *out = before > contig || after < contig;
    return 0;
}

static int look_contig_hole(const struct vcz *vcz, struct decoder *decoder,
                            const struct region_rows *index, const struct run *hole,
                            struct err *err)
{
    const uint64_t length = vcz->contig->meta.chunk[0], begin = hole->begin * length;
    const uint64_t end = size_min(hole->end * length, vcz->nvariants);
    bool wrong = false;
    int64_t contig;

    if (contig_at(vcz, decoder, begin, &contig, err) != 0)
        return -1;
    if (index->rows != NULL)
        wrong = index_contradicts(vcz, index, begin, end, contig);
    else if (order_contradicts(vcz, decoder, begin, end, contig, &wrong, err) != 0)
        return -1;
    if (!wrong)
        return 0;
    return refuse_hole(vcz->contig, hole->begin,
                       index->rows != NULL ? "the region_index has its variants on another contig"
                                           : "its variants would be on a contig that cannot be "
                                             "there between those before and after them",
                       err);
}

static int look_contig(const struct holes *holes, struct err *err)
{
    CLEANUP(region_rows_free) struct region_rows index = {0};
    const struct vcz *vcz = holes->vcz;
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    AUTO_STORED struct stored_objects list = {0};
    struct decoder *decoder = NULL;
    struct run hole = {0};
    int rc;

    if (list_objects(vcz->contig, &list, err) != 0)
        return -1;
    while ((rc = next_hole(vcz->contig, table, &list, hole.end, &hole, err)) == 0 &&
           hole.begin < hole.end) {
        if (decoder == NULL) {
            decoder = decoder_new(holes->scratch_max, err);
            rc = decoder == NULL ? -1 : region_rows_open(vcz, holes->scratch_max, &index, err);
        }
        if (rc == 0)
            rc = look_contig_hole(vcz, decoder, &index, &hole, err);
        if (rc != 0)
            break;
    }
    decoder_free(decoder);
    return rc;
}

/* The variant after this one, or after all those that are not stored as it is not. */
static uint64_t next_unlike(const struct zarr_array *array, const struct stored_objects *list,
                            uint64_t variant)
{
    const uint64_t length = array->meta.chunk[0], chunk = variant / length;
    const uint64_t next = skip_unlisted(array, list, chunk);

    if (next == chunk)
        return variant + 1;
    return next == array->meta.nchunks[0] ? array->meta.shape[0] : next * length;
}

/* variant_id_mask says which variants have no ID: is there one that has? Not known without. */
static int hole_has_ids(const struct holes *holes, const struct run *hole, bool *out,
                        struct err *err)
{
    const struct vcz *vcz = holes->vcz;
    const uint64_t length = vcz->id->meta.chunk[0];
    const uint64_t end = size_min(hole->end * length, vcz->nvariants);
    AUTO_STORED struct stored_objects list = {0};
    struct zarr_array *mask = NULL;
    struct decoder *decoder = decoder_new(holes->scratch_max, err);
    struct column *column = NULL;
    int64_t none = 1;
    int rc = decoder == NULL ? -1 : column_array_open(vcz, "variant_id_mask", false, &mask, err);

    if (rc == 0 && mask != NULL && !column_array_is_string(mask) && mask->meta.ndim == 1)
        column = column_new(mask, NULL, 0, decoder, holes->scratch_max, err);
    if (column != NULL)
        rc = stored_objects_list(mask, &list, err);
    for (uint64_t v = hole->begin * length; rc == 0 && column != NULL && v < end && none != 0;
         v = next_unlike(mask, &list, v))
        rc = column_ints(column, v, 1, &none, err);
    *out = none == 0;
    column_free(column);
    zarr_array_free(mask);
    decoder_free(decoder);
    return rc;
}

static int look_id(const struct holes *holes, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    AUTO_STORED struct stored_objects list = {0};
    struct run hole = {0};
    bool has_ids;

    if (holes->vcz->id == NULL)
        return 0;
    if (list_objects(holes->vcz->id, &list, err) != 0)
        return -1;
    for (;;) {
        if (next_hole(holes->vcz->id, table, &list, hole.end, &hole, err) != 0)
            return -1;
        if (hole.begin == hole.end)
            return 0;
        if (hole_has_ids(holes, &hole, &has_ids, err) != 0)
            return -1;
        if (has_ids)
            return refuse_hole(holes->vcz->id, hole.begin,
                               "variant_id_mask says that its variants have IDs", err);
    }
}

const char *holes_site_array(unsigned i)
{
    static const char *const names[HOLES_SITE_ARRAYS] = {"variant_position", "variant_allele",
                                                         "variant_contig", "variant_id"};

    return names[i];
}

int holes_look_site(const struct holes *holes, unsigned i, struct err *err)
{
    static const unsigned parts[HOLES_SITE_ARRAYS] = {VCZ_PLACES, VCZ_ALLELES, VCZ_PLACES, VCZ_IDS};

    /* What is faulty anyhow has an error of its own. */
    if (holes == NULL || holes->vcz->nvariants == 0 || vcz_need(holes->vcz, parts[i], NULL) != 0)
        return 0;
    switch (i) {
    case 0:
        return look_plain(holes->vcz->position,
                          "its variants would have the fill value for a position", err);
    case 1:
        return look_plain(holes->vcz->allele, "its variants would have the fill value for a REF",
                          err);
    case 2:
        return look_contig(holes, err);
    default:
        return look_id(holes, err);
    }
}

int holes_look_sites(const struct holes *holes, struct err *err)
{
    for (unsigned i = 0; i < HOLES_SITE_ARRAYS; i++)
        if (holes_look_site(holes, i, err) != 0)
            return -1;
    return 0;
}

/* ---- Genotypes: what is there ---- */

/* Of one place in the grid of variants and samples, whose ploidy axis may be chunked. */
struct cell {
    unsigned nstored, nabsent;
};

static int look_cell(const struct vcz *vcz, struct chunk_table *table, uint64_t v, uint64_t s,
                     struct cell *cell, struct err *err)
{
    uint64_t index[ZARR_DIMS_MAX] = {v, s};
    bool stored;

    for (; index[2] < vcz->genotype->meta.nchunks[2]; index[2]++) {
        if (chunk_is_stored(table, vcz->genotype, index, &stored, err) != 0)
            return -1;
        if (stored)
            cell->nstored++;
        else
            cell->nabsent++;
    }
    return 0;
}

static int look_row(const struct vcz *vcz, struct chunk_table *table, uint64_t v, struct cell *row,
                    struct err *err)
{
    *row = (struct cell){0};
    for (uint64_t s = 0; s < vcz->genotype->meta.nchunks[1]; s++)
        if (look_cell(vcz, table, v, s, row, err) != 0)
            return -1;
    return 0;
}

/* Is any chunk of these samples stored? *left is how many names may still be looked at; when they are spent, it
 * is taken for granted. */
static int look_column(const struct vcz *vcz, uint64_t s, uint64_t *left, bool *stored,
                       struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    struct cell cell = {0};

    for (uint64_t v = 0; v < vcz->genotype->meta.nchunks[0] && cell.nstored == 0; v++) {
        if (*left == 0) {
            *stored = true;
            return 0;
        }
        --*left;
        if (look_cell(vcz, table, v, s, &cell, err) != 0)
            return -1;
    }
    *stored = cell.nstored > 0;
    return 0;
}

static const char *fill_text(const struct zarr_meta *meta)
{
    uint64_t value = 0;

    memcpy(&value, meta->fill, size_min(meta->dtype.size, sizeof value));
    if (value == 0)
        return "homozygous for the reference";
    return (meta->fill[meta->dtype.size - 1] & 0x80) != 0 ? "missing" : "of the fill value";
}

/* ---- Genotypes: the store's own counts ---- */

/* Of rows [begin, begin + n), the `most` that the store gives the most ALT alleles, in their order: their
 * `said` stays, that of the others becomes 0. */
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
        return err_set(err, ERR_MEMORY, "out of memory");
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

/* The first variant of the row of chunks of which the store's count is not the genotypes', among those that
 * are worth counting; with `more`, only if the store has more. *found is false if there is none. */
static int find_difference(struct holes *holes, uint64_t vchunk, bool more, bool *found,
                           uint64_t *variant, struct err *err)
{
    const struct vcz *vcz = holes->vcz;
    const uint64_t length = vcz->genotype->meta.chunk[0], begin = vchunk * length;
    const uint64_t n = size_min(length, vcz->nvariants - begin);
    AUTO_FREE double *said = calloc(n + 1, sizeof *said);

    *found = false;
    if (said == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
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

/* A row of chunks without holes: do the counts agree there? */
static int try_trust(struct holes *holes, struct chunk_table *table, uint64_t v, unsigned *ntried,
                     struct err *err)
{
    struct cell row;
    uint64_t variant;
    bool differs;

    if (v >= holes->vcz->genotype->meta.nchunks[0])
        return 0;
    if (look_row(holes->vcz, table, v, &row, err) != 0)
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

/* Counts are stale in many stores: those of a choice of samples, for one. */
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

/* Of a row of which nothing is stored, any ALT that the store counts is too many; of one that is there in part,
 * where its counts can be trusted. */
static int judge_row(struct holes *holes, struct verdict *verdict, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    struct cell row;

    if (open_tallies(holes, err) != 0)
        return -1;
    if (holes->tallies == NULL)
        return 0;
    if (look_row(holes->vcz, table, verdict->vchunk, &row, err) != 0 ||
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
    return err_set(
        err, ERR_CORRUPT,
        "%s: array call_genotype: chunk %" PRIu64
        " along the variants is not stored, or not for all samples, and its calls cannot "
        "be %s, as they would read: the store counts more ALT alleles of variant %" PRIu64
        " (variant_AC, variant_AF). It was not written, or not copied, to its end; write "
        "or copy it again" CURE,
        store_path(vcz->store), verdict->vchunk, fill_text(&vcz->genotype->meta), verdict->variant);
}

int holes_judge(struct holes *holes, uint64_t vchunk, struct err *err)
{
    struct verdict *slot, verdict = {.vchunk = vchunk};
    int rc = 0;

    if (holes == NULL)
        return 0;
    slot = &holes->verdicts[vchunk % VERDICTS];
    if (!store_waits() && pthread_mutex_trylock(&holes->lock) != 0)
        return err_set(err, ERR_CORRUPT, "an absent chunk: not to be judged at once");
    if (store_waits())
        pthread_mutex_lock(&holes->lock);
    if (slot->known && slot->vchunk == vchunk) {
        verdict = *slot;
    } else if (!store_waits()) {
        rc = err_set(err, ERR_CORRUPT, "an absent chunk: not to be judged at once");
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
    return err_set(err, ERR_CORRUPT,
                   "%s: chunk %" PRIu64
                   " of variant_length is not stored, and no variant has the length that it would "
                   "read as: the store was not written, or not copied, to its end" CURE,
                   store_path(((const struct holes *)holes)->vcz->store), vchunk);
}

int holes_look_calls(struct holes *holes, struct notices *notices, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    const struct zarr_meta *meta;
    uint64_t total, nabsent = 0, njudged = 0;
    struct cell row;

    if (holes == NULL || vcz_need(holes->vcz, VCZ_CALLS | VCZ_SAMPLES, NULL) != 0)
        return 0;
    meta = &holes->vcz->genotype->meta;
    if (!size_mul(meta->nchunks[0], meta->nchunks[1] * meta->nchunks[2], &total) ||
        total > (store_lists_names(holes->vcz->store) ? LISTED_NAMES_MAX : NAMES_MAX))
        return 0;
    for (uint64_t v = 0; v < meta->nchunks[0]; v++) {
        if (look_row(holes->vcz, table, v, &row, err) != 0)
            return -1;
        nabsent += row.nabsent;
        if (row.nabsent > 0 && njudged++ < JUDGED_AT_OPEN && holes_judge(holes, v, err) != 0)
            return -1;
    }
    if (nabsent > 0 && notices != NULL)
        notices_add(notices,
                    "%s: %" PRIu64 " of %" PRIu64
                    " chunks of call_genotype are not stored: their calls are shown as %s. Some "
                    "writers leave out such chunks (bio2zarr with zarr-python 3.1); an incomplete "
                    "copy looks the same",
                    store_path(holes->vcz->store), nabsent, total, fill_text(meta));
    return 0;
}

/* ---- Genotypes: of samples that have none ---- */

/* Does the store count exactly the calls that its genotypes are with all holes at their fill value? Then its writer
 * saw them so. (Who appends samples and dies has counted none of theirs as called.) */
static int is_confirmed(const struct holes *holes, bool *out, struct err *err)
{
    struct tallies *tallies = NULL;
    enum tally tally = TALLY_AGREES;
    int rc = 0;

    *out = false;
    if (holes->vcz->nvariants > CONFIRMED_VARIANTS)
        return 0;
    if (tallies_open(holes->vcz, holes->scratch_max, &tallies, err) != 0)
        return -1;
    for (uint64_t v = 0;
         tallies != NULL && v < holes->vcz->nvariants && rc == 0 && tally == TALLY_AGREES; v++)
        rc = tallies_compare(tallies, v, true, &tally, err);
    *out = tallies != NULL && tally == TALLY_AGREES;
    tallies_free(tallies);
    return rc;
}

/* Samples of whom nothing is stored. */
struct unwritten {
    uint64_t n;
    char names[NAMES_SHOWN * (TEXT_SHOW_MAX + 2)];
};

static void add_unwritten(const struct vcz *vcz, uint64_t column, struct unwritten *unwritten)
{
    char shown[TEXT_SHOW_MAX];
    const size_t used = strlen(unwritten->names);

    for (uint64_t i = 0; i < vcz->nsamples && unwritten->n < NAMES_SHOWN; i++)
        if (vcz->sample_column[i] == column)
            snprintf(unwritten->names + used, sizeof unwritten->names - used, "%s%s",
                     used > 0 ? ", " : "", text_show(&vcz->sample_id[i], shown));
    unwritten->n++;
}

static int refuse_samples(const struct vcz *vcz, const struct unwritten *unwritten, struct err *err)
{
    return err_set(
        err, ERR_CORRUPT,
        "%s: no genotypes are stored of %" PRIu64 " sample%s (%s%s): their IDs are there, "
        "and not one chunk of call_genotype with their calls: an append that did not "
        "finish, or an incomplete copy. Append or copy them again, or leave them out "
        "(--samples); with --absent-chunks fill every call of theirs is shown as %s",
        store_path(vcz->store), unwritten->n, unwritten->n == 1 ? "" : "s", unwritten->names,
        unwritten->n > NAMES_SHOWN ? ", ..." : "", fill_text(&vcz->genotype->meta));
}

/* Which columns of chunks have one that is stored, to `stored`. */
static int look_columns(const struct vcz *vcz, bool *stored, struct err *err)
{
    uint64_t left = SAMPLES_NAMES_MAX;

    for (uint64_t s = 0; s < vcz->genotype->meta.nchunks[1]; s++)
        if (look_column(vcz, s, &left, &stored[s], err) != 0)
            return -1;
    return 0;
}

int holes_look_samples(const struct holes *holes, const uint64_t *columns, uint64_t n,
                       struct err *err)
{
    struct unwritten unwritten = {0};
    AUTO_FREE bool *stored = NULL;
    bool confirmed = false;
    const struct zarr_meta *meta;

    if (holes == NULL || holes->vcz->nvariants == 0 ||
        vcz_need(holes->vcz, VCZ_CALLS | VCZ_SAMPLES, NULL) != 0)
        return 0;
    meta = &holes->vcz->genotype->meta;
    /* A store of one column has one that is REF throughout where a writer of few variants means it. */
    if (meta->nchunks[1] < 2)
        return 0;
    stored = calloc(meta->nchunks[1] + 1, sizeof *stored);
    if (stored == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    if (look_columns(holes->vcz, stored, err) != 0)
        return -1;
    for (uint64_t i = 0; i < n; i++)
        if (!stored[columns[i] / meta->chunk[1]])
            add_unwritten(holes->vcz, columns[i], &unwritten);
    if (unwritten.n == 0)
        return 0;
    if (is_confirmed(holes, &confirmed, err) != 0)
        return -1;
    return confirmed ? 0 : refuse_samples(holes->vcz, &unwritten, err);
}

int holes_look_all(struct holes *holes, const uint64_t *columns, uint64_t n,
                   struct notices *notices, struct err *err)
{
    if (holes_look_sites(holes, err) != 0 || holes_look_samples(holes, columns, n, err) != 0)
        return -1;
    return holes_look_calls(holes, notices, err);
}
