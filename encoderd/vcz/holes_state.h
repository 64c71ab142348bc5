/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_state: the state that holes*.c share. Only they include this.
 */
#ifndef VCZFS_VCZ_HOLES_STATE_H
#define VCZFS_VCZ_HOLES_STATE_H

#include "common/cleanup.h"
#include "encoderd/vcz/tallies.h"
#include "encoderd/zarr/chunk/chunk_table.h"

#include <pthread.h>

/* The end of every message that refuses a hole. */
#define CURE "; with --absent-chunks fill it is shown so all the same"

#define VERDICTS 1024

enum trust { TRUST_UNKNOWN, TRUST_NO, TRUST_YES };

struct verdict {
    uint64_t vchunk;
    bool known, bad;
    uint64_t variant; /* the variant that contradicts, if bad */
};

struct holes {
    const struct vcz *vcz; /* borrowed */
    size_t scratch_max;
    pthread_mutex_t lock;    /* for all fields below */
    struct tallies *tallies; /* owned; NULL until needed, or if there are none */
    bool tallies_opened;
    enum trust trust;
    struct verdict verdicts[VERDICTS]; /* of the row of chunks n at n % VERDICTS */
};

static inline void holes_free_table(struct chunk_table **table)
{
    chunk_table_free(*table);
}

#define AUTO_TABLE CLEANUP(holes_free_table)

#endif
