/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/vcz_open.h"

#include "common/cleanup.h"
#include "encoderd/vcz/early.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/parts.h"
#include "encoderd/vcz/recognise.h"

#include <inttypes.h>
#include <stdlib.h>

/* Files of chunks of sites that stay open from one pass to the next one, each of which is worth a
 * round trip at a distance: as many as a store of half a million variants has. */
#define OPEN_MOST 2048

static int open_store(const char *path, const struct vcz_opening *how, struct vcz *vcz,
                      struct err *err)
{
    if (recognise_path(path, err) != 0)
        return -1;
    if (store_open_with(path, how->store_flags, &vcz->store, err) != 0)
        return -1;
    store_set_spill(vcz->store, how->spill);
    store_watch_from(vcz->store, how->since);
    vcz->table = chunk_table_new(err);
    if (vcz->table == NULL)
        return -1;
    chunk_table_keep_open(vcz->table, OPEN_MOST);
    return 0;
}

#define NHERE ((size_t)10)

static int open_group(struct vcz *vcz, struct err *err)
{
    /* Those that are asked for here, and then those that a choice of variants may ask for. */
    static const char *const arrays[] = {
        "call_genotype",  "sample_id",      "variant_contig",       "variant_position", "contig_id",
        "variant_allele", "variant_id",     "call_genotype_phased", "call_DS",          "call_GP",
        "region_index",   "variant_length", "variant_quality",      "variant_filter",   "filter_id",
    };
    const size_t n = store_is_far(vcz->store) ? sizeof arrays / sizeof arrays[0] : NHERE;
    struct err known = {0};

    if (zarr_group_open_with(vcz->store, arrays, n, &vcz->group, err) == 0) {
        vcz->version = zarr_group_attr_text(vcz->group, "vcf_zarr_version");
        return 0;
    }
    if (err != NULL && err_is_of_store(err) && recognise_tree(vcz->store, &known) != 0) {
        *err = known;
        return -1;
    }
    return err_name(err, "%s", store_path(vcz->store));
}

/* Keeps the faults of the store; fails, with *err, only on faults of the system. */
static int open_parts(struct vcz *vcz, size_t scratch_max, struct err *err)
{
    struct decoder *decoder = decoder_new(scratch_max, err);
    int rc = decoder != NULL ? 0 : -1;

    if (decoder != NULL)
        decoder_share(decoder, vcz->table);
    for (unsigned i = 0; i < VCZ_NPARTS && rc == 0; i++) {
        struct err *fault = &vcz->faults[i];

        if (parts_open(vcz, 1u << i, decoder, fault) == 0 || err_is_of_store(fault))
            continue;
        if (err != NULL)
            *err = *fault;
        rc = -1;
    }
    decoder_free(decoder);
    return rc;
}

/* True if the store has the part, even if it cannot be shown or is damaged. */
static bool is_there(const struct vcz *vcz, enum vcz_part part)
{
    struct err why = {0};

    return vcz_need(vcz, part, &why) == 0 ||
           (why.code != ERR_NOT_FOUND && (part != VCZ_CALLS || why.code != ERR_DATA));
}

/* Early writers of VCF Zarr write no version, and neither does sgkit when it saves results. If
 * everything else is there, the store is accepted. */
static int check_version(struct vcz *vcz, struct err *err)
{
    if (vcz->version != NULL)
        return 0;
    if (!is_there(vcz, VCZ_CALLS) || !is_there(vcz, VCZ_SAMPLES) || !is_there(vcz, VCZ_PLACES) ||
        !is_there(vcz, VCZ_ALLELES))
        return recognise_group(vcz->store, err);
    notices_add(
        &vcz->notices,
        "%s does not say that it is a VCF Zarr store (no attribute vcf_zarr_version); it is "
        "read as one, as all that such a store must have is there",
        store_path(vcz->store));
    return 0;
}

/* sgkit's vcf_to_zarr keeps only as many ALTs as its option allows, but does not change the
 * calls. */
