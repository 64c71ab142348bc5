#include "encoderd/vcz/vcz.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/axes.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Far more than any caller emits; a wider axis is a broken or hostile store. */
#define ALLELES_MAX 65536

/* So that sums and products of variants, samples, ploidy and bytes stay far from overflow. */
#define CALLS_MAX (UINT64_C(1) << 60)

enum want { WANT_SIGNED, WANT_INTEGER, WANT_FLAG, WANT_STRING };

static const char *const want_text[] = {
    [WANT_SIGNED] = "signed integers of 1, 2, 4 or 8 bytes",
    [WANT_INTEGER] = "integers",
    [WANT_FLAG] = "booleans or integers",
    [WANT_STRING] = "strings",
};

static bool dtype_is(const struct dtype *dtype, enum want want)
{
    bool integer = dtype->kind == DTYPE_INT || dtype->kind == DTYPE_UINT;

    switch (want) {
    case WANT_SIGNED:
        return dtype->kind == DTYPE_INT && dtype->size >= 1 && dtype->size <= 8 &&
               (dtype->size & (dtype->size - 1)) == 0;
    case WANT_INTEGER:
        return integer;
    case WANT_FLAG:
        return integer || dtype->kind == DTYPE_BOOL;
    case WANT_STRING:
        return dtype->kind == DTYPE_STRING || dtype->kind == DTYPE_BYTES ||
               dtype->kind == DTYPE_UCS4;
    }
    return false;
}

static int check_form(const struct zarr_array *array, enum want want, unsigned ndim,
                      struct err *err)
{
    char name[32];

    if (!dtype_is(&array->meta.dtype, want))
        return err_set(err, ERR_UNSUPPORTED, "%s: array %s holds %s, where VCF Zarr has %s",
                       store_path(array->store), array->name,
                       dtype_name(&array->meta.dtype, name, sizeof name), want_text[want]);
    if (array->meta.ndim != ndim)
        return err_set(err, ERR_CORRUPT, "%s: array %s has %u dimensions, where VCF Zarr has %u",
                       store_path(array->store), array->name, array->meta.ndim, ndim);
    return 0;
}

/* Messages of the layers below name the array or file; the user also wants to know which store. */
static int name_store(const char *path, struct err *err)
{
    if (err != NULL && strstr(err->msg, path) == NULL)
        err_prefix(err, "%s", path);
    return -1;
}

/* *out is NULL if the group has no such array. */
static int open_array(const struct vcz *vcz, const char *name, enum want want, unsigned ndim,
                      struct zarr_array **out, struct err *err)
{
    if (zarr_array_open(vcz->group, name, out, err) != 0)
        return name_store(store_path(vcz->store), err);
    if (*out == NULL ||
        (check_form(*out, want, ndim, err) == 0 && axes_check(vcz->group, *out, err) == 0))
        return 0;
    zarr_array_free(*out);
    *out = NULL;
    return -1;
}

static int require_array(const struct vcz *vcz, const char *name, enum want want, unsigned ndim,
                         struct zarr_array **out, struct err *err)
{
    if (open_array(vcz, name, want, ndim, out, err) != 0)
        return -1;
    if (*out == NULL)
        return err_set(
            err, ERR_NOT_FOUND,
            "%s: array %s is missing, and every VCF Zarr store must have it: the store is "
            "incomplete; convert the VCF again",
            store_path(vcz->store), name);
    return 0;
}

static int open_genotype(struct vcz *vcz, struct err *err)
{
    if (open_array(vcz, "call_genotype", WANT_SIGNED, 3, &vcz->genotype, err) != 0)
        return -1;
    if (vcz->genotype == NULL)
        return err_set(err, ERR_DATA,
                       "%s has no genotypes: there is no array call_genotype in it, so there is "
                       "nothing that a genotype file could show",
                       store_path(vcz->store));
    return 0;
}

