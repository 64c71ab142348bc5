/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phase_cache: what comes out was put in for that very key, however keys meet in its slots and
 * whoever else is at it.
 */
#include "encoderd/encode/phase_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

/* So many keys that whatever slots there are, several meet in most. */
enum { NKEYS = 5000, NTHREADS = 4, NROUNDS = 20000 };

static int setup(void **state)
{
    struct err err = {0};

    *state = phase_cache_new(&err);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    phase_cache_free(*state);
    return 0;
}

/* What is put for a key: every byte depends on all of it. */
static struct phase_rows rows_of(const struct phase_key *key)
{
    struct phase_rows rows;
    uint64_t x = key->vchunk;

    x = x * 1000003 + key->schunk;
    x = x * 1000003 + key->block;
    x = x * 1000003 + key->first_row;
    for (unsigned i = 0; i < PHASE_ROWS; i++) {
        x = x * 6364136223846793005 + 1442695040888963407;
        rows.seen[i] = (uint8_t)(x >> 56);
    }
    return rows;
}

static void put(struct phase_cache *cache, const struct phase_key *key)
{
    const struct phase_rows rows = rows_of(key);

    phase_cache_put(cache, key, &rows);
}

enum found { NOT_FOUND, FOUND, FOUND_WRONG };

static enum found get(struct phase_cache *cache, const struct phase_key *key)
{
    const struct phase_rows due = rows_of(key);
    struct phase_rows rows;

    if (!phase_cache_get(cache, key, &rows))
        return NOT_FOUND;
    return memcmp(&rows, &due, sizeof rows) == 0 ? FOUND : FOUND_WRONG;
}

/* Key i of those that differ from `from` in one field. */
static struct phase_key differing(struct phase_key from, unsigned field, uint64_t i)
{
    uint64_t *const fields[] = {&from.vchunk, &from.schunk, &from.block, &from.first_row};

    *fields[field] += i;
    return from;
}

/* A key that differs from `from` in one field and puts it out of its slot. */
static struct phase_key same_slot(struct phase_cache *cache, const struct phase_key *from,
                                  unsigned field)
{
    for (uint64_t i = 1; i < 1000000; i++) {
        const struct phase_key key = differing(*from, field, i);

        put(cache, from);
        put(cache, &key);
        if (get(cache, from) == NOT_FOUND)
            return key;
    }
    fail_msg("no two keys share a slot");
    return *from;
}

static void test_get_after_put(void **state)
{
    struct phase_cache *cache = *state;
    struct phase_key key = {0};

    /* The key of an empty slot is all zeros too. */
    assert_int_equal(get(cache, &key), NOT_FOUND);
    for (uint64_t i = 0; i < NKEYS; i++) {
        key = (struct phase_key){i % 3, i / 3 % 5, i / 15 % 7, i / 105 * PHASE_ROWS};
        put(cache, &key);
        assert_int_equal(get(cache, &key), FOUND);
    }
    phase_cache_put(cache, &key, &(struct phase_rows){{1}});
    assert_int_equal(get(cache, &key), FOUND_WRONG);
    put(cache, &key);
    assert_int_equal(get(cache, &key), FOUND);
}

/* In each field: the other is not there, and then it is there and the first one is not. */
static void test_same_slot(void **state)
{
    static const struct phase_key key = {3, 5, 7, 11 * PHASE_ROWS};
    struct phase_cache *cache = *state;

    for (unsigned field = 0; field < 4; field++) {
        const struct phase_key other = same_slot(cache, &key, field);

        put(cache, &key);
        assert_int_equal(get(cache, &other), NOT_FOUND);
        assert_int_equal(get(cache, &key), FOUND);
        put(cache, &other);
        assert_int_equal(get(cache, &other), FOUND);
        assert_int_equal(get(cache, &key), NOT_FOUND);
    }
}

/* Keys next to one another, as spans ask for them, find slots of their own for the most part, in
 * every field: a cache whose keys meet in a few slots is none. */
static void test_spread(void **state)
{
    struct phase_cache *cache = *state;

    for (unsigned field = 0; field < 4; field++) {
        const uint64_t step = field == 3 ? PHASE_ROWS : 1;
        unsigned kept = 0;

        for (uint64_t i = 0; i < 256; i++) {
            const struct phase_key key = differing((struct phase_key){0}, field, i * step);

            put(cache, &key);
        }
        for (uint64_t i = 0; i < 256; i++) {
            const struct phase_key key = differing((struct phase_key){0}, field, i * step);

            kept += get(cache, &key) == FOUND;
        }
        if (kept < 160)
            fail_msg("field %u: %u of 256", field, kept);
    }
}

struct shared {
    struct phase_cache *cache;
    struct phase_key keys[4]; /* of one slot */
    atomic_uint nfound, nwrong;
};

static void *put_and_get(void *arg)
{
    struct shared *shared = arg;

    for (unsigned i = 0; i < NROUNDS; i++) {
        enum found found;

        put(shared->cache, &shared->keys[i % 4]);
        found = get(shared->cache, &shared->keys[i / 4 % 4]);
        shared->nfound += found == FOUND;
        shared->nwrong += found == FOUND_WRONG;
    }
    return NULL;
}

/* Threads that put each other's keys out of one slot. */
static void test_threads(void **state)
{
    struct shared shared = {.cache = *state, .keys = {{1, 2, 3, 0}}};
    pthread_t threads[NTHREADS];

    for (unsigned i = 1; i < 4; i++)
        shared.keys[i] = same_slot(*state, &shared.keys[0], i - 1);
    for (unsigned i = 0; i < NTHREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_get, &shared), 0);
    for (unsigned i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.nwrong, 0);
    assert_true(shared.nfound > 0);
}

static struct phase_block block_at(uint64_t schunk, uint64_t begin, const char *stored)
{
    struct phase_block block = {.schunk = schunk, .begin = begin};

    block.as = (struct stored_block){.nstored = strlen(stored), .nbytes = 1000, .typesize = 1};
    memcpy(block.as.stored, stored, strlen(stored));
    memset(block.seen, (int)(schunk * 16 + begin / 1000), sizeof block.seen);
    return block;
}

static bool knows(struct phase_cache *cache, struct phase_block block)
{
    const struct phase_block due = block;

    memset(block.seen, 0xee, sizeof block.seen);
    if (!phase_cache_get_block(cache, &block))
        return false;
    assert_memory_equal(block.seen, due.seen, sizeof due.seen);
    return true;
}

/* Known by place and by all that says how it is stored. */
static void test_blocks(void **state)
{
    struct phase_cache *cache = *state;
    const struct phase_block put = block_at(1, 2000, "abc");
    struct phase_block other = put;

    assert_false(knows(cache, put));
    phase_cache_put_block(cache, &put);
    assert_true(knows(cache, put));
    assert_false(knows(cache, block_at(2, 2000, "abc")));
    assert_false(knows(cache, block_at(1, 1000, "abc")));
    assert_false(knows(cache, block_at(1, 2000, "abd")));
    assert_false(knows(cache, block_at(1, 2000, "ab")));
    other.as.nbytes--;
    assert_false(knows(cache, other));
    other = put;
    other.as.flags ^= 2;
    assert_false(knows(cache, other));
    other = put;
    other.as.nstored = 0; /* in too many bytes: equal to nothing, itself included */
    phase_cache_put_block(cache, &other);
    assert_false(knows(cache, other));
    assert_false(knows(cache, put));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_get_after_put), TEST(test_same_slot), TEST(test_spread),
        TEST(test_threads),       TEST(test_blocks),
    };

    return cmocka_run_group_tests_name("phase_cache", tests, NULL, NULL);
}
