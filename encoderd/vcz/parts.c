/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/parts.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/axes.h"
#include "encoderd/vcz/recognise.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Far more than any variant caller emits; a wider axis means a broken or hostile store. */
#define ALLELES_MAX 65536

/* A limit that keeps sums and products of variants, samples, ploidy and bytes far from overflow. */
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

/* *out is NULL if the group has no such array. */
static int open_array(const struct vcz *vcz, const char *name, enum want want, unsigned ndim,
                      struct zarr_array **out, struct err *err)
{
    if (zarr_array_open(vcz->group, name, out, err) != 0)
        return err_name(err, "%s", store_path(vcz->store));
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
        return err_set(err, ERR_NOT_FOUND,
                       "%s: array %s is missing, and every VCF Zarr store must have it: %s",
                       store_path(vcz->store), name, recognise_missing(vcz->store));
    return 0;
}

/* ---- Calls ---- */

static int open_genotype(struct vcz *vcz, struct err *err)
{
    if (open_array(vcz, "call_genotype", WANT_SIGNED, 3, &vcz->genotype, err) != 0)
        return -1;
    if (vcz->genotype != NULL)
        return 0;
    if (recognise_unfinished(vcz->store) != NULL)
        return err_set(err, ERR_NOT_FOUND, "%s has no genotypes yet: %s", store_path(vcz->store),
                       recognise_unfinished(vcz->store));
    return err_set(err, ERR_DATA,
                   "%s has no genotypes: there is no array call_genotype in it, so there is "
                   "nothing that a genotype file could show",
                   store_path(vcz->store));
}

/* Takes the numbers of variants and samples from call_genotype. */
static int open_calls(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    const uint64_t *shape;
    uint64_t calls;

    (void)decoder;
    if (open_genotype(vcz, err) != 0)
        return -1;
    shape = vcz->genotype->meta.shape;
    if (!size_mul(shape[0], shape[1], &calls) || calls > CALLS_MAX || shape[0] > CALLS_MAX)
        return err_set(err, ERR_CORRUPT,
                       "%s: call_genotype claims %" PRIu64 " variants of %" PRIu64 " samples",
                       store_path(vcz->store), shape[0], shape[1]);
    vcz->variants_from = "call_genotype";
    vcz->nvariants = shape[0];
    vcz->nsamples_stored = shape[1];
    vcz->ploidy = (unsigned)size_min(shape[2], UINT_MAX);
    if (shape[2] >= 1 && shape[2] <= 2)
        return 0;
    return err_set(err, shape[2] == 0 ? ERR_CORRUPT : ERR_UNSUPPORTED,
                   "%s: call_genotype has ploidy %" PRIu64
                   "; the formats that vczfs shows hold ploidy 1 and 2",
                   store_path(vcz->store), shape[2]);
}

static int differs(const struct vcz *vcz, const struct zarr_array *array, uint64_t length,
                   const char *what, const char *other, uint64_t other_length, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s: array %s has %" PRIu64 " %s, but %s has %" PRIu64,
                   store_path(vcz->store), array->name, length, what, other, other_length);
}

/* In a store without calls, the first array of sites gives the number of variants. */
static int check_variants(struct vcz *vcz, const struct zarr_array *array, const char *name,
                          struct err *err)
{
    const uint64_t n = array->meta.shape[0];

    if (n > CALLS_MAX)
        return err_set(err, ERR_CORRUPT, "%s: array %s claims %" PRIu64 " variants",
                       store_path(vcz->store), name, n);
    if (vcz->variants_from == NULL) {
        vcz->variants_from = name;
        vcz->nvariants = n;
    }
    if (n == vcz->nvariants)
        return 0;
    return differs(vcz, array, n, "variants", vcz->variants_from, vcz->nvariants, err);
}

/* ---- Sites ---- */

static int open_column(struct vcz *vcz, const char *name, enum want want, unsigned ndim,
                       struct zarr_array **out, struct err *err)
{
    if (require_array(vcz, name, want, ndim, out, err) != 0)
        return -1;
    return check_variants(vcz, *out, name, err);
}

