/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/sites.h"

#include "common/cleanup.h"
#include "common/size.h"

#include <inttypes.h>
#include <string.h>

/* How many numbers of a column are decoded at once, at least, if its chunks have more. */
#define INTS_MIN UINT64_C(1024)

/* One column, with the part of a chunk that is decoded: all of it, if there is enough memory. */
struct site_column {
    const struct zarr_array *array;
    bool loaded;
    uint64_t chunk; /* along the variants axis */
    int64_t *ints;  /* owned; rows [first_row, first_row + nrows) of the chunk */
    uint64_t max_rows, first_row, nrows;
    size_t nstrings;         /* chunks along the second axis; 1 for a column without one */
    struct strings *strings; /* owned; nstrings of them */
    size_t budget;           /* of each */
};

struct sites_reader {
    const struct vcz *vcz;
    unsigned parts;
    struct decoder *decoder;
    size_t scratch_max;
    struct site_column contig, position, id, allele;
    struct str *row; /* one variant's alleles, if they are in several chunks; owned */
};

static int column_init_ints(struct sites_reader *reader, struct site_column *column,
                            const struct zarr_array *array, struct err *err)
{
    column->array = array;
    if (array == NULL)
        return 0;
    column->max_rows = size_min(array->meta.chunk[0],
                                size_max(INTS_MIN, reader->scratch_max / 16 / sizeof(int64_t)));
    column->ints = calloc(column->max_rows, sizeof *column->ints);
    if (column->ints == NULL)
        return err_nomem(err, "array %s", array->name);
    return 0;
}

static int column_init_strings(struct sites_reader *reader, struct site_column *column,
                               const struct zarr_array *array, struct err *err)
{
    column->array = array;
    if (array == NULL)
        return 0;
    column->nstrings = array->meta.ndim > 1 ? (size_t)array->meta.nchunks[1] : 1;
    column->budget = reader->scratch_max / 4 / (column->nstrings + 1);
    column->strings = calloc(column->nstrings + 1, sizeof *column->strings);
    if (column->strings == NULL)
        return err_nomem(err, "array %s", array->name);
    return 0;
}

static void column_free(struct site_column *column)
{
    free(column->ints);
    for (size_t i = 0; column->strings != NULL && i < column->nstrings; i++)
        strings_free(&column->strings[i]);
    free(column->strings);
}

static int open_columns(struct sites_reader *reader, struct err *err)
{
    const struct vcz *vcz = reader->vcz;
    const bool places = (reader->parts & VCZ_PLACES) != 0, ids = (reader->parts & VCZ_IDS) != 0;
    const bool alleles = (reader->parts & VCZ_ALLELES) != 0;

    if (column_init_ints(reader, &reader->contig, places ? vcz->contig : NULL, err) != 0 ||
        column_init_ints(reader, &reader->position, places ? vcz->position : NULL, err) != 0 ||
        column_init_strings(reader, &reader->id, ids ? vcz->id : NULL, err) != 0 ||
        column_init_strings(reader, &reader->allele, alleles ? vcz->allele : NULL, err) != 0)
        return -1;
    if (!alleles)
        return 0;
    reader->row = calloc(vcz->allele->meta.shape[1] + 1, sizeof *reader->row);
    return reader->row != NULL ? 0 : err_nomem(err, "a reader of sites");
}

struct sites_reader *sites_reader_of(const struct vcz *vcz, unsigned parts, size_t scratch_max,
                                     struct err *err)
{
    struct sites_reader *reader;

    if (vcz_need(vcz, parts, err) != 0)
        return NULL;
    reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        err_nomem(err, "a reader of sites");
        return NULL;
    }
    reader->vcz = vcz;
    reader->parts = parts;
    reader->scratch_max = scratch_max;
    reader->decoder = decoder_new(scratch_max, err);
    if (reader->decoder == NULL || open_columns(reader, err) != 0) {
        sites_reader_free(reader);
        return NULL;
    }
    return reader;
}

struct sites_reader *sites_reader_new(const struct vcz *vcz, size_t scratch_max, struct err *err)
{
    return sites_reader_of(vcz, VCZ_SITES, scratch_max, err);
}

void sites_reader_share(struct sites_reader *reader, struct chunk_table *table)
{
    decoder_share(reader->decoder, table);
}

void sites_reader_free(struct sites_reader *reader)
{
    if (reader == NULL)
        return;
    column_free(&reader->contig);
    column_free(&reader->position);
    column_free(&reader->id);
    column_free(&reader->allele);
    decoder_free(reader->decoder);
    free(reader->row);
    free(reader);
}

static int load_ints(struct sites_reader *reader, struct site_column *column, uint64_t chunk,
                     uint64_t row, struct err *err)
{
    const uint64_t index[ZARR_DIMS_MAX] = {chunk}, length = column->array->meta.chunk[0];
    const uint64_t n = size_min(column->max_rows, length - row);

    if (column->loaded && column->chunk == chunk && row >= column->first_row &&
        row - column->first_row < column->nrows)
        return 0;
    column->loaded = false;
    if (zarr_chunk_ints_at(reader->decoder, column->array, index, row, n, column->ints, err) != 0)
        return -1;
    column->first_row = row;
    column->nrows = n;
    return 0;
}

