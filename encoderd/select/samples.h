/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples: which samples a view shows, from --samples and --samples-file.
 */
#ifndef VCZFS_SELECT_SAMPLES_H
#define VCZFS_SELECT_SAMPLES_H

#include "common/notices.h"
#include "common/option_file.h"
#include "encoderd/vcz/vcz.h"

struct sample_choice {
    const char *list;        /* "A,B" or "^A,B"; NULL: not given */
    struct option_file file; /* one ID a line; a name with '^' complements */
    bool force;              /* an unknown ID is a notice */
};

/* *out: numbers into vcz->sample_id in output order, *n of them, owned by the caller; NULL when all
 * are chosen in the store's order. Unknown IDs, an ID twice and an empty choice are ERR_USAGE. */
int samples_choose(const struct vcz *vcz, const struct sample_choice *choice, uint64_t **out,
                   uint64_t *n, struct notices *notices, struct err *err);

#endif
