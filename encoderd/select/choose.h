/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose: the pass that decides which variants a view shows.
 */
#ifndef VCZFS_SELECT_CHOOSE_H
#define VCZFS_SELECT_CHOOSE_H

#include "encoderd/select/expr.h"
#include "encoderd/select/pass.h"
#include "encoderd/select/regions.h"

struct choice {
    const struct regions *regions; /* the variant must overlap them; NULL: anywhere */
    /* the variant must begin in them (or outside of them); NULL: anywhere */
    const struct regions *targets;
    bool targets_outside;
    unsigned include_types, exclude_types; /* bits of enum variant_type; 0: no limit */
    uint64_t min_alleles, max_alleles;     /* listed alleles, REF counted; 0: no limit */
    const struct expr *expr;               /* NULL: none */
    bool expr_excludes;
};

/* True if every variant is kept: then no pass is needed. */
bool choice_is_all(const struct choice *choice);

int choose_rows(const struct vcz *vcz, const struct choice *choice, const struct pass_means *means,
                struct row_map *out, struct err *err);

#endif
