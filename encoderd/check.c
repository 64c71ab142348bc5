#include "encoderd/check.h"

#include "common/cleanup.h"
#include "common/parallel.h"
#include "common/size.h"
#include "encoderd/check_impl.h"
#include "encoderd/vcz/axes.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/text.h"
#include "encoderd/zarr/meta/stored_objects.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A store with more chunks than this has mostly chunks that are not stored, if it is honest. */
#define CHUNKS_MAX (UINT64_C(1) << 26)
/* Chunks of an array, and of its places along the first axis, that are visited even if next to none are stored. */
#define CLAIMED_MAX        UINT64_C(4096)
#define CLAIMED_LENGTH_MAX (UINT64_C(1) << 24)
/* Others are where one of so many is. */
#define CLAIMED_EACH UINT64_C(16)

/* ---- problems ---- */

static char *format_text(const char *fmt, va_list args)
{
    char *text;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

static void problem_clear(struct problem *problem)
{
    free(problem->array);
    free(problem->chunk);
    free(problem->message);
}

/* Takes what the problem owns. */
static void keep(struct problems *problems, struct problem problem)
{
    problems->total++;
    if (problems->n < PROBLEMS_MAX && problems->n == problems->cap) {
        const size_t cap = problems->cap > 0 ? problems->cap * 2 : 4;
        struct problem *more = reallocarray(problems->items, cap, sizeof *more);

        if (more != NULL) {
            problems->items = more;
            problems->cap = cap;
        }
    }
    if (problems->n < problems->cap && problems->n < PROBLEMS_MAX && problem.array != NULL &&
        problem.chunk != NULL && problem.message != NULL)
        problems->items[problems->n++] = problem;
    else
        problem_clear(&problem);
}

void problems_add(struct problems *problems, const char *array, const char *chunk, const char *fmt,
                  ...)
{
    struct problem problem = {.array = strdup(array), .chunk = strdup(chunk)};
    va_list args;

    va_start(args, fmt);
    problem.message = format_text(fmt, args);
    va_end(args);
    keep(problems, problem);
}

void problems_move(struct problems *from, struct problems *to)
{
    for (size_t i = 0; i < from->n; i++)
        keep(to, from->items[i]);
    to->total += from->total - from->n;
    from->n = 0;
    problems_clear(from);
}

void problems_clear(struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        problem_clear(&problems->items[i]);
    free(problems->items);
    *problems = (struct problems){0};
}

/* ---- the arrays of the store ---- */

struct listing {
    struct check *check;
    size_t cap;
    struct err *err;
};

/* Arrays of which a view, or the choice of its samples, is made. */
static bool is_needed(const char *name)
{
    static const char *const names[] = {
        "call_genotype",  "call_genotype_phased", "variant_contig", "variant_position",
        "variant_allele", "variant_id",           "sample_id",      "contig_id"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* What is legal, and only beyond vczfs, is no fault of the store. */
static void note_unreadable(struct check *check, const char *name, const struct err *why)
{
    const bool harmless = why->code == ERR_UNSUPPORTED && !is_needed(name);

    problems_add(harmless ? &check->remarks : &check->problems, name, "", "%s%s", why->msg,
                 harmless ? ": not checked; the files that are shown do not need it" : "");
}

static int add_array(const char *name, void *arg)
{
    struct listing *listing = arg;
    struct check *check = listing->check;
    struct zarr_array *array = NULL;
    struct err why = {0};

    if (check->narrays == listing->cap) {
        const size_t cap = listing->cap > 0 ? listing->cap * 2 : 64;
        struct zarr_array **more = reallocarray(check->arrays, cap, sizeof *more);

        if (more == NULL)
            return err_set(listing->err, ERR_MEMORY, "out of memory for a check");
        check->arrays = more;
        listing->cap = cap;
    }
    if (zarr_array_open(check->group, name, &array, &why) != 0) {
        note_unreadable(check, name, &why);
        check->totals.narrays++;
    } else if (array != NULL) {
        check->arrays[check->narrays++] = array;
        check->totals.narrays++;
    }
    return 0;
}

static int list_arrays(struct check *check, struct err *err)
{
    struct listing listing = {.check = check, .err = err};
    struct err why = {0};

    if (zarr_group_arrays(check->group, add_array, &listing, &why) == 0)
        return 0;
    if (check->narrays > 0 || check->problems.total > 0)
        return err_set(err, ERR_MEMORY, "out of memory for a check");
    /* Something in the store cannot even be listed: look at what can, one by one. */
    if (store_children(check->store, "", add_array, &listing, err) != 0)
        return -1;
    if (check->problems.total == 0)
        problems_add(&check->problems, "", "", "%s", why.msg);
    return 0;
}

static uint64_t array_nchunks(const struct zarr_array *array)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (!size_mul(n, array->meta.nchunks[d], &n))
            return UINT64_MAX;
    return n;
}

static const struct zarr_array *find_array(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->narrays; i++)
        if (strcmp(check->arrays[i]->name, name) == 0)
            return check->arrays[i];
    return NULL;
}

/* Does the axis have the length that the array `like` gives it? */
static void check_axis(struct check *check, const struct zarr_array *array, unsigned axis,
                       const char *what, const char *like)
{
    const struct zarr_array *other = find_array(check, like);

    if (other == NULL || other->meta.ndim == 0 || array->meta.ndim <= axis ||
        array->meta.shape[axis] == other->meta.shape[0])
        return;
    problems_add(&check->problems, array->name, "", "it has %" PRIu64 " %s where %s has %" PRIu64,
                 array->meta.shape[axis], what, like, other->meta.shape[0]);
}

/* `vczstore create` makes such stores: with some sample_id, and no calls until something is appended. */
static bool nothing_appended(const struct check *check, const struct zarr_array *array)
{
    const struct zarr_array *genotype = find_array(check, "call_genotype");

    return genotype != NULL && genotype->meta.ndim > 1 && genotype->meta.shape[1] == 0 &&
           array->meta.ndim > 1 && array->meta.shape[1] == 0;
}

static void check_shapes(struct check *check)
{
    for (size_t i = 0; i < check->narrays; i++) {
        const struct zarr_array *array = check->arrays[i];
        const bool calls = strncmp(array->name, "call_", 5) == 0;
        struct err why = {0};

        if (axes_check(check->group, array, &why) != 0)
            problems_add(&check->problems, array->name, "", "%s", why.msg);
        if (calls || strncmp(array->name, "variant_", 8) == 0)
            check_axis(check, array, 0, "variants", "variant_position");
        if (calls && !nothing_appended(check, array))
            check_axis(check, array, 1, "samples", "sample_id");
    }
}

/* ---- every chunk of every array ---- */

/* The pieces of work that an array is: all its chunks or, where few are stored, those in its objects that are
 * stored, and then one chunk for all the others, which read alike. */
struct claim {
    uint64_t nchunks;
    bool sparse;
    struct stored_objects stored; /* if sparse */
    uint64_t each;                /* chunks in an object */
    uint64_t nothers;             /* chunks of objects that are not stored */
};

struct walk {
    struct check *check;
    const struct pass_means *means;
    struct claim *claims; /* of each array */
    uint64_t *first;      /* of each array: the number of its first piece; narrays + 1 */
    uint64_t *nabsent;    /* of each array: its chunks that are not stored */
    struct check_progress progress;
};

struct found {
    struct check_totals totals;
    struct call_counts counts;
    struct problems problems;
};

static int walk_start(void *arg, void **worker, struct err *err)
{
    const struct walk *walk = arg;

    *worker = check_worker_new(walk->check, walk->means->scratch_max, err);
    return *worker != NULL ? 0 : -1;
}

static void walk_stop(void *arg, void *worker)
{
    (void)arg;
    check_worker_free(worker);
}

/* Place k in C order of a grid. */
static void grid_place(uint64_t k, const uint64_t *lengths, unsigned ndim, uint64_t *place)
{
    for (unsigned d = ndim; d > 0; d--) {
        place[d - 1] = k % lengths[d - 1];
        k /= lengths[d - 1];
    }
}

/* Chunk k of the object; false if it lies past the array's end. */
static bool object_chunk(const struct zarr_meta *meta, uint64_t object, uint64_t k, uint64_t *index)
{
    uint64_t along[ZARR_DIMS_MAX], inner[ZARR_DIMS_MAX];
    bool inside = true;

    for (unsigned d = 0; d < meta->ndim; d++)
        along[d] = stored_objects_along(meta, d);
    grid_place(object, along, meta->ndim, index);
    grid_place(k, meta->sharding.chunks, meta->ndim, inner);
    for (unsigned d = 0; d < meta->ndim; d++) {
        index[d] = index[d] * meta->sharding.chunks[d] + inner[d];
        inside = inside && index[d] < meta->nchunks[d];
    }
    return inside;
}

/* What piece i is: arrays one after the other, chunks in C order. */
struct place {
    size_t array;
    uint64_t index[ZARR_DIMS_MAX];
    uint64_t nlike; /* chunks that it stands for; 0 if it is none */
};

static void walk_place(const struct walk *walk, uint64_t i, struct place *out)
{
    const struct claim *claim;
    const struct zarr_meta *meta;

    *out = (struct place){.nlike = 1};
    while (i >= walk->first[out->array + 1])
        out->array++;
    i -= walk->first[out->array];
    claim = &walk->claims[out->array];
    meta = &walk->check->arrays[out->array]->meta;
    if (!claim->sparse) {
        grid_place(i, meta->nchunks, meta->ndim, out->index);
    } else if (i / claim->each < claim->stored.n) {
        out->nlike =
            object_chunk(meta, claim->stored.numbers[i / claim->each], i % claim->each, out->index);
    } else {
        object_chunk(meta, stored_objects_gap(&claim->stored, 0), 0, out->index);
        out->nlike = claim->nothers;
    }
}

static int walk_make(void *arg, void *worker, uint64_t i, void **piece, struct err *err)
{
    const struct walk *walk = arg;
    struct found *found = calloc(1, sizeof *found);
    struct place place;

    if (found == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a check");
    walk_place(walk, i, &place);
    if (place.nlike > 0)
        check_chunk(worker, walk->check->arrays[place.array], place.index, &found->totals,
                    &found->counts, &found->problems);
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

/* Counts are of use only while every chunk of genotypes could be read. */
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

/* Chunks at an axis's end have fewer values than those that they are counted as. */
static uint64_t times(uint64_t n, uint64_t nlike, const struct zarr_array *array)
{
    uint64_t product = UINT64_MAX, most = 1;

    if (nlike == 1)
        return n;
    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (!size_mul(most, array->meta.shape[d], &most))
            most = UINT64_MAX;
    return size_mul(n, nlike, &product) ? size_min(product, most) : most;
}

static int walk_take(void *arg, uint64_t i, void *piece, struct err *err)
{
    struct walk *walk = arg;
    struct check_totals *sum = &walk->check->totals;
    struct found *found = piece;
    const struct zarr_array *array;
    struct place place;
    int rc;

    walk_place(walk, i, &place);
    array = walk->check->arrays[place.array];
    rc = take_counts(walk->check, place.array, place.index, found, err);
    walk->nabsent[place.array] += found->totals.nabsent * place.nlike;
    sum->nchunks += found->totals.nchunks * place.nlike;
    sum->nabsent += found->totals.nabsent * place.nlike;
    sum->bytes_read += found->totals.bytes_read;
    sum->bytes_decoded += found->totals.bytes_decoded;
    sum->nwithout_alt += times(found->totals.nwithout_alt, place.nlike, array);
    sum->nzero_ploidy += times(found->totals.nzero_ploidy, place.nlike, array);
    problems_move(&found->problems, &walk->check->problems);
    walk_discard(arg, found);
    return rc != 0 ? -1 : check_progress_chunk(&walk->progress, place.array, i, err);
}

static void claims_free(struct claim *claims, size_t n)
{
    for (size_t a = 0; claims != NULL && a < n; a++)
        stored_objects_clear(&claims[a].stored);
    free(claims);
}

static uint64_t chunks_in(const struct zarr_meta *meta, uint64_t object)
{
    uint64_t index[ZARR_DIMS_MAX], n = 1;

    object_chunk(meta, object, 0, index);
    for (unsigned d = 0; d < meta->ndim; d++)
        n *= size_min(meta->sharding.chunks[d], meta->nchunks[d] - index[d]);
    return n;
}

/* Is most of the array only claimed? A list that cannot be had says nothing: its chunks are then visited. */
static bool is_sparse(const struct zarr_array *array, struct claim *claim)
{
    const struct zarr_meta *meta = &array->meta;
    struct err ignored = {0};
    uint64_t n;

    if (meta->ndim == 0 || claim->nchunks == 0 || claim->nchunks == UINT64_MAX ||
        (claim->nchunks <= CLAIMED_MAX && meta->shape[0] <= CLAIMED_LENGTH_MAX))
        return false;
    claim->each = 1;
    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(claim->each, meta->sharding.chunks[d], &claim->each))
            return false;
    return stored_objects_list(array, &claim->stored, &ignored) == 0 && claim->stored.complete &&
           size_mul(claim->stored.n, claim->each, &n) && n <= (claim->nchunks - 1) / CLAIMED_EACH;
}

static uint64_t array_npieces(const struct zarr_array *array, struct claim *claim)
{
    claim->nchunks = array_nchunks(array);
    claim->sparse = is_sparse(array, claim);
    if (!claim->sparse) {
        stored_objects_clear(&claim->stored);
        return claim->nchunks;
    }
    claim->nothers = claim->nchunks;
    for (size_t i = 0; i < claim->stored.n; i++)
        claim->nothers -= chunks_in(&array->meta, claim->stored.numbers[i]);
    return claim->stored.n * claim->each + 1;
}

/* Numbers the pieces, leaving out the arrays that have too many chunks to look at. */
static void number_chunks(struct check *check, struct claim *claims, uint64_t *first)
{
    for (size_t a = 0; a < check->narrays; a++) {
        const struct zarr_array *array = check->arrays[a];
        uint64_t n = array_npieces(array, &claims[a]);

        if (n > CHUNKS_MAX - first[a]) {
            problems_add(&check->problems, array->name, "",
                         "it has %" PRIu64 " chunks%s: more than can be checked", claims[a].nchunks,
                         n == UINT64_MAX ? " or more" : "");
            n = 0;
        }
        first[a + 1] = first[a] + n;
    }
}

static bool is_site_array(const char *name)
{
    return strcmp(name, "variant_contig") == 0 || strcmp(name, "variant_position") == 0 ||
           strcmp(name, "variant_allele") == 0 || strcmp(name, "variant_id") == 0;
}

/* What goes from variant to variant is left out where most of them are only claimed. */
static void see_sparse(struct check *check, const struct claim *claims)
{
    struct err why = {0};

    for (size_t a = 0; a < check->narrays; a++) {
        const char *name = check->arrays[a]->name;

        if (!claims[a].sparse)
            continue;
        if (is_site_array(name)) {
            check->sites_sparse = true;
        } else if (strcmp(name, "call_genotype") == 0 && check->counts != NULL) {
            counts_free(check->counts);
            check->counts = NULL;
            problems_add(&check->remarks, name, "",
                         "next to none of it is stored: the store's own counts (variant_AC, "
                         "variant_AN, variant_NS) are not all compared with it");
            if (holes_look_calls(check->vcz->holes, NULL, &why) != 0)
                problems_add(&check->problems, name, "", "%s", why.msg);
        }
    }
}

/* That a chunk is not there is legal, and also what is left of one that was lost. */
static void remark_absent(struct check *check, const struct walk *walk)
{
    for (size_t a = 0; a < check->narrays; a++)
        if (walk->nabsent[a] > 0)
            problems_add(&check->remarks, check->arrays[a]->name, "",
                         "%" PRIu64 " of %" PRIu64
                         " chunks are not stored: they read as the fill value",
                         walk->nabsent[a], walk->claims[a].nchunks);
}

/* Tools that write a deletion without its ALT do that, and plink2 takes them so. */
static void remark_without_alt(struct check *check)
{
    const uint64_t n = check->totals.nwithout_alt;

    if (n > 0)
        problems_add(&check->remarks, "call_genotype", "",
                     "%" PRIu64 " value%s allele 1 of a site that has no ALT: shown as such, with "
                     "\".\" for the ALT",
                     n, n == 1 ? " is" : "s are");
}

/* Some tools write so what a sample has no chromosome for. */
static void remark_zero_ploidy(struct check *check)
{
    const uint64_t n = check->totals.nzero_ploidy;

    if (n > 0)
        problems_add(&check->remarks, "call_genotype", "",
                     "%" PRIu64 " call%s of no alleles, missing or not, but of fill values (-2) "
                     "alone: shown as missing",
                     n, n == 1 ? " is" : "s are");
}

static int run_walk(struct walk *walk, struct err *err)
{
    struct check *check = walk->check;
    struct parallel_job job = {.nthreads = walk->means->nthreads,
                               .start = walk_start,
                               .stop = walk_stop,
                               .make = walk_make,
                               .take = walk_take,
                               .discard = walk_discard,
                               .arg = walk};
    int rc;

    number_chunks(check, walk->claims, walk->first);
    see_sparse(check, walk->claims);
    job.npieces = walk->first[check->narrays];
    rc = check_progress_begin(&walk->progress, check, walk->means, walk->first, err);
    if (rc == 0 && job.npieces > 0)
        rc = parallel_run(&job, err);
    check_progress_end(&walk->progress);
    return rc;
}

static int walk_chunks(struct check *check, const struct pass_means *means, struct err *err)
{
    AUTO_FREE uint64_t *first = calloc(check->narrays + 1, sizeof *first);
    AUTO_FREE uint64_t *nabsent = calloc(check->narrays + 1, sizeof *nabsent);
    struct claim *claims = calloc(check->narrays + 1, sizeof *claims);
    struct walk walk = {
        .check = check, .means = means, .claims = claims, .first = first, .nabsent = nabsent};
    int rc;

    if (first == NULL || nabsent == NULL || claims == NULL)
        rc = err_set(err, ERR_MEMORY, "out of memory for a check");
    else
        rc = run_walk(&walk, err);
    if (rc == 0) {
        remark_absent(check, &walk);
        remark_without_alt(check);
        remark_zero_ploidy(check);
    }
    claims_free(claims, check->narrays);
    return rc != 0 ? -1 : 0;
}

/* ---- the sites, one after the other ---- */

/* A range of sites; `order` is about places on a contig, which a store should have in ascending order. */
struct order {
    uint64_t nsites, nunsorted;
    uint64_t first_unsorted; /* variant */
    int64_t first_contig, first_position;
    int64_t last_contig, last_position;
    uint64_t first_variant;
};

static void note_unsorted(struct order *order, uint64_t variant)
{
    if (order->nunsorted++ == 0)
        order->first_unsorted = variant;
}

static int see_site(const struct site *site, const struct output_row *row, void *piece, void *arg,
                    struct err *err)
{
    struct order *order = piece;

    (void)row;
    (void)arg;
    (void)err;
    if (order->nsites++ == 0) {
        order->first_variant = site->variant;
        order->first_contig = site->contig_index;
        order->first_position = site->position;
    } else if (site->contig_index == order->last_contig && site->position < order->last_position) {
        note_unsorted(order, site->variant);
    }
    order->last_contig = site->contig_index;
    order->last_position = site->position;
    return 0;
}

static int take_sites(void *piece, void *arg, struct err *err)
{
    const struct order *part = piece;
    struct order *whole = arg;

    (void)err;
    if (part->nsites == 0)
        return 0;
    if (whole->nsites > 0 && part->first_contig == whole->last_contig &&
        part->first_position < whole->last_position)
        note_unsorted(whole, part->first_variant);
    if (part->nunsorted > 0 && whole->nunsorted == 0)
        whole->first_unsorted = part->first_unsorted;
    whole->nunsorted += part->nunsorted;
    whole->nsites += part->nsites;
    whole->last_contig = part->last_contig;
    whole->last_position = part->last_position;
    return 0;
}

/* Columns that a site is read from: with a problem in one of them the pass would only say it again. */
static bool sites_in_doubt(const struct check *check)
{
    static const char *const columns[] = {"", "variant_contig", "variant_position",
                                          "variant_allele", "variant_id"};

    for (size_t i = 0; i < check->problems.n; i++)
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            if (strcmp(check->problems.items[i].array, columns[c]) == 0)
                return true;
    return check->problems.total > check->problems.n;
}

static int check_sites(struct check *check, const struct pass_means *means, struct err *err)
{
    struct order order = {0};
    const struct pass pass = {.vcz = check->vcz,
                              .what = "checking sites",
                              .piece_size = sizeof order,
                              .site = see_site,
                              .take = take_sites,
                              .arg = &order};
    struct err why = {0};

    if (check->vcz == NULL || sites_in_doubt(check))
        return 0;
    if (check->sites_sparse) {
        problems_add(
            &check->remarks, "", "",
            "next to nothing is stored of the variants: they are not looked at one by one");
        return 0;
    }
    if (pass_run(&pass, means, &why) != 0) {
        if (why.code == ERR_PEER) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        problems_add(&check->problems, "", "", "%s", why.msg);
    }
    if (order.nunsorted > 0)
        problems_add(&check->remarks, "variant_position", "",
                     "not sorted: variant %" PRIu64
                     " lies before the one that precedes it on its contig (%" PRIu64
                     " such variant%s)",
                     order.first_unsorted, order.nunsorted, order.nunsorted == 1 ? "" : "s");
    return 0;
}

/* Why the store is no VCF Zarr store to vczfs, unless that is a consequence of what was found. That its genotypes
 * are of a kind that is not shown, or not there, is no damage. */
static void note_why_not(struct check *check)
{
    if (check->vcz != NULL || check->problems.total > 0)
        return;
    problems_add(check->nothing_to_show ? &check->remarks : &check->problems, "", "", "%s",
                 check->why_not.msg);
}

/* Chunks that are not stored and cannot be what they read as. */
static void look_for_holes(struct check *check)
{
    const struct vcz *vcz = check->vcz;
    struct err why = {0};

    if (vcz == NULL)
        return;
    for (unsigned i = 0; i < HOLES_SITE_ARRAYS; i++)
        if (holes_look_site(vcz->holes, i, &why) != 0)
            problems_add(&check->problems, holes_site_array(i), "", "%s", why.msg);
    if (holes_look_samples(vcz->holes, vcz->sample_column, vcz->nsamples, &why) != 0)
        problems_add(&check->problems, "call_genotype", "", "%s", why.msg);
}

static void remark_notices(struct check *check)
{
    for (size_t i = 0; i < check->notices.n; i++)
        problems_add(&check->remarks, "", "", "%s", check->notices.text[i]);
}

static int run(struct check *check, const struct pass_means *means, struct err *err)
{
    const struct zarr_array *contigs;

    if (list_arrays(check, err) != 0)
        return -1;
    contigs = find_array(check, "contig_id");
    check->ncontigs =
        contigs != NULL && contigs->meta.ndim == 1 ? contigs->meta.shape[0] : UINT64_MAX;
    check_shapes(check);
    look_for_holes(check);
    if ((check->vcz != NULL &&
         counts_new(check->vcz, means->scratch_max, &check->counts, err) != 0) ||
        walk_chunks(check, means, err) != 0 || check_sites(check, means, err) != 0)
        return -1;
    remark_notices(check);
    note_why_not(check);
    if (check->counts != NULL)
        counts_report(check->counts, check->vcz->holes == NULL, &check->problems, &check->remarks);
    return 0;
}

static void check_clear(struct check *check)
{
    for (size_t i = 0; i < check->narrays; i++)
        zarr_array_free(check->arrays[i]);
    free(check->arrays);
    counts_free(check->counts);
    problems_clear(&check->problems);
    problems_clear(&check->remarks);
    vcz_free(check->vcz);
    notices_clear(&check->notices);
    zarr_group_free(check->group);
    store_free(check->store);
}

/* A store of which any part is faulty is checked without what needs all of them. */
static void open_vcz(struct check *check, const char *path, unsigned store_flags,
                     const struct pass_means *means)
{
    struct err calls = {0};

    if (vcz_open_with(path, store_flags, means->spill, INT64_MAX, means->scratch_max, &check->vcz,
                      &check->why_not) != 0)
        return;
    check->notices = check->vcz->notices;
    check->vcz->notices = (struct notices){0};
    if (vcz_need(check->vcz, VCZ_ALL, &check->why_not) == 0)
        return;
    vcz_need(check->vcz, VCZ_CALLS, &calls);
    check->nothing_to_show = check->why_not.code == ERR_UNSUPPORTED || calls.code == ERR_DATA;
    vcz_free(check->vcz);
    check->vcz = NULL;
}

int check_store(const char *path, unsigned store_flags, bool absent_fill,
                const struct pass_means *means, bool json, struct buf *report, uint64_t *nproblems,
                struct err *err)
{
    CLEANUP(check_clear) struct check check = {0};

    *nproblems = 0;
    open_vcz(&check, path, store_flags, means);
    if (store_open_with(path, store_flags, &check.store, err) != 0 ||
        zarr_group_open(check.store, &check.group, err) != 0) {
        /* It says more. */
        if (err != NULL && check.why_not.code != ERR_NONE)
            *err = check.why_not;
        return -1;
    }
    store_set_spill(check.store, means->spill);
    if (check.vcz != NULL)
        check.vcz->fill = absent_fill;
    if (check.vcz != NULL && !absent_fill &&
        holes_new(check.vcz, means->scratch_max, &check.vcz->holes, err) != 0)
        return -1;
    if (run(&check, means, err) != 0 || check_report(&check, json, report, err) != 0)
        return -1;
    *nproblems = check.problems.total;
    return 0;
}
