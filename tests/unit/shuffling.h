/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shuffling: elements to their bit planes, and back, one bit at a time.
 */
#ifndef VCZFS_TESTS_SHUFFLING_H
#define VCZFS_TESTS_SHUFFLING_H

#include "encoderd/zarr/codec/planes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Can PLANES_LOW say all of it? */
static inline bool elements_are_low(const int8_t *elements, uint64_t nelements)
{
    for (uint64_t i = 0; i < nelements; i++)
        if (elements[i] < 0 || elements[i] > 3)
            return false;
    return true;
}

/* n planes at `to`, which has room for n × nelements / 8 bytes. */
static inline struct planes shuffle(const int8_t *elements, uint64_t nelements, unsigned n,
                                    uint8_t *to)
{
    const struct planes planes = {.at = to, .nbytes = nelements / 8, .n = n};

    memset(to, 0, n * planes.nbytes);
    for (unsigned p = 0; p < n; p++)
        for (uint64_t i = 0; i < nelements; i++)
            to[p * planes.nbytes + i / 8] |= (uint8_t)(((unsigned)elements[i] >> p & 1) << i % 8);
    return planes;
}

/* out: 8 × planes->nbytes elements. */
static inline void unshuffle(const struct planes *planes, uint8_t *out)
{
    for (size_t i = 0; i < 8 * planes->nbytes; i++) {
        unsigned value = 0;

        for (unsigned p = 0; p < planes->n; p++)
            value |= ((unsigned)planes->at[p * planes->nbytes + i / 8] >> (i % 8) & 1u) << p;
        out[i] = (uint8_t)value;
    }
}

#endif
