/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/batch.h"

#include "common/size.h"
#include "encoderd/vcz/holes.h"

#include <inttypes.h>
#include <stdlib.h>

static int open_columns(struct batch *batch, struct err *err)
{
    const struct vcz *vcz = batch->vcz;
    struct decoder *decoder = batch->decoder;
    const size_t budget = batch->budget;

    batch->contig = column_new(vcz->contig, NULL, 0, decoder, budget, err);
    batch->position = column_new(vcz->position, NULL, 0, decoder, budget, err);
    batch->allele = column_new(vcz->allele, NULL, 0, decoder, budget, err);
    if (batch->contig == NULL || batch->position == NULL || batch->allele == NULL)
        return -1;
    if (vcz->id != NULL)
        batch->id = column_new(vcz->id, NULL, 0, decoder, budget, err);
    return vcz->id != NULL && batch->id == NULL ? -1 : 0;
}

static int make_room(struct batch *batch, struct err *err)
{
    const uint64_t max = batch->max;

    batch->contigs = calloc(max, sizeof *batch->contigs);
    batch->positions = calloc(max, sizeof *batch->positions);
    batch->lengths = calloc(max, sizeof *batch->lengths);
    batch->alleles = calloc(max, sizeof *batch->alleles * (batch_allele_slots(batch) + 1));
    batch->nalleles = calloc(max, sizeof *batch->nalleles);
    batch->ids = calloc(max, sizeof *batch->ids);
    if (batch->contigs == NULL || batch->positions == NULL || batch->lengths == NULL ||
        batch->alleles == NULL || batch->nalleles == NULL || batch->ids == NULL)
        return err_nomem(err, "choosing variants");
    return 0;
}

struct batch *batch_new(const struct vcz *vcz, uint64_t max, size_t scratch_max, struct err *err)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (batch == NULL) {
        err_nomem(err, "choosing variants");
        return NULL;
    }
    batch->vcz = vcz;
    batch->max = max;
    batch->budget = scratch_max;
    batch->decoder = decoder_new(scratch_max, err);
    if (batch->decoder != NULL && open_columns(batch, err) == 0 && make_room(batch, err) == 0)
        return batch;
    batch_free(batch);
    return NULL;
}

void batch_share(struct batch *batch, struct chunk_table *table)
{
    decoder_share(batch->decoder, table);
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    column_free(batch->contig);
    column_free(batch->position);
    column_free(batch->length);
    column_free(batch->allele);
    column_free(batch->id);
    free(batch->contigs);
    free(batch->positions);
    free(batch->lengths);
    free(batch->alleles);
    free(batch->nalleles);
    free(batch->ids);
    decoder_free(batch->decoder);
    zarr_array_free(batch->length_array);
    free(batch);
}

void batch_move(struct batch *batch, uint64_t begin, uint64_t n, uint64_t limit)
{
    batch->begin = begin;
    batch->n = n;
    batch->limit = limit;
    batch->have_contig = batch->have_position = batch->have_length = false;
    batch->have_allele = batch->have_id = false;
}

static int read_ints(struct batch *batch, struct column *column, int64_t *out, bool *have,
                     struct err *err)
{
    if (*have)
        return 0;
    column_limit(column, batch->limit);
    if (column_ints(column, batch->begin, batch->n, out, err) != 0)
        return -1;
    *have = true;
    return 0;
}

const int64_t *batch_contigs(struct batch *batch, struct err *err)
{
    bool had = batch->have_contig;
    size_t ncontigs = batch->vcz->contigs.nitems;

    if (read_ints(batch, batch->contig, batch->contigs, &batch->have_contig, err) != 0)
        return NULL;
    for (uint64_t i = 0; !had && i < batch->n; i++)
        if (batch->contigs[i] < 0 || (uint64_t)batch->contigs[i] >= ncontigs) {
            batch->have_contig = false;
            err_set(err, ERR_CORRUPT,
                    "%s: array variant_contig: variant %" PRIu64 " is on contig %" PRId64
                    ", but contig_id has %zu entries",
                    store_path(batch->vcz->store), batch->begin + i, batch->contigs[i], ncontigs);
            return NULL;
        }
    return batch->contigs;
}

const int64_t *batch_positions(struct batch *batch, struct err *err)
{
    bool had = batch->have_position;

    if (read_ints(batch, batch->position, batch->positions, &batch->have_position, err) != 0)
        return NULL;
    for (uint64_t i = 0; !had && i < batch->n; i++)
        if (batch->positions[i] < 0) {
            batch->have_position = false;
            err_set(err, ERR_CORRUPT,
                    "%s: array variant_position: variant %" PRIu64 " has position %" PRId64,
                    store_path(batch->vcz->store), batch->begin + i, batch->positions[i]);
            return NULL;
        }
    return batch->positions;
}

