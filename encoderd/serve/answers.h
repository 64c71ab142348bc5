/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers: the answers that are due to readers, and the leases that readers hold.
 *
 * Used by the server's thread; under the core's lock if a span is touched.
 */
#ifndef VCZFS_SERVE_ANSWERS_H
#define VCZFS_SERVE_ANSWERS_H

#include "encoderd/serve/span.h"

#define LEASE_BUCKETS 256

struct lease_given {
    TAILQ_ENTRY(lease_given) link;
    uint64_t id;
    struct span *span;
};
TAILQ_HEAD(leases, lease_given);

struct answer {
    TAILQ_ENTRY(answer) link;
    struct sched_answer answer;
};
TAILQ_HEAD(answer_list, answer);

struct answers {
    struct answer_list due; /* owned */
    struct leases leases[LEASE_BUCKETS];
    struct pool lease_pool, answer_pool;
    uint64_t next_lease, nheld;
};

void answers_init(struct answers *answers);
void answers_clear(struct answers *answers);

/* If there is no memory for an answer, the read fails at the front's deadline. */
void answers_error(struct answers *answers, uint64_t id, const struct err *err);

/* Leases a ready span to a read. */
void answers_lease(struct answers *answers, struct span_table *spans, uint64_t id,
                   struct span *span);

/* Takes the next answer; false if there is none. */
bool answers_take(struct answers *answers, struct sched_answer *out);

/* Ends the lease; false if there is no such lease. */
bool answers_return(struct answers *answers, struct span_table *spans, uint64_t id);

#endif
