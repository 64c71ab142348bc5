/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept: what comes back is what was put, whatever was put, dropped and asked for meanwhile and by
 * whom; and a decoder that keeps hands over the same planes, without decoding, until they are
 * forgotten.
 */
#include "zarr_fixture.h"

#include "common/bytes.h"
#include "tests/unit/shuffling.h"

#include <blosc.h>
#include <pthread.h>
#include <stdatomic.h>

#define PLANE    4096
#define BUDGET   (8 * 16 * PLANE) /* 16 slots in each part */
#define NTHREADS 4
#define NROUNDS  20000

static int setup(void **state)
{
    struct err err = {0};

    *state = block_cache_new(BUDGET, &err);
    return *state == NULL;
}

static int teardown(void **state)
{
    block_cache_free(*state);
    return 0;
}

static struct block_cache_key key_of(uint64_t i)
{
    struct block_cache_key key = {.block = i % 7, .index = {i / 7 % 3, i / 21}};

    key.identity[i % 32] = (uint8_t)i;
    return key;
}

/* Bytes of plane 0 that only this key has. */
static void fill(uint64_t i, uint64_t nbytes, uint8_t *plane)
{
    for (uint64_t at = 0; at < nbytes; at++)
        plane[at] = (uint8_t)((i + 1) * (at % 251 + 1) * 167 >> 3);
}

static void put(struct block_cache *kept, uint64_t i, uint64_t nbytes)
{
    uint8_t bytes[PLANES_ALL * PLANE] = {0};
    const struct planes planes = {bytes, nbytes, PLANES_LOW};
    const struct block_cache_key key = key_of(i);

    fill(i, nbytes, bytes);
    block_cache_put(kept, &key, &planes);
    block_cache_put(kept, &key, &planes); /* what is put once is not kept yet */
}

enum found { ABSENT, FOUND, WRONG };

static enum found get(struct block_cache *kept, uint64_t i, uint64_t nbytes)
{
    uint8_t got[2 * PLANES_LOW * PLANE + 1], due[2 * PLANES_LOW * PLANE + 1] = {0};
    const struct block_cache_key key = key_of(i);

    memset(got, 0xee, sizeof got);
    if (!block_cache_get(kept, &key, nbytes, got))
        return ABSENT;
    fill(i, nbytes, due);
    due[PLANES_LOW * nbytes] = 0xee;
    return memcmp(got, due, PLANES_LOW * nbytes + 1) == 0 ? FOUND : WRONG;
}

static unsigned count_found(struct block_cache *kept, uint64_t from, uint64_t to, uint64_t nbytes)
{
    unsigned n = 0;

    for (uint64_t i = from; i < to; i++) {
        const enum found found = get(kept, i, nbytes);

        assert_int_not_equal(found, WRONG);
        n += found == FOUND;
    }
    return n;
}

/* The newest are there, the oldest gone, and no more than there is room for. */
static void the_oldest_goes(void **state)
{
    struct block_cache *kept = *state;
    unsigned n;

    for (uint64_t i = 0; i < 400; i++) {
        assert_int_equal(get(kept, i, PLANE), ABSENT);
        put(kept, i, PLANE);
        assert_int_equal(get(kept, i, PLANE), FOUND);
        put(kept, i, PLANE); /* no second slot */
    }
    n = count_found(kept, 0, 400, PLANE);
    assert_true(n <= 8 * 16 && n > 8 * 16 * 3 / 4);
    assert_int_equal(count_found(kept, 0, 100, PLANE), 0);
    assert_true(count_found(kept, 360, 400, PLANE) >= 36);
}

/* Of another length it is another block, and not to be had; one that is longer than all before
 * starts anew. */
static void lengths(void **state)
{
    struct block_cache *kept = *state;

    put(kept, 1, PLANE / 2);
    assert_int_equal(get(kept, 1, PLANE), ABSENT);
    assert_int_equal(get(kept, 1, PLANE / 2), FOUND);
    put(kept, 2, 1);
    assert_int_equal(get(kept, 2, 1), FOUND);
    for (uint64_t i = 3; i < 40; i++) {
        put(kept, i, 2 * PLANE);
        assert_int_equal(get(kept, i, 2 * PLANE), FOUND);
    }
    assert_int_equal(get(kept, 1, PLANE / 2), ABSENT);
}

