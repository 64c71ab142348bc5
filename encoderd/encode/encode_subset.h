/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_subset: the planes of a row's selected columns, drawn together.
 *
 * For selections in store order with columns left out, on machines with an instruction for it.
 */
#ifndef VCZFS_ENCODE_ENCODE_SUBSET_H
#define VCZFS_ENCODE_ENCODE_SUBSET_H

#include "encoderd/encode/encode_worker.h"
#include "encoderd/encode/places.h"

/* Which columns of one samples chunk are selected. All memory is the worker's `subset`. */
struct subset {
    unsigned ploidy;
    size_t nwords;
    uint64_t *mask;  /* a bit for each allele of each column: 1 if it is selected */
    uint64_t *slice; /* room for a part of the mask */
    uint8_t *planes; /* room for what is drawn together */
};

/* False if the selection, or the machine, is not one for this. */
bool subset_applies(const struct selection *selection);

/* The mask of the columns [columns.begin, columns.end). */
int subset_prepare(struct subset *subset, struct encode_worker *worker,
                   const struct selection *selection, unsigned ploidy, struct range columns,
                   struct err *err);

/*
 * The selected calls among the columns [columns.begin, columns.end), counted from the chunk's
 * first, as planes: the first call's first allele is element 0. `planes` are a block's, and the
 * alleles of column columns.begin begin at its element `first`. The result is valid until the next
 * call.
 */
struct planes subset_extract(struct subset *subset, const struct planes *planes, uint64_t first,
                             struct range columns, uint64_t ncalls);

#endif
