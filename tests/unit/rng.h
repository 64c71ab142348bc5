/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: chance that is the same in every run, for property tests.
 */
#ifndef VCZFS_TESTS_RNG_H
#define VCZFS_TESTS_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* Not 0; a test sets it first. */
static uint64_t rng_state = 20261126;

/* xorshift64 */
static inline uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

static inline uint64_t rng_below(uint64_t n)
{
    return rng() % n;
}

static inline bool rng_chance(unsigned per_mille)
{
    return rng_below(1000) < per_mille;
}

#endif
