/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files check_chunk*.c share.
 */
#ifndef VCZFS_CHECK_CHECK_CHUNK_IMPL_H
#define VCZFS_CHECK_CHECK_CHUNK_IMPL_H

#include "encoderd/check/check_chunk.h"
#include "encoderd/vcz/sites.h"

struct check_worker {
    const struct check *check;
    struct decoder *decoder;
    struct sites_reader *sites; /* NULL without a vcz */
    struct strings strings;
    size_t strings_budget;
    /* the chunk along the variants that `nalleles` is about; UINT64_MAX: none */
    uint64_t nalleles_chunk;
    uint32_t *nalleles; /* one for each row of a genotype chunk; owned, NULL without a vcz */
    bool nalleles_known;
};

/* What an array's values must be. */
enum rule {
    RULE_NONE,
    RULE_BOOL,     /* 0 or 1 */
    RULE_CONTIG,   /* an index into contig_id */
    RULE_POSITION, /* not negative */
    RULE_GENOTYPE, /* an allele of the site, missing (-1), or fill (-2) behind all alleles */
};

/* The state of a walk over a chunk's elements, block after block. */
struct chunk_values {
    struct check_worker *worker;
    const struct zarr_array *array;
    const uint64_t *index; /* of the chunk */
    enum rule rule;
    bool edge;             /* part of the chunk lies outside the array */
    uint64_t nfill;        /* fill values of the current call so far */
    uint64_t nbad;         /* values that break the rule */
    struct buf first;      /* the message about the first of them; terminated */
    uint64_t nwithout_alt; /* see check_totals */
    uint64_t nzero_ploidy;
    struct call_counts *counts; /* NULL: nothing is counted */
    bool has_data;              /* the call being walked */
};

/* ---- check_chunk_rules.c: what values must be ---- */

enum rule check_rule(const struct check *check, const struct zarr_array *array);

/* Loads the numbers of alleles of the chunk's variants. If they cannot be read, they stay unknown;
 * the check of the alleles reports that. */
void check_load_nalleles(struct check_worker *worker, const struct zarr_array *array,
                         uint64_t vchunk);

/* Elements of a call that are in the chunk. */
uint64_t check_call_slots(const struct chunk_values *values);

/* What is wrong with element k of the chunk, or NULL. Genotypes are asked for in order. */
const char *check_judge(struct chunk_values *values, uint64_t k, int64_t value);

/* ---- check_chunk_values.c: all of a chunk's ---- */

/* As check_chunk, for numbers and booleans; -1 where the chunk cannot be read. */
int check_values(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 const char *key, struct check_totals *totals, struct call_counts *counts,
                 struct problems *problems, struct err *err);

#endif
