/*
 * What identifies a store's present state, at a cost that is bounded whatever the store's size: that an encoder
 * that replaces another has the same store before it. A change that this does not see is seen where it is
 * read: encoderd/zarr/store/watch.c. It detects change; it is no protection against someone who
 * wants two stores to look alike: three FNV-1a sums of 64 bits, each from a different start.
 */
#include "encoderd/vcz/vcz.h"

#include <string.h>

#define LANES     3
#define FNV_PRIME UINT64_C(0x100000001b3)

struct sum {
    uint64_t lane[LANES];
};

static void sum_add(const void *data, size_t n, void *arg)
{
    const uint8_t *bytes = data;
    struct sum *sum = arg;
    struct sum s = *sum;

    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < LANES; k++)
            s.lane[k] = (s.lane[k] ^ bytes[i]) * FNV_PRIME;
    *sum = s;
}

static void sum_add_u64(struct sum *sum, uint64_t value)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    sum_add(bytes, sizeof bytes, sum);
}

/* With its length, so that what follows cannot be taken for a part of it. */
static void sum_add_bytes(struct sum *sum, const void *data, size_t n)
{
    sum_add_u64(sum, n);
    sum_add(data, n, sum);
}

static void sum_add_strings(struct sum *sum, const struct str *items, uint64_t n)
{
    sum_add_u64(sum, n);
    for (uint64_t i = 0; i < n; i++)
        sum_add_bytes(sum, items[i].at, items[i].len);
}

static int sum_add_array(struct sum *sum, const struct zarr_array *array, struct err *err)
{
    if (array == NULL) {
        sum_add_u64(sum, 0);
        return 0;
    }
    sum_add_bytes(sum, array->name, strlen(array->name));
    sum_add_bytes(sum, array->identity, sizeof array->identity);
    for (unsigned d = 0; d < array->meta.ndim; d++)
        sum_add_u64(sum, array->meta.shape[d]);
    return zarr_array_identity(array, sum_add, sum, err);
}

int vcz_fingerprint(const struct vcz *vcz, uint8_t out[VCZ_FINGERPRINT_NBYTES], struct err *err)
{
    const struct zarr_array *const arrays[] = {vcz->genotype, vcz->phased, vcz->contig,
                                               vcz->position, vcz->allele, vcz->id};
    struct sum sum = {
        {UINT64_C(0xcbf29ce484222325), UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xbf58476d1ce4e5b9)}};
    const char *version = zarr_group_attr(vcz->group, "vcf_zarr_version");

    sum_add_u64(&sum, zarr_group_format(vcz->group));
    if (version != NULL)
        sum_add_bytes(&sum, version, strlen(version));
    sum_add_u64(&sum, vcz->nsamples_stored);
    sum_add(vcz->sample_column, vcz->nsamples * sizeof *vcz->sample_column, &sum);
    sum_add_strings(&sum, vcz->sample_id, vcz->nsamples);
    sum_add_strings(&sum, vcz->contigs.items, vcz->contigs.nitems);
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (sum_add_array(&sum, arrays[i], err) != 0)
            return -1;
    for (unsigned k = 0; k < LANES; k++)
        for (unsigned i = 0; i < 8; i++)
            out[8 * k + i] = (uint8_t)(sum.lane[k] >> (8 * i));
    return 0;
}