static int load_strings(struct sites_reader *reader, struct site_column *column, uint64_t chunk,
                        uint64_t row, struct err *err)
{
    const struct zarr_meta *meta = &column->array->meta;
    const uint64_t width = meta->ndim > 1 ? meta->chunk[1] : 1;
    const bool same = column->loaded && column->chunk == chunk;

    column->loaded = false;
    for (size_t i = 0; i < column->nstrings; i++) {
        const uint64_t index[ZARR_DIMS_MAX] = {chunk, i};
        struct strings *strings = &column->strings[i];

        if (same && strings_hold(strings, row * width, width))
            continue;
        if (zarr_chunk_strings_at(reader->decoder, column->array, index, row * width, width,
                                  column->budget, strings, err) != 0)
            return -1;
        if (!strings_hold(strings, row * width, width))
            return err_set(err, ERR_CORRUPT, "array %s, chunk %" PRIu64 ": too few strings",
                           column->array->name, chunk);
    }
    return 0;
}

/* Loads the part of the column that has `variant`; *row is its row in the chunk. */
static int column_seek(struct sites_reader *reader, struct site_column *column, uint64_t variant,
                       uint64_t *row, struct err *err)
{
    const uint64_t length = column->array->meta.chunk[0], chunk = variant / length;
    int rc;

    *row = variant % length;
    rc = column->ints != NULL ? load_ints(reader, column, chunk, *row, err)
                              : load_strings(reader, column, chunk, *row, err);
    if (rc == 0) {
        column->loaded = true;
        column->chunk = chunk;
        return 0;
    }
    return err_name(err, "%s", store_path(reader->vcz->store));
}

static int64_t column_int(const struct site_column *column, uint64_t row)
{
    return column->ints[row - column->first_row];
}

/* Element k of chunk i along the second axis; the row's following elements are behind it. */
static const struct str *column_str(const struct site_column *column, size_t i, uint64_t k)
{
    return column->strings[i].items + (k - column->strings[i].first);
}

int sites_get_place(struct sites_reader *reader, uint64_t variant, struct site *out,
                    struct err *err)
{
    const struct vcz *vcz = reader->vcz;
    uint64_t offset;

    *out = (struct site){.variant = variant, .contig_index = -1};
    if (variant >= vcz->nvariants)
        return err_set(err, ERR_USAGE, "%s has no variant %" PRIu64, store_path(vcz->store),
                       variant);
    if (reader->contig.array == NULL)
        return 0;
    if (column_seek(reader, &reader->contig, variant, &offset, err) != 0)
        return -1;
    out->contig_index = column_int(&reader->contig, offset);
    if (column_seek(reader, &reader->position, variant, &offset, err) != 0)
        return -1;
    out->position = column_int(&reader->position, offset);
    if (out->contig_index < 0 || (uint64_t)out->contig_index >= vcz->contigs.nitems)
        return err_set(err, ERR_CORRUPT,
                       "%s: array variant_contig: variant %" PRIu64 " is on contig %" PRId64
                       ", but contig_id has %zu entries",
                       store_path(vcz->store), variant, out->contig_index, vcz->contigs.nitems);
    if (out->position < 0)
        return err_set(err, ERR_CORRUPT,
                       "%s: array variant_position: variant %" PRIu64 " has position %" PRId64,
                       store_path(vcz->store), variant, out->position);
    out->contig = vcz->contigs.items[out->contig_index];
    return 0;
}

/* One variant's allele slots, consecutive. */
static const struct str *allele_row(struct sites_reader *reader, uint64_t offset)
{
    const struct zarr_meta *meta = &reader->allele.array->meta;

    if (reader->allele.nstrings == 1)
        return column_str(&reader->allele, 0, offset * meta->chunk[1]);
    for (uint64_t slot = 0; slot < meta->shape[1]; slot++)
        reader->row[slot] = *column_str(&reader->allele, (size_t)(slot / meta->chunk[1]),
                                        offset * meta->chunk[1] + slot % meta->chunk[1]);
    return reader->row;
}

/* bcftools uses "." in an ALT slot to say that there is no ALT. */
static bool slot_unused(const struct str *slot)
{
    return slot->len == 0 || (slot->len == 1 && slot->at[0] == '.');
}

/* If the user wants the fill value shown, a site without any allele gets an unknown REF. */
static int get_no_alleles(const struct vcz *vcz, struct site *out, struct err *err)
{
    static const struct str unknown = {.at = ".", .len = 1};
    const uint64_t nslots = vcz->allele->meta.shape[1];

    for (uint64_t slot = 0; slot < nslots; slot++)
        if (!vcz->fill || !slot_unused(&out->alleles[slot]))
            return err_set(err, ERR_CORRUPT,
                           "%s: array variant_allele: variant %" PRIu64 " has no REF",
                           store_path(vcz->store), out->variant);
    out->alleles = &unknown;
    out->nalleles = 1;
    return 0;
}

