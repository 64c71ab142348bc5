/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_progress: the progress of a check, in stored bytes.
 */
#ifndef VCZFS_CHECK_CHECK_PROGRESS_H
#define VCZFS_CHECK_CHECK_PROGRESS_H

#include "encoderd/check/check_state.h"
#include "encoderd/select/pass.h"

struct check_progress {
    const uint64_t *first; /* for each array: the number of its first chunk; borrowed */
    /* for each array: bytes of all arrays before it; owned; NULL: no progress is reported */
    uint64_t *before;
    struct pass_progress pass;
    char what[64];
};
/* `first` has narrays + 1 numbers. An array that cannot be visited counts as 0 bytes. Call
 * check_progress_end also after an error. */
int check_progress_begin(struct check_progress *progress, const struct check *check,
                         const struct pass_means *means, const uint64_t *first, struct err *err);
void check_progress_end(struct check_progress *progress);

/* Reports that chunk i, which is in this array, and all chunks before it are done. */
int check_progress_chunk(struct check_progress *progress, size_t array, uint64_t i,
                         struct err *err);

#endif
