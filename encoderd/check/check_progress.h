/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_progress: how far a check is, in bytes as they are stored.
 */
#ifndef VCZFS_CHECK_CHECK_PROGRESS_H
#define VCZFS_CHECK_CHECK_PROGRESS_H

#include "encoderd/check/check_state.h"
#include "encoderd/select/pass.h"

struct check_progress {
    const uint64_t *first; /* of each array: the number of its first chunk; borrowed */
    uint64_t *before;      /* of each array: bytes of those before it; owned; NULL: nobody asks */
    struct pass_progress pass;
    char what[64];
};
/* `first` has narrays + 1 numbers. What cannot be looked at counts as nothing. End it also after an
 * error. */
int check_progress_begin(struct check_progress *progress, const struct check *check,
                         const struct pass_means *means, const uint64_t *first, struct err *err);
void check_progress_end(struct check_progress *progress);

/* Chunk i, which is of this array, and all before it are done. */
int check_progress_chunk(struct check_progress *progress, size_t array, uint64_t i,
                         struct err *err);

#endif
