/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_subset: extracts the planes of a row's selected columns.
 *
 * For selections in store order that omit columns, on machines that have an instruction for it.
 */
#ifndef VCZFS_ENCODE_ENCODE_SUBSET_H
#define VCZFS_ENCODE_ENCODE_SUBSET_H

#include "encoderd/encode/encode_worker.h"
#include "encoderd/encode/places.h"

/* The selected columns of one chunk along the samples. All memory is the worker's `subset`. */
struct subset {
    unsigned ploidy;
    size_t nwords;
    uint64_t *mask;  /* a bit for each allele of each column: 1 if it is selected */
    uint64_t *slice; /* room for a part of the mask */
    uint8_t *planes; /* room for the extracted planes */
};

/* False if this does not suit the selection, or the machine. */
bool subset_applies(const struct selection *selection);

/* Makes the mask of the columns [columns.begin, columns.end). */
int subset_prepare(struct subset *subset, struct encode_worker *worker,
                   const struct selection *selection, unsigned ploidy, struct range columns,
                   struct err *err);

/*
 * Extracts the selected calls among the columns [columns.begin, columns.end), counted from the
 * chunk's first, as planes: the first allele of the first call is element 0. `planes` are a
 * block's; the alleles of column columns.begin begin at element `first` of it. The result is valid
 * until the next call.
 */
struct planes subset_extract(struct subset *subset, const struct planes *planes, uint64_t first,
                             struct range columns, uint64_t ncalls);

#endif
