/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_genotypes.h"

int eval_genotypes(struct expr_eval *eval, struct err *err)
{
    if (eval->have_genotype)
        return 0;
    column_limit(eval->genotype, eval->batch->limit);
    if (column_ints(eval->genotype, eval->batch->begin, eval->batch->n, eval->alleles, err) != 0)
        return -1;
    eval->have_genotype = true;
    return 0;
}

int eval_phases(struct expr_eval *eval, struct err *err)
{
    if (eval->have_phase || eval->phased == NULL)
        return 0;
    column_limit(eval->phased, eval->batch->limit);
    if (column_ints(eval->phased, eval->batch->begin, eval->batch->n, eval->phases, err) != 0)
        return -1;
    eval->have_phase = true;
    return 0;
}
