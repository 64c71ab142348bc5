/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget: how the memory that --memory allows is divided.
 */
#ifndef VCZFS_SERVE_BUDGET_H
#define VCZFS_SERVE_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct budget {
    unsigned nthreads; /* workers: fewer than asked for if memory is too little for so many */
    uint64_t arena;    /* bytes, as are all that follow */
    size_t scratch;    /* of each worker */
    size_t cache;      /* of chunks that can only be decoded whole */
    size_t kept;       /* of blocks that random readers wanted */
    size_t fetch;      /* of stored bytes, on the way or there, that are not decoded yet */
    size_t zip;        /* of members of a zip archive that had to be inflated */
};

struct budget budget_of(uint64_t memory, unsigned nthreads);

#endif