/* Not what planes 0 and 1 do not say, and not what plane 0 does not say alone. */
static void what_is_not_kept(void **state)
{
    struct block_cache *kept = *state;
    uint8_t bytes[PLANES_ALL * PLANE] = {0}, got[PLANES_LOW * PLANE];
    const struct block_cache_key key = key_of(3);

    for (unsigned i = 0; i < 3; i++)
        block_cache_put(kept, &key, &(struct planes){bytes, PLANE, PLANES_ALL});
    assert_false(block_cache_get(kept, &key, PLANE, got));
    for (size_t at = PLANE; at < 2 * PLANE; at++) {
        bytes[at] = 1;
        block_cache_put(kept, &key, &(struct planes){bytes, PLANE, PLANES_LOW});
        assert_false(block_cache_get(kept, &key, PLANE, got));
        bytes[at] = 0;
    }
    block_cache_put(kept, &key, &(struct planes){bytes, 0, PLANES_LOW});
    assert_false(block_cache_get(kept, &key, 0, got));
    block_cache_put(kept, &key, &(struct planes){bytes, PLANE, PLANES_LOW});
    assert_true(block_cache_get(kept, &key, PLANE, got));
}

/* Once is not enough, and must not have been too long ago. */
static void the_second_time(void **state)
{
    struct block_cache *kept = *state;
    uint8_t bytes[PLANES_LOW * PLANE] = {0};
    const struct planes planes = {bytes, PLANE, PLANES_LOW};
    unsigned nkept = 0;

    for (unsigned round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 100; i++) {
            const struct block_cache_key key = {.block = i};

            assert_false(block_cache_get(kept, &key, PLANE, bytes));
            block_cache_put(kept, &key, &planes);
            assert_int_equal(block_cache_get(kept, &key, PLANE, bytes), round == 1);
        }
    block_cache_trim(kept);
    for (unsigned round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 100000; i++) {
            const struct block_cache_key key = {.block = i};

            block_cache_put(kept, &key, &planes);
            nkept += block_cache_get(kept, &key, PLANE, bytes);
        }
    assert_true(nkept < 1000);
}

static void every_part_of_a_key_counts(void **state)
{
    struct block_cache *kept = *state;
    struct block_cache_key key = key_of(0);
    uint8_t got[PLANES_LOW * PLANE];

    put(kept, 0, PLANE);
    for (size_t i = 0; i < sizeof key; i++) {
        ((uint8_t *)&key)[i] ^= 1;
        assert_false(block_cache_get(kept, &key, PLANE, got));
        ((uint8_t *)&key)[i] ^= 1;
    }
    assert_true(block_cache_get(kept, &key, PLANE, got));
}

static void trimmed(void **state)
{
    struct block_cache *kept = *state;

    for (unsigned round = 0; round < 3; round++) {
        put(kept, 5, PLANE);
        assert_int_equal(get(kept, 5, PLANE), FOUND);
        block_cache_trim(kept);
        assert_int_equal(get(kept, 5, PLANE), ABSENT);
    }
}

/* No room for one: nothing is kept, and nothing is wrong. */
static void too_small(void **state)
{
    struct err err = {0};
    struct block_cache *kept = block_cache_new(PLANE, &err);

    (void)state;
    assert_non_null(kept);
    put(kept, 1, PLANE);
    assert_int_equal(get(kept, 1, PLANE), ABSENT);
    put(kept, 1, 1);
    assert_int_equal(get(kept, 1, 1), ABSENT);
    block_cache_free(kept);
}

/* Of blocks of a few bytes no more are kept than of longer ones: what is noted of them counts,
 * too. */
static void tiny_blocks(void **state)
{
    struct block_cache *kept = *state;

    for (uint64_t i = 0; i < 400; i++)
        put(kept, i, 2);
    assert_true(count_found(kept, 0, 400, 2) <= BUDGET / PLANE);
}

struct shared {
    struct block_cache *kept;
    atomic_uint nfound, nwrong, seed;
};

static void *put_get_trim(void *arg)
{
    struct shared *shared = arg;
    uint64_t state = 1 + atomic_fetch_add(&shared->seed, 1);

    for (unsigned i = 0; i < NROUNDS; i++) {
        uint64_t key, nbytes;
        enum found found;

        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        key = state >> 33;
        nbytes = key % 16 == 0 ? PLANE / 2 : PLANE;
        if (key % 5000 == 0)
            block_cache_trim(shared->kept);
        if (key % 3 == 0)
            put(shared->kept, key % 192, nbytes);
        found = get(shared->kept, key % 192, nbytes);
        shared->nfound += found == FOUND;
        shared->nwrong += found == WRONG;
    }
    return NULL;
}

