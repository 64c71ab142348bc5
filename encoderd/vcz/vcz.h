/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcz: a VCF Zarr store: its arrays, checked once, at open.
 *
 * Specification: VCF Zarr 0.4 (sgkit-dev/vcf-zarr-spec); doc/FORMATS.md, "In". Knows no output
 * format. Immutable after vcz_open, so safe to use from several threads, each with its own decoder.
 *
 * A fault of one part of a store is an error only for functions that need that part: see vcz_need.
 */
#ifndef VCZFS_VCZ_VCZ_H
#define VCZFS_VCZ_VCZ_H

#include "common/notices.h"
#include "encoderd/zarr/chunk/chunk.h"
#include "encoderd/zarr/meta/array.h"

#define VCZ_INT_MISSING (-1)
#define VCZ_INT_FILL    (-2)

/* Parts of a store, each valid or faulty independently; bits, for sets of them. */
enum vcz_part {
    VCZ_CALLS = 1 << 0,   /* call_genotype, of ploidy 1 or 2 */
    VCZ_SAMPLES = 1 << 1, /* sample_id: at least one sample, none twice */
    VCZ_PLACES = 1 << 2,  /* variant_contig, contig_id, variant_position */
    VCZ_ALLELES = 1 << 3, /* variant_allele */
    VCZ_IDS = 1 << 4,     /* variant_id, which a store need not have */
    VCZ_PHASE = 1 << 5,   /* call_genotype_phased, which a store need not have */
};
#define VCZ_NPARTS 6
#define VCZ_ALL    ((1u << VCZ_NPARTS) - 1)
#define VCZ_SITES  (VCZ_PLACES | VCZ_ALLELES | VCZ_IDS)

struct holes;
struct early;

struct vcz {
    struct store *store;
    struct zarr_group *group;
    char *version; /* owned; of VCF Zarr, as text; NULL if the store has no version */

    /* Of a faulty part, some may be NULL. */
    struct zarr_array *genotype; /* call_genotype (variants, samples, ploidy) */
    struct zarr_array *phased;   /* call_genotype_phased (variants, samples), or NULL */
    struct zarr_array *contig;   /* variant_contig */
    struct zarr_array *position; /* variant_position */
    struct zarr_array *allele;   /* variant_allele (variants, alleles) */
    struct zarr_array *id;       /* variant_id, or NULL */

    uint64_t nvariants;
    const char *variants_from; /* the array that nvariants is from; NULL: no array has it */
    unsigned ploidy;           /* as stored: 1 or 2 unless VCZ_CALLS is faulty; 0 without calls */

    /* Samples as stored; a null sample (empty ID) is not a sample and has no entry below. */
    uint64_t nsamples_stored;
    uint64_t nsamples;
    uint64_t *sample_column;     /* nsamples: column in call_genotype, ascending */
    const struct str *sample_id; /* nsamples; in sample_strings */
    struct strings sample_strings;

    struct strings contigs;

    struct holes
        /* owned; judges chunks that are not stored; NULL: they are taken as the fill value */
        *holes;
    bool fill; /* the user asked for the fill value in them, so a REF may be it too */

    /* Until vcz_forget. */
    struct chunk_table *table; /* owned; shared by all passes that open a view, so that each file is
                                  opened once */
    struct early *early;       /* owned; or NULL */
    bool sites_soon;           /* see vcz_open_with */

    struct err faults[VCZ_NPARTS]; /* of part 1 << i; ERR_NONE if it is valid */
    struct notices notices;        /* messages for the user about the store */
};

/* Fails with the first fault of these parts (enum vcz_part). */
int vcz_need(const struct vcz *vcz, unsigned parts, struct err *err);

/* A fingerprint of the store's present state, made without reading all of it: from metadata texts,
 * names, and, for the arrays that a view reads, the identities of their directories and of some of
 * their chunks (array_identity.h). */
#define VCZ_FINGERPRINT_NBYTES 24
int vcz_fingerprint(const struct vcz *vcz, uint8_t out[VCZ_FINGERPRINT_NBYTES], struct err *err);

#endif