/* Takes the store's size from call_genotype. */
static int check_genotype(struct vcz *vcz, struct err *err)
{
    const uint64_t *shape = vcz->genotype->meta.shape;
    uint64_t calls;

    if (shape[2] < 1 || shape[2] > 2)
        return err_set(err, shape[2] == 0 ? ERR_CORRUPT : ERR_UNSUPPORTED,
                       "%s: call_genotype has ploidy %" PRIu64
                       "; the formats that vczfs shows hold ploidy 1 and 2",
                       store_path(vcz->store), shape[2]);
    if (!size_mul(shape[0], shape[1], &calls) || calls > CALLS_MAX || shape[0] > CALLS_MAX)
        return err_set(err, ERR_CORRUPT,
                       "%s: call_genotype claims %" PRIu64 " variants of %" PRIu64 " samples",
                       store_path(vcz->store), shape[0], shape[1]);
    vcz->nvariants = shape[0];
    vcz->nsamples_stored = shape[1];
    vcz->ploidy = (unsigned)shape[2];
    return 0;
}

static int check_length(const struct vcz *vcz, const struct zarr_array *array, unsigned axis,
                        const char *what, uint64_t length, struct err *err)
{
    if (array == NULL || array->meta.shape[axis] == length)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "%s: array %s has %" PRIu64 " %s, but call_genotype has %" PRIu64,
                   store_path(vcz->store), array->name, array->meta.shape[axis], what, length);
}

static int check_shapes(const struct vcz *vcz, struct err *err)
{
    uint64_t slots = vcz->allele->meta.shape[1];

    if (check_length(vcz, vcz->phased, 0, "variants", vcz->nvariants, err) != 0 ||
        check_length(vcz, vcz->phased, 1, "samples", vcz->nsamples_stored, err) != 0 ||
        check_length(vcz, vcz->contig, 0, "variants", vcz->nvariants, err) != 0 ||
        check_length(vcz, vcz->position, 0, "variants", vcz->nvariants, err) != 0 ||
        check_length(vcz, vcz->allele, 0, "variants", vcz->nvariants, err) != 0 ||
        check_length(vcz, vcz->id, 0, "variants", vcz->nvariants, err) != 0)
        return -1;
    if ((slots == 0 && vcz->nvariants > 0) || slots > ALLELES_MAX)
        return err_set(err, ERR_CORRUPT,
                       "%s: array variant_allele has room for %" PRIu64
                       " alleles a variant; 1 to %d are possible",
                       store_path(vcz->store), slots, ALLELES_MAX);
    return 0;
}

static int open_arrays(struct vcz *vcz, struct err *err)
{
    if (open_genotype(vcz, err) != 0 || check_genotype(vcz, err) != 0 ||
        open_array(vcz, "call_genotype_phased", WANT_FLAG, 2, &vcz->phased, err) != 0 ||
        require_array(vcz, "variant_contig", WANT_INTEGER, 1, &vcz->contig, err) != 0 ||
        require_array(vcz, "variant_position", WANT_INTEGER, 1, &vcz->position, err) != 0 ||
        require_array(vcz, "variant_allele", WANT_STRING, 2, &vcz->allele, err) != 0 ||
        open_array(vcz, "variant_id", WANT_STRING, 1, &vcz->id, err) != 0)
        return -1;
    return check_shapes(vcz, err);
}

