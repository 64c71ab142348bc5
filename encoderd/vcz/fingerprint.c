/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fingerprint of a store's present state, at a cost that does not grow with the store. With it,
 * an encoder that replaces another knows that it has the same store. Changes that it does not show
 * are found when chunks are read: encoderd/zarr/store/watch.c. It detects changes; it does not
 * protect against somebody who makes two stores look alike: it is three FNV-1a sums of 64 bits,
 * each with another start.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "encoderd/vcz/vcz.h"
#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/meta/array_identity.h"

#include <stdlib.h>
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

    put_uint(bytes, value, sizeof bytes, false);
    sum_add(bytes, sizeof bytes, sum);
}

/* Adds the length too, so that bytes that follow cannot be taken for a part of these. */
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

#define NARRAYS 6
#define NCALLS  2 /* of them, first: those of calls */

/* The parts of all arrays' identities: for each array, that of its directory and those of some of
 * its objects. Each part has its own buffer, because they are read side by side. */
struct parts {
    const struct vcz *vcz;
    const struct zarr_array *arrays[NARRAYS]; /* or NULL */
    uint64_t begin[NARRAYS + 1];              /* of each array's parts */
    struct buf *parts;                        /* owned */
};

static void add_part(const void *data, size_t n, void *arg)
{
    buf_append(arg, data, n);
}

/* Where chunks of sites are going to be read, all of them, they are opened now, once. */
static int add_identity(const struct parts *parts, unsigned i, uint64_t number, struct buf *part,
                        struct err *err)
{
    const struct zarr_array *array = parts->arrays[i];
    uint64_t index[ZARR_DIMS_MAX] = {0};
    char key[ZARR_KEY_MAX];

    if (number == 0)
        return store_identity(array->store, array->name, add_part, part, err);
    zarr_identity_chunk(array, number - 1, index);
    zarr_chunk_key(array, index, key);
    buf_append(part, key, strlen(key) + 1);
    if (!parts->vcz->sites_soon || i < NCALLS)
        return store_identity(array->store, key, add_part, part, err);
    return chunk_identity(parts->vcz->table, array, index, add_part, part, err);
}

static int read_part(void *arg, uint64_t i, struct err *err)
{
    const struct parts *parts = arg;
    struct buf *part = &parts->parts[i];
    unsigned array = 0;

    while (i >= parts->begin[array + 1])
        array++;
    if (add_identity(parts, array, i - parts->begin[array], part, err) != 0)
        return -1;
    return part->failed ? err_nomem(err, "what identifies a store") : 0;
}

static int read_parts(struct parts *parts, struct err *err)
{
    for (unsigned i = 0; i < NARRAYS; i++)
        parts->begin[i + 1] =
            parts->begin[i] +
            (parts->arrays[i] == NULL ? 0 : 1 + zarr_identity_nchunks(parts->arrays[i]));
    parts->parts = calloc(parts->begin[NARRAYS] + 1, sizeof *parts->parts);
    if (parts->parts == NULL)
        return err_nomem(err, "what identifies a store");
    return store_each(parts->vcz->store, parts->begin[NARRAYS], read_part, parts, err);
}

static void free_parts(struct parts *parts)
{
    for (uint64_t i = 0; parts->parts != NULL && i < parts->begin[NARRAYS]; i++)
        buf_free(&parts->parts[i]);
    free(parts->parts);
}

static void sum_add_array(struct sum *sum, const struct parts *parts, unsigned i)
{
    const struct zarr_array *array = parts->arrays[i];

    if (array == NULL) {
        sum_add_u64(sum, 0);
        return;
    }
    sum_add_bytes(sum, array->name, strlen(array->name));
    sum_add_bytes(sum, array->identity, sizeof array->identity);
    for (unsigned d = 0; d < array->meta.ndim; d++)
        sum_add_u64(sum, array->meta.shape[d]);
    for (uint64_t part = parts->begin[i]; part < parts->begin[i + 1]; part++)
        sum_add(parts->parts[part].data, parts->parts[part].len, sum);
}

int vcz_fingerprint(const struct vcz *vcz, uint8_t out[VCZ_FINGERPRINT_NBYTES], struct err *err)
{
    CLEANUP(free_parts)
    struct parts parts = {
        vcz,
        {vcz->genotype, vcz->phased, vcz->contig, vcz->position, vcz->allele, vcz->id},
        {0},
        NULL};
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
    if (read_parts(&parts, err) != 0)
        return -1;
    for (unsigned i = 0; i < NARRAYS; i++)
        sum_add_array(&sum, &parts, i);
    for (unsigned k = 0; k < LANES; k++)
        put_uint(out + 8 * k, sum.lane[k], 8, false);
    return 0;
}
