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
    const char *list; /* "A,B" or "^A,B"; NULL: not given */
    /* one ID a line; if its name begins with '^', those IDs are left out */
    struct option_file file;
    bool force; /* an unknown ID is a notice */
};

/* *out: *n numbers into vcz->sample_id in output order, owned by the caller; NULL if all are chosen
 * in the store's order. Unknown IDs, an ID twice and an empty choice are ERR_USAGE. */
int samples_choose(const struct vcz *vcz, const struct sample_choice *choice, uint64_t **out,
                   uint64_t *n, struct notices *notices, struct err *err);

#endif
