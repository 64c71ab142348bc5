/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check.h"

#include "common/cleanup.h"
#include "encoderd/check/check_arrays.h"
#include "encoderd/check/check_counts.h"
#include "encoderd/check/check_report.h"
#include "encoderd/check/check_sites.h"
#include "encoderd/check/check_walk.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/vcz_open.h"

#include <stdlib.h>

/* Adds the reason why the store cannot be shown, unless it follows from problems that were found.
 * Genotypes that are absent, or of a kind that is not shown, are no damage, only a remark. */
static void note_why_not(struct check *check)
{
    if (check->vcz != NULL || check->problems.total > 0)
        return;
    problems_add(check->nothing_to_show ? &check->remarks : &check->problems, "", "", "%s",
                 check->why_not.msg);
}

/* Finds chunks that are not stored although their values cannot be the fill value. */
static void look_for_holes(struct check *check)
{
    const struct vcz *vcz = check->vcz;
    struct err why = {0};

    if (vcz == NULL)
        return;
    for (unsigned i = 0; i < HOLES_SITE_ARRAYS; i++)
        if (holes_look_site(vcz->holes, i, &why) != 0)
            problems_add(&check->problems, holes_site_array(i), "", "%s", why.msg);
    if (holes_look_samples(vcz->holes, vcz->sample_column, vcz->nsamples, &why) != 0)
        problems_add(&check->problems, "call_genotype", "", "%s", why.msg);
}

static void remark_notices(struct check *check)
{
    for (size_t i = 0; i < check->notices.n; i++)
        problems_add(&check->remarks, "", "", "%s", check->notices.text[i]);
}

static int run(struct check *check, const struct pass_means *means, struct err *err)
{
    const struct zarr_array *contigs;

    if (check_list_arrays(check, err) != 0)
        return -1;
    contigs = check_find_array(check, "contig_id");
    check->ncontigs =
        contigs != NULL && contigs->meta.ndim == 1 ? contigs->meta.shape[0] : UINT64_MAX;
    check_shapes(check);
    look_for_holes(check);
    if ((check->vcz != NULL &&
         counts_new(check->vcz, means->scratch_max, &check->counts, err) != 0) ||
        check_walk(check, means, err) != 0 || check_sites(check, means, err) != 0)
        return -1;
    remark_notices(check);
    note_why_not(check);
    if (check->counts != NULL)
        counts_report(check->counts, check->vcz->holes == NULL, &check->problems, &check->remarks);
    return 0;
}

static void check_clear(struct check *check)
{
    for (size_t i = 0; i < check->narrays; i++)
        zarr_array_free(check->arrays[i]);
    free(check->arrays);
    counts_free(check->counts);
    problems_clear(&check->problems);
    problems_clear(&check->remarks);
    vcz_free(check->vcz);
    notices_clear(&check->notices);
    zarr_group_free(check->group);
    store_free(check->store);
}

/* If a part of the store is faulty, the checks that need every part are left out. */
static void open_vcz(struct check *check, const char *path, unsigned store_flags,
                     const struct pass_means *means)
{
    const struct vcz_opening how = {.store_flags = store_flags,
                                    .spill = means->spill,
                                    .since = INT64_MAX,
                                    .scratch_max = means->scratch_max};
    struct err calls = {0};

    if (vcz_open_with(path, &how, &check->vcz, &check->why_not) != 0)
        return;
    check->notices = check->vcz->notices;
    check->vcz->notices = (struct notices){0};
    if (vcz_need(check->vcz, VCZ_ALL, &check->why_not) == 0)
        return;
    vcz_need(check->vcz, VCZ_CALLS, &calls);
    check->nothing_to_show = check->why_not.code == ERR_UNSUPPORTED || calls.code == ERR_DATA;
    vcz_free(check->vcz);
    check->vcz = NULL;
}

int check_store(const char *path, unsigned store_flags, bool absent_fill,
                const struct pass_means *means, bool json, struct buf *report, uint64_t *nproblems,
                struct err *err)
{
    CLEANUP(check_clear) struct check check = {0};

    *nproblems = 0;
    open_vcz(&check, path, store_flags, means);
    if (store_open_with(path, store_flags, &check.store, err) != 0 ||
        zarr_group_open(check.store, &check.group, err) != 0) {
        /* It says more. */
        if (err != NULL && check.why_not.code != ERR_NONE)
            *err = check.why_not;
        return -1;
    }
    store_set_spill(check.store, means->spill);
    if (check.vcz != NULL)
        check.vcz->fill = absent_fill;
    if (check.vcz != NULL && !absent_fill &&
        holes_new(check.vcz, means->scratch_max, &check.vcz->holes, err) != 0)
        return -1;
    if (run(&check, means, err) != 0 || check_report(&check, json, report, err) != 0)
        return -1;
    *nproblems = check.problems.total;
    return 0;
}