static int get_alleles(struct sites_reader *reader, struct site *out, struct err *err)
{
    const struct vcz *vcz = reader->vcz;
    uint64_t nslots = vcz->allele->meta.shape[1], offset, n;

    if (reader->allele.array == NULL)
        return 0;
    if (column_seek(reader, &reader->allele, out->variant, &offset, err) != 0)
        return -1;
    out->alleles = allele_row(reader, offset);
    if (out->alleles[0].len == 0)
        return get_no_alleles(vcz, out, err);
    for (n = 1; n < nslots && !slot_unused(&out->alleles[n]);)
        n++;
    out->nalleles = (unsigned)n;
    for (; n < nslots; n++)
        if (!slot_unused(&out->alleles[n]))
            return err_set(err, ERR_CORRUPT,
                           "%s: array variant_allele: variant %" PRIu64
                           " has an allele after an unused slot",
                           store_path(vcz->store), out->variant);
    return 0;
}

static int get_id(struct sites_reader *reader, struct site *out, struct err *err)
{
    uint64_t offset;

    out->id = (struct str){.at = ".", .len = 1};
    if (reader->id.array == NULL)
        return 0;
    if (column_seek(reader, &reader->id, out->variant, &offset, err) != 0)
        return -1;
    if (column_str(&reader->id, 0, offset)->len > 0)
        out->id = *column_str(&reader->id, 0, offset);
    return 0;
}

int sites_get(struct sites_reader *reader, uint64_t variant, struct site *out, struct err *err)
{
    if (sites_get_place(reader, variant, out, err) != 0 || get_id(reader, out, err) != 0)
        return -1;
    return get_alleles(reader, out, err);
}

uint64_t sites_stride(const struct vcz *vcz)
{
    const struct zarr_array *longest = vcz->allele != NULL ? vcz->allele : vcz->genotype;

    return longest != NULL ? longest->meta.chunk[0] : 1;
}

void sites_reader_use(struct sites_reader *reader, const struct chunk_need *need)
{
    decoder_use(reader->decoder, need);
}

void sites_reader_stats(const struct sites_reader *reader, struct decoder_stats *out)
{
    decoder_stats(reader->decoder, out);
}

void sites_reader_rest(struct sites_reader *reader)
{
    decoder_rest(reader->decoder);
}

void sites_reader_trim(struct sites_reader *reader)
{
    decoder_trim(reader->decoder);
}

/* ---- What sites need ---- */

/* True if the row is loaded; then *end is the end of the rows that are loaded with it. */
static bool is_at_hand(const struct site_column *column, uint64_t chunk, uint64_t row,
                       uint64_t *end)
{
    const struct zarr_meta *meta = &column->array->meta;
    const uint64_t width = meta->ndim > 1 ? meta->chunk[1] : 1;

    if (!column->loaded || column->chunk != chunk)
        return false;
    if (column->ints != NULL) {
        *end = column->first_row + column->nrows;
        return row >= column->first_row && row < *end;
    }
    *end = meta->chunk[0];
    for (size_t i = 0; i < column->nstrings; i++) {
        const struct strings *strings = &column->strings[i];

        if (!strings_hold(strings, row * width, width))
            return false;
        *end = size_min(*end, (strings->first + strings->nitems) / width);
    }
    return true;
}

/* Asks for rows [row, *end) of the chunk, which are read at once. */
static enum need need_rows(struct sites_need *sites, struct site_column *column, uint64_t chunk,
                           uint64_t row, uint64_t *end, struct err *err)
{
    const struct zarr_meta *meta = &column->array->meta;
    const uint64_t width = meta->ndim > 1 ? meta->chunk[1] : 1;
    enum need answer = NEED_THERE, here;

    *end = column->ints != NULL ? size_min(row + column->max_rows, meta->chunk[0]) : meta->chunk[0];
    for (size_t i = 0; i < size_max(column->nstrings, 1); i++) {
        const uint64_t index[ZARR_DIMS_MAX] = {chunk, i};

        here = zarr_need_elements(sites->reader->decoder, column->array, index, row * width,
                                  (*end - row) * width, sites->need, err);
        answer = need_worse(answer, here);
        if (answer == NEED_FAILED || answer >= NEED_FULL)
            break;
    }
    return answer;
}

void sites_need_add(struct sites_need *sites, uint64_t variant, struct err *err)
{
    struct sites_reader *reader = sites->reader;
    struct site_column *const columns[] = {&reader->contig, &reader->position, &reader->id,
                                           &reader->allele};

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        struct site_column *column = columns[i];
        uint64_t chunk, row, end = 0;

        if (column->array == NULL || variant < sites->known_until[i] ||
            sites->answer == NEED_FAILED || sites->answer >= NEED_FULL)
            continue;
        chunk = variant / column->array->meta.chunk[0];
        row = variant % column->array->meta.chunk[0];
        if (!is_at_hand(column, chunk, row, &end))
            sites->answer =
                need_worse(sites->answer, need_rows(sites, column, chunk, row, &end, err));
        sites->known_until[i] = variant + (end - row);
    }
}
