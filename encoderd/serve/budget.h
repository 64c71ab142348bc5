/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget: divides the memory that --memory allows.
 */
#ifndef VCZFS_SERVE_BUDGET_H
#define VCZFS_SERVE_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct budget {
    unsigned nthreads; /* workers: fewer than asked for if there is too little memory for them */
    uint64_t arena;    /* bytes, as in all fields below */
    size_t scratch;    /* of each worker */
    size_t cache;      /* of chunks that can only be decoded whole */
    size_t kept;       /* of blocks that are kept for random readers */
    size_t fetch;      /* of stored bytes, in flight or not decoded yet */
    size_t zip;        /* of members of a zip archive that were inflated */
};

struct budget budget_of(uint64_t memory, unsigned nthreads);

#endif
