/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/budget.h"

#include "common/size.h"

/* Five sixteenths are for the arena; a quarter is for the workers' scratch; an eighth each for
 * chunks that can only be decoded whole, and for blocks that are kept for random readers; a
 * sixteenth each for stored bytes that are not decoded yet, and for members of a zip archive. The
 * rest is for indexes, queues and memory of the libraries. */
#define ARENA_SIXTEENTHS 5
#define SCRATCH_SHARE    4
#define CACHE_SHARE      8
#define KEPT_SHARE       8
#define FETCH_SHARE      16
#define ZIP_SHARE        16
#define SCRATCH_MIN      (UINT64_C(3) << 20)

struct budget budget_of(uint64_t memory, unsigned nthreads)
{
    const uint64_t room = memory / SCRATCH_SHARE / SCRATCH_MIN;
    const unsigned workers = (unsigned)size_max(1, size_min(nthreads, room));

    return (struct budget){
        .nthreads = workers,
        .arena = memory / 16 * ARENA_SIXTEENTHS,
        .scratch = (size_t)(memory / SCRATCH_SHARE / workers),
        .cache = (size_t)(memory / CACHE_SHARE),
        .kept = (size_t)(memory / KEPT_SHARE),
        .fetch = (size_t)(memory / FETCH_SHARE),
        .zip = (size_t)(memory / ZIP_SHARE),
    };
}
