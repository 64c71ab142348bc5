/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_arrays.h"

#include "encoderd/vcz/axes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct array_list {
    struct check *check;
    size_t cap;
    struct err *err;
};

/* Arrays that a view, or the choice of its samples, is made from. */
static bool is_needed(const char *name)
{
    static const char *const names[] = {
        "call_genotype",  "call_genotype_phased", "variant_contig", "variant_position",
        "variant_allele", "variant_id",           "sample_id",      "contig_id"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* An array that is legal, but that vczfs does not support, is no problem unless a view needs it. */
static void note_unreadable(struct check *check, const char *name, const struct err *why)
{
    const bool harmless = why->code == ERR_UNSUPPORTED && !is_needed(name);

    problems_add(harmless ? &check->remarks : &check->problems, name, "", "%s%s", why->msg,
                 harmless ? ": not checked; the files that are shown do not need it" : "");
}

static int add_array(const char *name, void *arg)
{
    struct array_list *listing = arg;
    struct check *check = listing->check;
    struct zarr_array *array = NULL;
    struct err why = {0};

    if (check->narrays == listing->cap) {
        const size_t cap = listing->cap > 0 ? listing->cap * 2 : 64;
        struct zarr_array **more = reallocarray(check->arrays, cap, sizeof *more);

        if (more == NULL)
            return err_nomem(listing->err, "a check");
        check->arrays = more;
        listing->cap = cap;
    }
    if (zarr_array_open(check->group, name, &array, &why) != 0) {
        note_unreadable(check, name, &why);
        check->totals.narrays++;
    } else if (array != NULL) {
        check->arrays[check->narrays++] = array;
        check->totals.narrays++;
    }
    return 0;
}

int check_list_arrays(struct check *check, struct err *err)
{
    struct array_list listing = {.check = check, .err = err};
    struct err why = {0};

    if (zarr_group_arrays(check->group, add_array, &listing, &why) == 0)
        return 0;
    if (check->narrays > 0 || check->problems.total > 0)
        return err_nomem(err, "a check");
    /* The group's arrays cannot all be listed: open the children one by one, to find the faulty
     * one. */
    if (store_children(check->store, "", add_array, &listing, err) != 0)
        return -1;
    if (check->problems.total == 0)
        problems_add(&check->problems, "", "", "%s", why.msg);
    return 0;
}

const struct zarr_array *check_find_array(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->narrays; i++)
        if (strcmp(check->arrays[i]->name, name) == 0)
            return check->arrays[i];
    return NULL;
}

/* Checks that the axis is as long as the array `like`. */
static void check_axis(struct check *check, const struct zarr_array *array, unsigned axis,
                       const char *what, const char *like)
{
    const struct zarr_array *other = check_find_array(check, like);

    if (other == NULL || other->meta.ndim == 0 || array->meta.ndim <= axis ||
        array->meta.shape[axis] == other->meta.shape[0])
        return;
    problems_add(&check->problems, array->name, "", "it has %" PRIu64 " %s where %s has %" PRIu64,
                 array->meta.shape[axis], what, like, other->meta.shape[0]);
}

/* `vczstore create` makes stores that have sample_id but no calls until something is appended. */
static bool nothing_appended(const struct check *check, const struct zarr_array *array)
{
    const struct zarr_array *genotype = check_find_array(check, "call_genotype");

    return genotype != NULL && genotype->meta.ndim > 1 && genotype->meta.shape[1] == 0 &&
           array->meta.ndim > 1 && array->meta.shape[1] == 0;
}

void check_shapes(struct check *check)
{
    for (size_t i = 0; i < check->narrays; i++) {
        const struct zarr_array *array = check->arrays[i];
        const bool calls = strncmp(array->name, "call_", 5) == 0;
        struct err why = {0};

        if (axes_check(check->group, array, &why) != 0)
            problems_add(&check->problems, array->name, "", "%s", why.msg);
        if (calls || strncmp(array->name, "variant_", 8) == 0)
            check_axis(check, array, 0, "variants", "variant_position");
        if (calls && !nothing_appended(check, array))
            check_axis(check, array, 1, "samples", "sample_id");
    }
}