static void note_lost_alleles(struct vcz *vcz)
{
    uint64_t seen, kept;

    if (vcz->allele == NULL || vcz->allele->meta.shape[1] == 0 ||
        !zarr_group_attr_count(vcz->group, "max_alt_alleles_seen", &seen))
        return;
    kept = vcz->allele->meta.shape[1] - 1;
    if (seen > kept)
        notices_add(&vcz->notices,
                    "%s lacks alleles: variants of its VCF had up to %" PRIu64
                    " ALTs, of which at most %" PRIu64
                    " were stored (max_alt_alleles of sgkit's vcf_to_zarr); variants with more are "
                    "shown with those, and reading a call of a lost one fails",
                    store_path(vcz->store), seen, kept);
}

static void note_stale(struct vcz *vcz)
{
    size_t n;
    const char *name = zarr_group_stale(vcz->group, &n);

    if (name != NULL)
        notices_add(&vcz->notices, "%s: " ZARR_STALE_TEXT, store_path(vcz->store),
                    zarr_group_copy(vcz->group), name, n);
}

/* A user with imputed data should know that the dosages are not shown. */
static void note_dosages(struct vcz *vcz)
{
    static const char *const names[] = {"call_DS", "call_GP"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zarr_array *array = NULL;
        struct err unreadable; /* unreadable is not absent */

        if (zarr_array_open(vcz->group, names[i], &array, &unreadable) == 0 && array == NULL)
            continue;
        zarr_array_free(array);
        notices_add(&vcz->notices,
                    "%s has imputed dosages (%s), which are not shown: the files hold the hard "
                    "calls of call_genotype",
                    store_path(vcz->store), names[i]);
        return;
    }
}

/* The parts, and what is said of them. */
static int open_contents(struct vcz *vcz, const struct vcz_opening *how, struct err *err)
{
    vcz->sites_soon = how->sites_soon;
    vcz->early = early_begin(vcz->group, vcz->store, vcz->table, how->sites_soon);
    if (open_parts(vcz, how->scratch_max, err) != 0 || check_version(vcz, err) != 0)
        return -1;
    note_stale(vcz);
    note_lost_alleles(vcz);
    note_dosages(vcz);
    return 0;
}

int vcz_open_with(const char *path, const struct vcz_opening *how, struct vcz **out,
                  struct err *err)
{
    struct vcz *vcz = calloc(1, sizeof *vcz);

    *out = NULL;
    if (vcz == NULL)
        return err_nomem(err, "opening %s", path);
    if (open_store(path, how, vcz, err) == 0 && open_group(vcz, err) == 0 &&
        open_contents(vcz, how, err) == 0) {
        *out = vcz;
        return 0;
    }
    vcz_free(vcz);
    return -1;
}

int vcz_open(const char *path, size_t scratch_max, struct vcz **out, struct err *err)
{
    const struct vcz_opening how = {.since = INT64_MAX, .scratch_max = scratch_max};

    if (vcz_open_with(path, &how, out, err) != 0)
        return -1;
    if (vcz_need(*out, VCZ_ALL, err) == 0)
        return 0;
    vcz_free(*out);
    *out = NULL;
    return -1;
}

void vcz_watched(struct vcz *vcz, bool is_written)
{
    early_end(vcz->early);
    vcz->early = NULL;
    chunk_table_forget_absent(vcz->table);
    if (is_written)
        chunk_table_trim(vcz->table);
}

void vcz_forget(struct vcz *vcz)
{
    early_end(vcz->early);
    chunk_table_free(vcz->table);
    vcz->early = NULL;
    vcz->table = NULL;
    if (vcz->group != NULL)
        zarr_group_forget(vcz->group);
}

void vcz_free(struct vcz *vcz)
{
    if (vcz == NULL)
        return;
    vcz_forget(vcz);
    holes_free(vcz->holes);
    notices_clear(&vcz->notices);
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
    free(vcz->version);
    free(vcz);
}
