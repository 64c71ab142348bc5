/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of contigs, from what is stored.
 */
#include "encoderd/vcz/contig_counts.h"
#include "encoderd/vcz/sites.h"
#include "encoderd/vcz/vcz_open.h"
#include "tests/unit/made_store.h"

#include <unistd.h>

#define SCRATCH ((size_t)64 << 20)

static struct vcz *open_ok(const struct made_store *store)
{
    struct err err = {0};
    struct vcz *vcz;

    if (vcz_open(store->path, SCRATCH, &vcz, &err) != 0)
        fail_msg("%s", err.msg);
    return vcz;
}

static void put_sites(struct made_store *store, uint64_t n, uint64_t chunk, const int64_t *contig)
{
    made_vcz(store);
    made_put(store,
             &(struct made_array){"call_genotype", "|i1", 3, {n, 2, 2}, {chunk, 2, 2}, NULL, NULL});
    made_put(store, &(struct made_array){"variant_contig", "|i1", 1, {n}, {chunk}, contig, NULL});
    made_put(store, &(struct made_array){"variant_position", "<i4", 1, {n}, {chunk}, NULL, NULL});
    made_put(store,
             &(struct made_array){"variant_allele", "|O", 2, {n, 2}, {chunk, 2}, NULL, NULL});
    made_drop(store, "variant_id");
}

/* The same as one by one, whichever chunks are not there. */
static void test_absent_chunks(void **state)
{
    enum { N = 50, CHUNK = 7, NCHUNKS = 8 };
    int64_t contig[N];

    (void)state;
    for (unsigned v = 0; v < N; v++)
        contig[v] = v / 20;
    for (unsigned absent = 0; absent < 1u << NCHUNKS; absent += 37) {
        uint64_t counts[3] = {0}, due[3] = {0};
        struct sites_reader *reader;
        struct made_store store;
        struct err err = {0};
        struct vcz *vcz;

        put_sites(&store, N, CHUNK, contig);
        for (unsigned c = 0; c < NCHUNKS; c++) {
            char path[512];

            snprintf(path, sizeof path, "%s/variant_contig/%u", store.path, c);
            if ((absent >> c & 1) != 0)
                assert_int_equal(unlink(path), 0);
        }
        made_text(&store, "variant_contig/007", "no chunk");
        made_text(&store, "variant_contig/99999999999999999999", "no chunk");
        vcz = open_ok(&store);
        reader = sites_reader_of(vcz, VCZ_PLACES, SCRATCH, &err);
        for (uint64_t v = 0; v < N; v++) {
            struct site site;

            assert_int_equal(sites_get_place(reader, v, &site, &err), 0);
            due[site.contig_index]++;
        }
        assert_int_equal(contig_counts(vcz, SCRATCH, counts, &err), 0);
        assert_memory_equal(counts, due, sizeof due);
        sites_reader_free(reader);
        vcz_free(vcz);
        made_remove(&store);
    }
}

/* A store of some kilobytes that claims 2^40 variants in as many chunks, of which the last is
 * there. */
static void test_claims(void **state)
{
    const uint64_t n = UINT64_C(1) << 40;
    uint64_t counts[3] = {0};
    struct made_store store;
    struct err err = {0};
    struct vcz *vcz;

    (void)state;
    put_sites(&store, n, 1, NULL);
    made_text(&store, "variant_contig/1099511627775", "\001");
    vcz = open_ok(&store);
    assert_int_equal(contig_counts(vcz, SCRATCH, counts, &err), 0);
    assert_int_equal(counts[0], n - 1);
    assert_int_equal(counts[1], 1);
    vcz_free(vcz);
    made_text(&store, "variant_contig/1099511627775", "\007");
    vcz = open_ok(&store);
    assert_int_equal(contig_counts(vcz, SCRATCH, counts, &err), -1);
    assert_non_null(strstr(err.msg, "variant 1099511627775 is on contig 7"));
    vcz_free(vcz);
    made_remove(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_chunks),
        cmocka_unit_test(test_claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
