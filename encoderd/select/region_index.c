#include "encoderd/select/region_index.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/columns.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    INDEX_CHUNK,
    INDEX_CONTIG,
    INDEX_FIRST,
    INDEX_LAST,
    INDEX_MAX_END,
    INDEX_COUNT,
    INDEX_WIDTH
};

/* More rows than that would cost more to read than they save. */
#define INDEX_ROWS_MAX (UINT64_C(16) << 20)

static bool row_ok(const struct vcz *vcz, const int64_t *row, uint64_t nchunks)
{
    return row[INDEX_CHUNK] >= 0 && (uint64_t)row[INDEX_CHUNK] < nchunks &&
           row[INDEX_CONTIG] >= 0 && (uint64_t)row[INDEX_CONTIG] < vcz->contigs.nitems &&
           row[INDEX_FIRST] >= 0 && row[INDEX_LAST] >= row[INDEX_FIRST] &&
           row[INDEX_MAX_END] >= row[INDEX_LAST] && row[INDEX_COUNT] > 0;
}

/* Every chunk must be covered with as many variants as it has. */
static bool index_ok(const struct vcz *vcz, const int64_t *rows, uint64_t nrows, uint64_t *counts,
                     uint64_t nchunks)
{
    const uint64_t chunk = vcz->position->meta.chunk[0];

    for (uint64_t i = 0; i < nrows; i++) {
        const int64_t *row = rows + i * INDEX_WIDTH;

        if (!row_ok(vcz, row, nchunks) ||
            !size_add(counts[row[INDEX_CHUNK]], (uint64_t)row[INDEX_COUNT],
                      &counts[row[INDEX_CHUNK]]))
            return false;
    }
    for (uint64_t c = 0; c < nchunks; c++)
        if (counts[c] != size_min(chunk, vcz->nvariants - c * chunk))
            return false;
    return true;
}

static void mark(const int64_t *rows, uint64_t nrows, const struct regions *regions,
                 const struct regions *targets, uint8_t *wanted)
{
    for (uint64_t i = 0; i < nrows; i++) {
        const int64_t *row = rows + i * INDEX_WIDTH;
        uint64_t contig = (uint64_t)row[INDEX_CONTIG];

        if ((regions == NULL ||
             regions_meet(regions, contig, row[INDEX_FIRST], row[INDEX_MAX_END])) &&
            (targets == NULL || regions_meet(targets, contig, row[INDEX_FIRST], row[INDEX_LAST])))
            wanted[row[INDEX_CHUNK]] = 1;
    }
}

static int read_rows(const struct zarr_array *array, size_t scratch_max, int64_t *rows,
                     struct err *err)
{
    struct decoder *decoder = decoder_new(scratch_max, err);
    struct column *column = NULL;
    int rc = -1;

    if (decoder != NULL)
        column = column_new(array, NULL, 0, decoder, scratch_max, err);
    if (column != NULL)
        rc = column_ints(column, 0, array->meta.shape[0], rows, err);
    column_free(column);
    decoder_free(decoder);
    return rc;
}

/* It only saves time: one that is no good is not used. */
static int give_up_index(const struct err *why, struct err *err)
{
    if (err_is_of_store(why))
        return 0;
    if (err != NULL)
        *err = *why;
    return -1;
}

static int use_index(const struct vcz *vcz, const struct zarr_array *array,
                     const struct regions *regions, const struct regions *targets,
                     size_t scratch_max, struct region_index *out, struct err *err)
{
    const uint64_t nrows = array->meta.shape[0], nchunks = vcz->position->meta.nchunks[0];
    AUTO_FREE int64_t *rows = calloc(nrows + 1, INDEX_WIDTH * sizeof *rows);
    AUTO_FREE uint64_t *counts = calloc(nchunks + 1, sizeof *counts);
    struct err unreadable = {0};

    if (rows == NULL || counts == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the region index");
    if (read_rows(array, scratch_max, rows, &unreadable) != 0)
        return give_up_index(&unreadable, err);
    if (!index_ok(vcz, rows, nrows, counts, nchunks))
        return 0;
    out->wanted = calloc(nchunks + 1, 1);
    if (out->wanted == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the region index");
    mark(rows, nrows, regions, targets, out->wanted);
    return 0;
}

int region_index_open(const struct vcz *vcz, const struct regions *regions,
                      const struct regions *targets, size_t scratch_max, struct region_index *out,
                      struct err *err)
{
    struct zarr_array *array = NULL;
    const struct zarr_meta *meta;
    struct err unreadable = {0};
    int rc = 0;

    *out = (struct region_index){.chunk = vcz->position->meta.chunk[0]};
    if (regions == NULL && targets == NULL)
        return 0;
    if (zarr_array_open(vcz->group, "region_index", &array, &unreadable) != 0)
        return give_up_index(&unreadable, err);
    if (array == NULL)
        return 0;
    meta = &array->meta;
    if ((meta->dtype.kind == DTYPE_INT || meta->dtype.kind == DTYPE_UINT) && meta->ndim == 2 &&
        meta->shape[1] == INDEX_WIDTH && meta->shape[0] <= INDEX_ROWS_MAX)
        rc = use_index(vcz, array, regions, targets, scratch_max, out, err);
    zarr_array_free(array);
    return rc;
}

void region_index_free(struct region_index *index)
{
    free(index->wanted);
    *index = (struct region_index){0};
}

uint64_t region_index_next(const struct region_index *index, uint64_t variant, uint64_t end)
{
    if (index->wanted == NULL)
        return variant;
    while (variant < end && !index->wanted[variant / index->chunk])
        variant = (variant / index->chunk + 1) * index->chunk;
    return size_min(variant, end);
}
