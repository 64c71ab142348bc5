/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: a few neighbouring variants, and those of their columns that a filter asks for.
 *
 * A column is read when it is first asked for, once per batch. A batch belongs to one thread.
 */
#ifndef VCZFS_SELECT_BATCH_H
#define VCZFS_SELECT_BATCH_H

#include "encoderd/vcz/columns.h"

struct batch {
    const struct vcz *vcz;
    struct decoder *decoder; /* owned; also for the columns of an expression */
    size_t budget;           /* of each column */
    uint64_t begin, n;       /* variants */
    uint64_t limit;          /* the variants from here on will not be read soon */

    /* The rest is batch.c's. */
    uint64_t max;
    /* variant_length, or INFO/END where the store has no variant_length. Owned; NULL if the store
     * has neither. */
    struct zarr_array *length_array;
    bool looked_for_length, length_is_end;
    struct column *contig, *position, *length, *allele, *id;
    bool have_contig, have_position, have_length, have_allele, have_id;
    int64_t *contigs, *positions, *lengths;
    struct str *alleles, *ids;
    unsigned *nalleles;
};

struct batch *batch_new(const struct vcz *vcz, uint64_t max, size_t scratch_max, struct err *err);
/* See decoder_share. To be called before anything is read. */
void batch_share(struct batch *batch, struct chunk_table *table);
void batch_free(struct batch *batch);

/* Moves to variants [begin, begin + n), n <= max. They must lie in one chunk of each string array
 * that is read afterwards: see batch_end. */
void batch_move(struct batch *batch, uint64_t begin, uint64_t n, uint64_t limit);

/* Each returns n values, or NULL and an error. Contigs are checked against contig_id; positions are
 * >= 0. */
const int64_t *batch_contigs(struct batch *batch, struct err *err);
const int64_t *batch_positions(struct batch *batch, struct err *err);
/* Bases of the reference that each variant covers, at least 1. */
const int64_t *batch_lengths(struct batch *batch, struct err *err);
/* Returns n × batch_allele_slots strings. *nalleles (optional): how many alleles each variant
 * lists, >= 1. */
const struct str *batch_alleles(struct batch *batch, const unsigned **nalleles, struct err *err);
uint64_t batch_allele_slots(const struct batch *batch);
/* "." for a variant that has none. */
const struct str *batch_ids(struct batch *batch, struct err *err);

#endif
