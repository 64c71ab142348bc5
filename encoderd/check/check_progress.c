/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_progress.h"

#include "common/size.h"

#include <stdio.h>
#include <stdlib.h>

/* An array of unknown size counts as one byte, so that the check is complete only with its last
 * chunk. */
static uint64_t stored_nbytes(const struct check *check, size_t array)
{
    uint64_t nobjects, nbytes = 0;

    if (store_usage(check->store, check->arrays[array]->name, &nobjects, &nbytes, NULL) != 0 ||
        nbytes == 0)
        return 1;
    return nbytes;
}

int check_progress_begin(struct check_progress *progress, const struct check *check,
                         const struct pass_means *means, const uint64_t *first, struct err *err)
{
    uint64_t total = 0;

    *progress = (struct check_progress){.first = first};
    if (means->progress == NULL)
        return 0;
    progress->before = calloc(check->narrays + 1, sizeof *progress->before);
    if (progress->before == NULL)
        return err_nomem(err, "a check");
    for (size_t a = 0; a < check->narrays; a++) {
        progress->before[a] = total;
        if (first[a + 1] > first[a] && !size_add(total, stored_nbytes(check, a), &total))
            total = UINT64_MAX;
    }
    progress->before[check->narrays] = total;
    progress->pass = (struct pass_progress){.means = means, .what = progress->what, .total = total};
    return 0;
}

/* Bytes up to the end of chunk i, if all chunks of an array have the same size. */
static uint64_t nbytes_until(const struct check_progress *progress, size_t array, uint64_t i)
{
    const uint64_t nchunks = progress->first[array + 1] - progress->first[array];
    const uint64_t n = i + 1 - progress->first[array];
    const uint64_t nbytes = progress->before[array + 1] - progress->before[array];

    if (n == nchunks)
        return progress->before[array + 1];
    return progress->before[array] + (uint64_t)((double)nbytes * (double)n / (double)nchunks);
}

int check_progress_chunk(struct check_progress *progress, size_t array, uint64_t i, struct err *err)
{
    char done[24], total[24];
    uint64_t now;

    if (progress->before == NULL)
        return 0;
    now = nbytes_until(progress, array, i);
    snprintf(progress->what, sizeof progress->what, "checking, %s of %s",
             size_format(now, done, sizeof done),
             size_format(progress->pass.total, total, sizeof total));
    return pass_progress_add(&progress->pass, now - progress->pass.done, err);
}

void check_progress_end(struct check_progress *progress)
{
    free(progress->before);
}
