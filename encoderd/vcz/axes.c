/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/axes.h"

#include <stdio.h>
#include <string.h>

enum role { ROLE_ANY, ROLE_VARIANTS, ROLE_SAMPLES, ROLE_PLOIDY, ROLE_ALLELES, ROLE_CONTIGS };
#define NROLES (ROLE_CONTIGS + 1)

static const char *const role_names[NROLES] = {
    [ROLE_VARIANTS] = "variants", [ROLE_SAMPLES] = "samples", [ROLE_PLOIDY] = "ploidy",
    [ROLE_ALLELES] = "alleles",   [ROLE_CONTIGS] = "contigs",
};

/* The axis that VCF Zarr requires there. */
static enum role role_of(const char *array, unsigned axis)
{
    static const struct {
        const char *array;
        unsigned axis;
        enum role role;
    } others[] = {
        {"call_genotype", 2, ROLE_PLOIDY},   {"call_genotype_mask", 2, ROLE_PLOIDY},
        {"variant_allele", 1, ROLE_ALLELES}, {"sample_id", 0, ROLE_SAMPLES},
        {"contig_id", 0, ROLE_CONTIGS},
    };
    const bool calls = strncmp(array, "call_", 5) == 0;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(array, others[i].array) == 0 && axis == others[i].axis)
            return others[i].role;
    if (axis == 0 && (calls || strncmp(array, "variant_", 8) == 0))
        return ROLE_VARIANTS;
    return axis == 1 && calls ? ROLE_SAMPLES : ROLE_ANY;
}

/* The names that the store itself uses, besides VCF Zarr's. */
struct own_names {
    struct zarr_dims variants, samples; /* the first of each counts */
};

static bool is_own(const struct own_names *own, enum role role, const char *name)
{
    return (role == ROLE_VARIANTS && strcmp(name, own->variants.names[0]) == 0) ||
           (role == ROLE_SAMPLES && strcmp(name, own->samples.names[0]) == 0);
}

/* True if the name is that of another axis. VCF Zarr's names take precedence over the store's
 * own. */
static bool contradicts(const struct own_names *own, enum role role, const char *name)
{
    for (unsigned r = ROLE_ANY + 1; r < NROLES; r++)
        if (strcmp(name, role_names[r]) == 0)
            return r != role;
    if (is_own(own, role, name))
        return false;
    return is_own(own, ROLE_VARIANTS, name) || is_own(own, ROLE_SAMPLES, name);
}

int axes_check(const struct zarr_group *group, const struct zarr_array *array, struct err *err)
{
    struct own_names own;
    struct zarr_dims dims;

    zarr_group_dims(group, array->name, &dims);
    zarr_group_dims(group, "variant_position", &own.variants);
    zarr_group_dims(group, "sample_id", &own.samples);
    for (unsigned d = 0; d < array->meta.ndim; d++) {
        const enum role role = role_of(array->name, d);

        if (role == ROLE_ANY || dims.names[d][0] == '\0' || !contradicts(&own, role, dims.names[d]))
            continue;
        return err_set(
            err, ERR_CORRUPT,
            "%s: array %s: its axis %u is named \"%s\", where VCF Zarr has %s: the array "
            "is transposed; rewrite it",
            store_path(array->store), array->name, d, dims.names[d], role_names[role]);
    }
    return 0;
}
