/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_subset.h"

#include "common/size.h"
#include "encoderd/encode/extract.h"

#include <stdlib.h>
#include <string.h>

bool subset_applies(const struct selection *selection)
{
    return !selection->contiguous && selection->store_order && extract_is_fast();
}

int subset_prepare(struct subset *subset, struct encode_worker *worker,
                   const struct selection *selection, unsigned ploidy, struct range columns,
                   struct err *err)
{
    const size_t nwords = (size_t)size_div_up((columns.end - columns.begin) * ploidy, 64);
    const size_t words = 2 * (nwords + 1) + PLANES_ALL * (nwords + 1) + 1;
    const struct range places =
        columns_places(selection, (struct range){0, selection->nsamples}, columns);

    if (worker->subset_cap < words) {
        uint64_t *grown = reallocarray(worker->subset, words, sizeof *grown);

        if (grown == NULL)
            return err_nomem(err, "a subset of samples");
        worker->subset = grown;
        worker->subset_cap = words;
    }
    *subset = (struct subset){.ploidy = ploidy,
                              .nwords = nwords,
                              .mask = worker->subset,
                              .slice = worker->subset + nwords + 1,
                              .planes = (uint8_t *)(worker->subset + 2 * (nwords + 1))};
    memset(subset->mask, 0, (nwords + 1) * sizeof *subset->mask);
    for (uint64_t i = places.begin; i < places.end; i++) {
        const uint64_t bit = (columns_column(selection, i) - columns.begin) * ploidy;

        for (unsigned p = 0; p < ploidy; p++)
            subset->mask[(bit + p) / 64] |= UINT64_C(1) << (bit + p) % 64;
    }
    return 0;
}

/* Copies the mask's bits [begin, end) to the slice, from its bit 0 on. Returns the number of
 * words. */
static size_t cut(struct subset *subset, uint64_t begin, uint64_t end)
{
    const size_t nwords = (size_t)size_div_up(end - begin, 64);

    for (size_t i = 0; i < nwords; i++) {
        const uint64_t at = begin + 64 * i;
        const uint64_t low = subset->mask[at / 64] >> at % 64;

        subset->slice[i] = at % 64 == 0 ? low : low | subset->mask[at / 64 + 1] << (64 - at % 64);
    }
    if ((end - begin) % 64 != 0)
        subset->slice[nwords - 1] &= (UINT64_C(1) << (end - begin) % 64) - 1;
    return nwords;
}

struct planes subset_extract(struct subset *subset, const struct planes *planes, uint64_t first,
                             struct range columns, uint64_t ncalls)
{
    const struct planes out = {
        .at = subset->planes, .nbytes = size_div_up(ncalls * subset->ploidy, 8), .n = planes->n};
    const size_t nwords = cut(subset, columns.begin * subset->ploidy, columns.end * subset->ploidy);

    /* extract_bits writes a few bytes too many behind each plane: the next plane overwrites
     * them. */
    for (uint64_t p = 0; p < out.n; p++)
        extract_bits(planes->at + p * planes->nbytes, first, subset->slice, nwords,
                     subset->planes + p * out.nbytes);
    return out;
}