/* A whole one-dimensional array of strings; its length must be `length` unless that is UINT64_MAX. */
static int read_names(const struct vcz *vcz, struct decoder *decoder, const char *name,
                      uint64_t length, struct strings *out, struct err *err)
{
    struct zarr_array *array = NULL;
    int rc = require_array(vcz, name, WANT_STRING, 1, &array, err);

    if (rc == 0 && length != UINT64_MAX)
        rc = check_length(vcz, array, 0, "samples", length, err);
    if (rc == 0 && zarr_array_strings(decoder, array, out, err) != 0)
        rc = name_store(store_path(vcz->store), err);
    if (rc == 0 && out->nitems != array->meta.shape[0])
        rc = err_set(err, ERR_CORRUPT, "%s: array %s ends early", store_path(vcz->store), name);
    zarr_array_free(array);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    size_t least = x->len < y->len ? x->len : y->len;
    int order = least > 0 ? memcmp(x->at, y->at, least) : 0;

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static bool ascends(const struct str *names, uint64_t n)
{
    for (uint64_t i = 1; i < n; i++)
        if (compare_names(&names[i - 1], &names[i]) >= 0)
            return false;
    return true;
}

static int check_duplicates(const struct vcz *vcz, struct err *err)
{
    AUTO_FREE struct str *sorted = NULL;
    char shown[TEXT_SHOW_MAX];

    if (ascends(vcz->sample_id, vcz->nsamples))
        return 0;
    sorted = malloc(vcz->nsamples * sizeof *sorted);
    if (sorted == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %" PRIu64 " samples", vcz->nsamples);
    memcpy(sorted, vcz->sample_id, vcz->nsamples * sizeof *sorted);
    qsort(sorted, vcz->nsamples, sizeof *sorted, compare_names);
    for (uint64_t i = 1; i < vcz->nsamples; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            return err_set(err, ERR_DATA,
                           "%s: array sample_id has sample %s twice; sample IDs must differ",
                           store_path(vcz->store), text_show(&sorted[i], shown));
    return 0;
}

/* Null samples (empty IDs) are left out here, once, for every view: what is left moves up in the strings, which
 * nobody reads as they were stored. */
static int read_samples(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    struct strings *stored = &vcz->sample_strings;

    if (read_names(vcz, decoder, "sample_id", vcz->nsamples_stored, stored, err) != 0)
        return -1;
    vcz->sample_id = stored->items;
    vcz->sample_column = calloc(stored->nitems + 1, sizeof *vcz->sample_column);
    if (vcz->sample_column == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %zu samples", stored->nitems);
    for (size_t i = 0; i < stored->nitems; i++) {
        if (stored->items[i].len == 0)
            continue;
        stored->items[vcz->nsamples] = stored->items[i];
        vcz->sample_column[vcz->nsamples++] = i;
    }
    if (vcz->nsamples == 0 && stored->nitems > 0)
        return err_set(err, ERR_DATA,
                       "%s has no samples: all %zu entries of the array sample_id are empty",
                       store_path(vcz->store), stored->nitems);
    if (vcz->nsamples == 0)
        return err_set(err, ERR_DATA, "%s has no samples: the array sample_id is empty",
                       store_path(vcz->store));
    return check_duplicates(vcz, err);
}

static int open_group(const char *path, unsigned store_flags, struct spill *spill, int64_t since,
                      struct vcz *vcz, struct err *err)
{
    if (store_open_with(path, store_flags, &vcz->store, err) != 0)
        return name_store(path, err);
    store_set_spill(vcz->store, spill);
    store_watch_from(vcz->store, since);
    if (zarr_group_open(vcz->store, &vcz->group, err) != 0)
        return name_store(path, err);
    if (zarr_group_attr(vcz->group, "vcf_zarr_version") == NULL)
        return err_set(err, ERR_DATA,
                       "%s is not a VCF Zarr store: its group has no attribute vcf_zarr_version; "
                       "vcf2zarr makes such stores from VCF files",
                       path);
    return 0;
}

int vcz_open_with(const char *path, unsigned store_flags, struct spill *spill, int64_t since,
                  size_t scratch_max, struct vcz **out, struct err *err)
{
    struct vcz *vcz = calloc(1, sizeof *vcz);
    struct decoder *decoder = NULL;
    int rc = -1;

    *out = NULL;
    if (vcz == NULL)
        return err_set(err, ERR_MEMORY, "out of memory while opening %s", path);
    if (open_group(path, store_flags, spill, since, vcz, err) != 0 || open_arrays(vcz, err) != 0)
        goto done;
    decoder = decoder_new(scratch_max, err);
    if (decoder == NULL || read_samples(vcz, decoder, err) != 0 ||
        read_names(vcz, decoder, "contig_id", UINT64_MAX, &vcz->contigs, err) != 0)
        goto done;
    *out = steal_ptr(&vcz);
    rc = 0;
done:
    decoder_free(decoder);
    vcz_free(vcz);
    return rc;
}

int vcz_open(const char *path, size_t scratch_max, struct vcz **out, struct err *err)
{
    return vcz_open_with(path, 0, NULL, INT64_MAX, scratch_max, out, err);
}

void vcz_free(struct vcz *vcz)
{
    if (vcz == NULL)
        return;
    strings_free(&vcz->contigs);
    strings_free(&vcz->sample_strings);
    free(vcz->sample_column);
    zarr_array_free(vcz->id);
    zarr_array_free(vcz->allele);
    zarr_array_free(vcz->position);
    zarr_array_free(vcz->contig);
    zarr_array_free(vcz->phased);
    zarr_array_free(vcz->genotype);
    zarr_group_free(vcz->group);
    store_free(vcz->store);
    free(vcz);
}