/* Uses INFO/END as the length array, if it has one integer a variant. */
static int find_end(struct batch *batch, struct err *err)
{
    struct zarr_array *array;

    batch->length_is_end = true;
    if (column_array_open(batch->vcz, "variant_END", false, &array, err) != 0)
        return -1;
    if (array == NULL ||
        (array->meta.dtype.kind != DTYPE_INT && array->meta.dtype.kind != DTYPE_UINT) ||
        column_array_width(array, false) != 1)
        zarr_array_free(array);
    else
        batch->length_array = array;
    return 0;
}

/* Opens variant_length when a filter first asks for lengths: a damaged one must not stop a view
 * that needs none. */
static int open_length(struct batch *batch, struct err *err)
{
    if (batch->looked_for_length)
        return 0;
    if (column_array_open(batch->vcz, "variant_length", false, &batch->length_array, err) != 0 ||
        (batch->length_array == NULL && find_end(batch, err) != 0))
        return -1;
    if (batch->length_array != NULL) {
        batch->length =
            column_new(batch->length_array, NULL, 0, batch->decoder, batch->budget, err);
        if (batch->length == NULL)
            return -1;
        if (!batch->length_is_end)
            column_on_absent(batch->length, holes_judge_lengths, batch->vcz->holes);
    }
    batch->looked_for_length = true;
    return 0;
}

/* Makes lengths for variants that have none in the store: up to INFO/END if there is one, else the
 * number of REF's bases. */
static int make_lengths(struct batch *batch, struct err *err)
{
    const uint64_t slots = batch_allele_slots(batch);
    const struct str *alleles = batch_alleles(batch, NULL, err);
    const int64_t *positions = alleles != NULL ? batch_positions(batch, err) : NULL;

    if (positions == NULL)
        return -1;
    for (uint64_t i = 0; i < batch->n; i++) {
        int64_t end = batch->length != NULL ? batch->lengths[i] : VCZ_INT_MISSING;

        batch->lengths[i] = end >= positions[i] && end < INT64_MAX
                                ? end - positions[i] + 1
                                : (int64_t)alleles[i * slots].len;
    }
    return 0;
}

const int64_t *batch_lengths(struct batch *batch, struct err *err)
{
    bool read = false;

    if (batch->have_length)
        return batch->lengths;
    if (open_length(batch, err) != 0 ||
        (batch->length != NULL && read_ints(batch, batch->length, batch->lengths, &read, err) != 0))
        return NULL;
    if (batch->length_is_end && make_lengths(batch, err) != 0)
        return NULL;
    for (uint64_t i = 0; i < batch->n; i++)
        if (batch->lengths[i] < 1)
            batch->lengths[i] = 1;
    batch->have_length = true;
    return batch->lengths;
}

uint64_t batch_allele_slots(const struct batch *batch)
{
    return column_array_width(batch->vcz->allele, false);
}

/* bcftools counts an ALT slot of "." as no ALT. */
static bool slot_unused(const struct str *slot)
{
    return slot->len == 0 || (slot->len == 1 && slot->at[0] == '.');
}

static int count_alleles(struct batch *batch, struct err *err)
{
    const uint64_t slots = batch_allele_slots(batch);

    for (uint64_t i = 0; i < batch->n; i++) {
        struct str *alleles = batch->alleles + i * slots;
        unsigned n = 1;

        if (slots == 0 || (alleles[0].len == 0 && !batch->vcz->fill))
            return err_set(err, ERR_CORRUPT,
                           "%s: array variant_allele: variant %" PRIu64 " has no REF",
                           store_path(batch->vcz->store), batch->begin + i);
        if (alleles[0].len == 0) /* as sites_get returns it */
            alleles[0] = (struct str){.at = ".", .len = 1};
        while (n < slots && !slot_unused(&alleles[n]))
            n++;
        batch->nalleles[i] = n;
    }
    return 0;
}

const struct str *batch_alleles(struct batch *batch, const unsigned **nalleles, struct err *err)
{
    if (!batch->have_allele) {
        if (column_strings(batch->allele, batch->begin, batch->n, batch->alleles, err) != 0 ||
            count_alleles(batch, err) != 0)
            return NULL;
        batch->have_allele = true;
    }
    if (nalleles != NULL)
        *nalleles = batch->nalleles;
    return batch->alleles;
}

const struct str *batch_ids(struct batch *batch, struct err *err)
{
    if (batch->have_id)
        return batch->ids;
    if (batch->id != NULL &&
        column_strings(batch->id, batch->begin, batch->n, batch->ids, err) != 0)
        return NULL;
    for (uint64_t i = 0; i < batch->n; i++)
        if (batch->id == NULL || batch->ids[i].len == 0)
            batch->ids[i] = (struct str){.at = ".", .len = 1};
    batch->have_id = true;
    return batch->ids;
}
