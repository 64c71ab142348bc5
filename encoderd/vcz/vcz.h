/*
 * vcz: a VCF Zarr store: what it holds, checked once, at open.
 *
 * Specification: VCF Zarr 0.4 (sgkit-dev/vcf-zarr-spec); FORMATS.md, "In". Knows no output format.
 * Immutable after vcz_open, so safe to use from several threads, each with its own decoder.
 */
#ifndef VCZFS_VCZ_VCZ_H
#define VCZFS_VCZ_VCZ_H

#include "encoderd/zarr/array.h"
#include "encoderd/zarr/chunk.h"

#define VCZ_INT_MISSING (-1)
#define VCZ_INT_FILL    (-2)

struct vcz {
    struct store *store;
    struct zarr_group *group;

    struct zarr_array *genotype; /* call_genotype (variants, samples, ploidy) */
    struct zarr_array *phased;   /* call_genotype_phased (variants, samples), or NULL */
    struct zarr_array *contig;   /* variant_contig */
    struct zarr_array *position; /* variant_position */
    struct zarr_array *allele;   /* variant_allele (variants, alleles) */
    struct zarr_array *id;       /* variant_id, or NULL */

    uint64_t nvariants;
    unsigned ploidy; /* 1 or 2 */

    /* Samples as stored; a null sample (empty ID) is not a sample and has no entry below. */
    uint64_t nsamples_stored;
    uint64_t nsamples;
    uint64_t *sample_column;     /* nsamples: column in call_genotype, ascending */
    const struct str *sample_id; /* nsamples; in sample_strings */
    struct strings sample_strings;

    struct strings contigs;
};

/*
 * Opens and checks: a group with `vcf_zarr_version`, the arrays that every view needs, their dtypes and
 * shapes against each other, ploidy 1 or 2, at least one sample, no duplicate sample ID.
 * Errors name the store and the array. scratch_max: for the decoder that reads the small arrays.
 */
int vcz_open(const char *path, size_t scratch_max, struct vcz **out, struct err *err);

/* The same, with flags of store_open_with, what store_set_spill takes, and what store_watch_from does:
 * INT64_MAX to look at no changes. */
int vcz_open_with(const char *path, unsigned store_flags, struct spill *spill, int64_t since,
                  size_t scratch_max, struct vcz **out, struct err *err);
void vcz_free(struct vcz *vcz);

/* What identifies the store's present state without reading it all: metadata texts, names, and the identity
 * (zarr_array_identity) of the arrays that a view reads. */
#define VCZ_FINGERPRINT_NBYTES 24
int vcz_fingerprint(const struct vcz *vcz, uint8_t out[VCZ_FINGERPRINT_NBYTES], struct err *err);

#endif