/* Reads a whole one-dimensional array of strings; *out is empty if that fails. */
static int read_strings(const struct vcz *vcz, struct decoder *decoder,
                        const struct zarr_array *array, struct strings *out, struct err *err)
{
    int rc = zarr_array_strings(decoder, array, out, err);

    if (rc != 0)
        err_name(err, "%s", store_path(vcz->store));
    else if (out->nitems != array->meta.shape[0])
        rc = err_set(err, ERR_CORRUPT, "%s: array %s ends early", store_path(vcz->store),
                     array->name);
    if (rc == 0)
        return 0;
    strings_free(out);
    *out = (struct strings){0};
    return -1;
}

/* VCF Zarr 0.1, as sgkit 0.5 wrote it, has the contigs' names in an attribute of the group. */
static int add_contig(const char *text, size_t len, void *arg)
{
    struct strings *contigs = arg;

    buf_append(&contigs->bytes, text, len);
    contigs->cap += 1;
    return 0;
}

static int place_contig(const char *text, size_t len, void *arg)
{
    struct strings *contigs = arg;
    const struct str *before = contigs->nitems > 0 ? &contigs->items[contigs->nitems - 1] : NULL;
    const char *at = before != NULL ? before->at + before->len : (const char *)contigs->bytes.data;

    (void)text;
    contigs->items[contigs->nitems++] = (struct str){.at = at, .len = len};
    return 0;
}

/* Returns 1 if the attribute is there, 0 if not. */
static int contigs_from_attribute(const struct zarr_group *group, struct strings *out,
                                  struct err *err)
{
    if (!zarr_group_attr_list(group, "contigs", add_contig, out))
        return 0;
    out->items = calloc(out->cap + 1, sizeof *out->items);
    if (out->items == NULL || out->bytes.failed)
        return err_nomem(err, "%zu contigs", out->cap);
    zarr_group_attr_list(group, "contigs", place_contig, out);
    return 1;
}

static int open_contigs(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    struct zarr_array *array = NULL;
    int rc = open_array(vcz, "contig_id", WANT_STRING, 1, &array, err);

    if (rc == 0 && array == NULL) {
        rc = contigs_from_attribute(vcz->group, &vcz->contigs, err);
        if (rc > 0)
            return 0;
        if (rc == 0)
            rc = require_array(vcz, "contig_id", WANT_STRING, 1, &array, err);
    }
    if (rc == 0)
        rc = read_strings(vcz, decoder, array, &vcz->contigs, err);
    zarr_array_free(array);
    return rc;
}

static int open_places(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    if (open_column(vcz, "variant_contig", WANT_INTEGER, 1, &vcz->contig, err) != 0 ||
        open_column(vcz, "variant_position", WANT_INTEGER, 1, &vcz->position, err) != 0)
        return -1;
    return open_contigs(vcz, decoder, err);
}

static int open_alleles(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    uint64_t slots;

    (void)decoder;
    if (open_column(vcz, "variant_allele", WANT_STRING, 2, &vcz->allele, err) != 0)
        return -1;
    slots = vcz->allele->meta.shape[1];
    if ((slots == 0 && vcz->nvariants > 0) || slots > ALLELES_MAX)
        return err_set(err, ERR_CORRUPT,
                       "%s: array variant_allele has room for %" PRIu64
                       " alleles a variant; 1 to %d are possible",
                       store_path(vcz->store), slots, ALLELES_MAX);
    return 0;
}

/* Closes an array that is faulty: it must not be read. The fault that is kept says that the store
 * has it. */
static int drop_faulty(struct zarr_array **array)
{
    zarr_array_free(*array);
    *array = NULL;
    return -1;
}

