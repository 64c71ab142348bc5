/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_sites: holes in the arrays that sites are read from.
 */
#include "common/size.h"
#include "encoderd/vcz/columns.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/holes_state.h"
#include "encoderd/vcz/region_rows.h"
#include "encoderd/zarr/meta/stored_objects.h"

#define AUTO_STORED CLEANUP(stored_objects_clear)

/* How many chunks of a site array are looked up one by one; if it has more, the stored objects are
 * listed. */
#define SITE_NAMES_MAX UINT64_C(4096)

/* How many chunks are looked up side by side: few at first, because the next absent one may be
 * near. */
#define LOOKED_FIRST UINT64_C(8)
#define LOOKED_MAX   UINT64_C(512)

/* A run of chunks along the variants, each the first one along other axes. */
struct chunk_run {
    uint64_t begin, end;
};

struct looks {
    const struct zarr_array *array;
    struct chunk_table *table;
    uint64_t from;
    bool stored[LOOKED_MAX]; /* of the chunks from there on */
};

static int look(void *arg, uint64_t i, struct err *err)
{
    struct looks *looks = arg;
    const uint64_t index[ZARR_DIMS_MAX] = {looks->from + i};

    return chunk_is_stored(looks->table, looks->array, index, &looks->stored[i], err);
}

/* Finds the next absent chunk from `from` on; *out is the number of chunks if there is none. Looks
 * up at most twice as many chunks as are stored before it. */
static int next_absent(const struct zarr_array *array, struct chunk_table *table, uint64_t from,
                       uint64_t *out, struct err *err)
{
    struct looks looks = {.array = array, .table = table, .from = from};
    uint64_t n, most = LOOKED_FIRST;

    for (; looks.from < array->meta.nchunks[0]; looks.from += n) {
        n = size_min(most, array->meta.nchunks[0] - looks.from);
        most = size_min(2 * most, LOOKED_MAX);
        if (store_each(array->store, n, look, &looks, err) != 0)
            return -1;
        for (uint64_t i = 0; i < n; i++)
            if (!looks.stored[i]) {
                *out = looks.from + i;
                return 0;
            }
    }
    *out = looks.from;
    return 0;
}

/* Lists what is stored of a one-dimensional array that claims many chunks; of other arrays, lists
 * nothing. */
static int list_objects(const struct zarr_array *array, struct stored_objects *list,
                        struct err *err)
{
    if (array->meta.ndim != 1 || array->meta.nchunks[0] <= SITE_NAMES_MAX)
        return 0;
    return stored_objects_list(array, list, err);
}

/* The first chunk from `from` on that may be stored according to the list, or the number of
 * chunks. */
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

/* Finds the next run of absent chunks from `from` on; it is empty if there is none. `list`: see
 * list_objects. */
static int next_hole(const struct zarr_array *array, struct chunk_table *table,
                     const struct stored_objects *list, uint64_t from, struct chunk_run *out,
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

/* The contig of one variant, which may be the fill value. */
static int contig_at(const struct vcz *vcz, struct decoder *decoder, uint64_t variant, int64_t *out,
                     struct err *err)
{
    const uint64_t length = vcz->contig->meta.chunk[0], index[ZARR_DIMS_MAX] = {variant / length};

    return zarr_chunk_ints_at(decoder, vcz->contig, index, variant % length, 1, out, err);
}

/* True if the index has any chunk of variants [begin, end) on another contig. */
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

/* Without an index, the contigs of variants are expected in the order in which the store lists
 * contigs. */
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
                            const struct region_rows *index, const struct chunk_run *hole,
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
    struct chunk_run hole = {0};
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

/* The next variant that may have another value: the variant after this one or, if this one is not
 * stored, the next one that is. */
static uint64_t next_unlike(const struct zarr_array *array, const struct stored_objects *list,
                            uint64_t variant)
{
    const uint64_t length = array->meta.chunk[0], chunk = variant / length;
    const uint64_t next = skip_unlisted(array, list, chunk);

    if (next == chunk)
        return variant + 1;
    return next == array->meta.nchunks[0] ? array->meta.shape[0] : next * length;
}

/* variant_id_mask, which says which variants have no ID. Opened for the first hole. All owned. */
struct mask {
    bool opened;
    struct decoder *decoder;
    struct zarr_array *array;
    struct column *column; /* NULL: the store has no usable mask */
    struct stored_objects stored;
};

static void mask_close(struct mask *mask)
{
    column_free(mask->column);
    zarr_array_free(mask->array);
    decoder_free(mask->decoder);
    stored_objects_clear(&mask->stored);
}

static int mask_open(const struct holes *holes, struct mask *mask, struct err *err)
{
    if (mask->opened)
        return 0;
    mask->opened = true;
    mask->decoder = decoder_new(holes->scratch_max, err);
    if (mask->decoder == NULL ||
        column_array_open(holes->vcz, "variant_id_mask", false, &mask->array, err) != 0)
        return -1;
    if (mask->array == NULL || column_array_is_string(mask->array) || mask->array->meta.ndim != 1)
        return 0;
    mask->column = column_new(mask->array, NULL, 0, mask->decoder, holes->scratch_max, err);
    return mask->column != NULL ? stored_objects_list(mask->array, &mask->stored, err) : 0;
}

/* *out: the mask says that a variant in the hole has an ID. False without a mask. */
static int hole_has_ids(const struct holes *holes, const struct chunk_run *hole, struct mask *mask,
                        bool *out, struct err *err)
{
    const uint64_t length = holes->vcz->id->meta.chunk[0];
    const uint64_t end = size_min(hole->end * length, holes->vcz->nvariants);
    int64_t none = 1;
    int rc = mask_open(holes, mask, err);

    for (uint64_t v = hole->begin * length; rc == 0 && mask->column != NULL && v < end && none != 0;
         v = next_unlike(mask->array, &mask->stored, v))
        rc = column_ints(mask->column, v, 1, &none, err);
    *out = none == 0;
    return rc;
}

static int look_id(const struct holes *holes, struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    AUTO_STORED struct stored_objects list = {0};
    CLEANUP(mask_close) struct mask mask = {0};
    struct chunk_run hole = {0};
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
        if (hole_has_ids(holes, &hole, &mask, &has_ids, err) != 0)
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

    /* A faulty part of the store has its own error. */
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
