/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads under an encoder that answers, lies, delays and dies, as the bytes say:
 * tests/unit/reads_model.h has what must hold, and tests/unit/test_front_reads.c plays the same by
 * chance.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/reads_model.h"

#define STEPS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model_quiet();
    model_play("these bytes", STEPS_MAX, NULL, data, size);
    return 0;
}