static int open_ids(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    (void)decoder;
    if (open_array(vcz, "variant_id", WANT_STRING, 1, &vcz->id, err) != 0)
        return -1;
    if (vcz->id == NULL || check_variants(vcz, vcz->id, "variant_id", err) == 0)
        return 0;
    return drop_faulty(&vcz->id);
}

static int open_phase(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    const uint64_t *shape;

    (void)decoder;
    if (open_array(vcz, "call_genotype_phased", WANT_FLAG, 2, &vcz->phased, err) != 0)
        return -1;
    if (vcz->phased == NULL)
        return 0;
    shape = vcz->phased->meta.shape;
    if (check_variants(vcz, vcz->phased, "call_genotype_phased", err) != 0)
        return drop_faulty(&vcz->phased);
    if (vcz->genotype == NULL || shape[1] == vcz->nsamples_stored)
        return 0;
    differs(vcz, vcz->phased, shape[1], "samples", "call_genotype", vcz->nsamples_stored, err);
    return drop_faulty(&vcz->phased);
}

/* ---- Samples ---- */

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
        return err_nomem(err, "%" PRIu64 " samples", vcz->nsamples);
    memcpy(sorted, vcz->sample_id, vcz->nsamples * sizeof *sorted);
    qsort(sorted, vcz->nsamples, sizeof *sorted, compare_names);
    for (uint64_t i = 1; i < vcz->nsamples; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            return err_set(err, ERR_DATA,
                           "%s: array sample_id has sample %s twice; sample IDs must differ",
                           store_path(vcz->store), text_show(&sorted[i], shown));
    return 0;
}

/* Null samples (empty IDs) are removed here, once for every view: the other IDs move up in
 * `strings`, whose stored order nothing else uses. */
static int keep_samples(struct vcz *vcz, struct err *err)
{
    struct strings *stored = &vcz->sample_strings;

    vcz->sample_id = stored->items;
    vcz->sample_column = calloc(stored->nitems + 1, sizeof *vcz->sample_column);
    if (vcz->sample_column == NULL)
        return err_nomem(err, "%zu samples", stored->nitems);
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

/* `vczstore create` copies sites and some sample_id from other stores, but no calls. */
static int refuse_no_calls(const struct vcz *vcz, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "%s has no samples yet: nothing is appended to the store that `vczstore create` "
                   "made (%" PRIu64 " variants); `vczstore append %s IN.vcz` does so",
                   store_path(vcz->store), vcz->nvariants, store_path(vcz->store));
}

static int open_samples(struct vcz *vcz, struct decoder *decoder, struct err *err)
{
    struct zarr_array *array = NULL;
    int rc = require_array(vcz, "sample_id", WANT_STRING, 1, &array, err);
    const uint64_t n = rc == 0 ? array->meta.shape[0] : 0;

    if (rc == 0 && vcz->genotype == NULL)
        vcz->nsamples_stored = n;
    if (rc == 0 && n > 0 && vcz->genotype != NULL && vcz->genotype->meta.shape[1] == 0)
        rc = refuse_no_calls(vcz, err);
    else if (rc == 0 && n != vcz->nsamples_stored)
        rc = differs(vcz, array, n, "samples", "call_genotype", vcz->nsamples_stored, err);
    if (rc == 0)
        rc = read_strings(vcz, decoder, array, &vcz->sample_strings, err);
    if (rc == 0)
        rc = keep_samples(vcz, err);
    zarr_array_free(array);
    return rc;
}

int parts_open(struct vcz *vcz, enum vcz_part part, struct decoder *decoder, struct err *err)
{
    switch (part) {
    case VCZ_CALLS:
        return open_calls(vcz, decoder, err);
    case VCZ_SAMPLES:
        return open_samples(vcz, decoder, err);
    case VCZ_PLACES:
        return open_places(vcz, decoder, err);
    case VCZ_ALLELES:
        return open_alleles(vcz, decoder, err);
    case VCZ_IDS:
        return open_ids(vcz, decoder, err);
    case VCZ_PHASE:
        return open_phase(vcz, decoder, err);
    }
    return 0;
}