static void threads(void **state)
{
    struct shared shared = {.kept = *state};
    pthread_t thread[NTHREADS];

    for (unsigned i = 0; i < NTHREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, put_get_trim, &shared), 0);
    for (unsigned i = 0; i < NTHREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(shared.nwrong, 0);
    assert_true(shared.nfound > NROUNDS);
}

/* ---- through a decoder ---- */

#define BLOCK    ((size_t)512 << 10)
#define NBLOCKS  4
#define ELEMENTS (NBLOCKS * BLOCK)

/* Calls of 0 and 1; in block 2 one is missing. */
static uint8_t *make_calls(void)
{
    uint8_t *calls = calloc(1, ELEMENTS);
    uint64_t state = 1;

    for (size_t i = 0; i < ELEMENTS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        calls[i] = state >> 58 == 0;
    }
    calls[2 * BLOCK + 77] = 0xff;
    return calls;
}

static void put_calls(struct fixture *f, const uint8_t *calls)
{
    const size_t room = ELEMENTS + BLOSC_MAX_OVERHEAD;
    uint8_t *frame = malloc(room);
    const int n =
        blosc_compress_ctx(5, BLOSC_BITSHUFFLE, 1, ELEMENTS, calls, frame, room, "zstd", BLOCK, 1);
    char json[512];

    assert_true(n > 0);
    snprintf(json, sizeof json,
             "{\"zarr_format\":2,\"shape\":[%zu],\"chunks\":[%zu],\"dtype\":\"|i1\","
             "\"order\":\"C\",\"compressor\":{\"id\":\"blosc\"},\"filters\":null,"
             "\"fill_value\":0}",
             ELEMENTS, ELEMENTS);
    put_text(f, ".zgroup", "{\"zarr_format\":2}");
    put_text(f, "x/.zarray", json);
    put_file(f, "x/0", frame, (size_t)n);
    free(frame);
}

/* Has every block, in this form, and holds it against the calls. Returns how many were decoded. */
static uint64_t read_blocks(struct fixture *f, const struct zarr_array *array, const uint8_t *calls,
                            bool planes_ok)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    uint8_t *plain = malloc(BLOCK);
    struct decoder_stats before, after;
    struct err err = {0};
    struct chunk *chunk;
    struct block block;

    decoder_stats(f->decoder, &before);
    for (uint64_t i = 0; i < NBLOCKS; i++) {
        if (decoder_chunk(f->decoder, array, first, &chunk, &err) != 0 ||
            decoder_block(f->decoder, chunk, i, planes_ok, &block, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(block.form, planes_ok ? BLOCK_PLANES : BLOCK_PLAIN);
        assert_int_equal(block.nbytes, BLOCK);
        if (planes_ok)
            unshuffle(&block.planes, plain);
        assert_memory_equal(planes_ok ? plain : block.data, calls + i * BLOCK, BLOCK);
    }
    decoder_stats(f->decoder, &after);
    free(plain);
    return after.blocks - before.blocks;
}

static void through_a_decoder(void **state)
{
    struct err err = {0};
    struct block_cache *kept = block_cache_new((size_t)8 << 20, &err);
    uint8_t *calls = make_calls();
    struct zarr_array *array;
    struct fixture f;

    (void)state;
    make_dir(&f);
    put_calls(&f, calls);
    open_path(&f, f.dir);
    array = open_array(&f, "x");
    decoder_set_kept(f.decoder, kept);
    assert_int_equal(read_blocks(&f, array, calls, true), NBLOCKS);
    assert_int_equal(read_blocks(&f, array, calls, true), NBLOCKS); /* not asked to keep any */
    decoder_keep(f.decoder, true);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(read_blocks(&f, array, calls, true), NBLOCKS);
    assert_int_equal(read_blocks(&f, array, calls, true), 1); /* the one with a missing call */
    decoder_trim(f.decoder);
    decoder_keep(f.decoder, false);
    assert_int_equal(read_blocks(&f, array, calls, true), 1);
    assert_int_equal(read_blocks(&f, array, calls, false), NBLOCKS);
    block_cache_trim(kept);
    assert_int_equal(read_blocks(&f, array, calls, true), NBLOCKS);
    zarr_array_free(array);
    close_fixture(&f);
    block_cache_free(kept);
    free(calls);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_oldest_goes),
        TEST(lengths),
        TEST(what_is_not_kept),
        TEST(the_second_time),
        TEST(every_part_of_a_key_counts),
        TEST(trimmed),
        TEST(too_small),
        TEST(tiny_blocks),
        TEST(threads),
        cmocka_unit_test(through_a_decoder),
    };

    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
