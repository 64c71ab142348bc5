/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_state: a check under way.
 */
#ifndef VCZFS_CHECK_CHECK_STATE_H
#define VCZFS_CHECK_CHECK_STATE_H

#include "common/notices.h"
#include "encoderd/check/check_problems.h"
#include "encoderd/vcz/vcz.h"

struct check_totals {
    uint64_t narrays;
    uint64_t nchunks, nabsent; /* absent: not stored, all fill value */
    uint64_t bytes_read, bytes_decoded;
    uint64_t nwithout_alt; /* values of call_genotype that are allele 1 of a site without ALT */
    uint64_t nzero_ploidy; /* calls that consist of fill values */
};

struct check {
    struct store *store;
    struct zarr_group *group;
    struct vcz *vcz; /* NULL if the store is no VCF Zarr store that can be opened: see why_not */
    struct err why_not;
    bool nothing_to_show;       /* it has no genotypes, or a kind that is not shown: no damage */
    struct notices notices;     /* warnings that a mount would print */
    struct zarr_array **arrays; /* owned */
    size_t narrays;
    bool sites_sparse;     /* next to no positions are stored */
    uint64_t ncontigs;     /* UINT64_MAX: not known */
    struct counts *counts; /* NULL: nothing is counted */
    struct check_totals totals;
    struct problems problems;
    struct problems remarks;
};

#endif
