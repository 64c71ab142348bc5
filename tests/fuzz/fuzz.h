/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz: what every fuzz target has: its entry point, and properties that end it when they do not
 * hold.
 *
 * A target is one file fuzz_NAME.c. libFuzzer runs it (make fuzz); replay.c feeds it the seeds and
 * every input that ever failed (make check).
 */
#ifndef VCZFS_TESTS_FUZZ_H
#define VCZFS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(property)                                                                          \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The next byte of the input, which shrinks; 0 once it is used up. */
static inline uint8_t take_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

/* The next n bytes as a little-endian number. */
static inline uint64_t take_number(const uint8_t **data, size_t *size, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t)take_byte(data, size) << (8 * i);
    return value;
}

#endif
