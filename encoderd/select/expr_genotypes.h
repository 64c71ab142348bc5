/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_genotypes: the genotypes of a batch, read once for all nodes that use them.
 */
#ifndef VCZFS_SELECT_EXPR_GENOTYPES_H
#define VCZFS_SELECT_EXPR_GENOTYPES_H

#include "encoderd/select/expr_values.h"

int eval_genotypes(struct expr_eval *eval, struct err *err);
int eval_phases(struct expr_eval *eval, struct err *err);

struct call {
    int64_t a, b; /* b is VCZ_INT_FILL for one allele */
    bool phased;
};

/* Call i of the calls that were read; `phased` is not set. */
static inline struct call call_at(const struct expr_eval *eval, uint64_t i)
{
    const unsigned ploidy = eval->expr->context.vcz->ploidy;
    const int64_t *alleles = eval->alleles + i * ploidy;

    return (struct call){.a = alleles[0],
                         .b = ploidy > 1 && alleles[0] != VCZ_INT_FILL ? alleles[1] : VCZ_INT_FILL};
}

#endif
