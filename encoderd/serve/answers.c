/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/answers.h"

void answers_init(struct answers *answers)
{
    *answers = (struct answers){0};
    TAILQ_INIT(&answers->due);
    for (int i = 0; i < LEASE_BUCKETS; i++)
        TAILQ_INIT(&answers->leases[i]);
    pool_init(&answers->lease_pool, sizeof(struct lease_given), 0);
    pool_init(&answers->answer_pool, sizeof(struct answer), 0);
}

void answers_clear(struct answers *answers)
{
    struct lease_given *lease;
    struct answer *answer;

    for (int i = 0; i < LEASE_BUCKETS; i++) {
        while ((lease = TAILQ_FIRST(&answers->leases[i])) != NULL) {
            TAILQ_REMOVE(&answers->leases[i], lease, link);
            pool_put(&answers->lease_pool, lease);
        }
    }
    while ((answer = TAILQ_FIRST(&answers->due)) != NULL) {
        TAILQ_REMOVE(&answers->due, answer, link);
        pool_put(&answers->answer_pool, answer);
    }
    pool_clear(&answers->lease_pool, NULL);
    pool_clear(&answers->answer_pool, NULL);
}

static struct answer *new_answer(struct answers *answers, uint64_t id)
{
    struct answer *answer = pool_get(&answers->answer_pool);

    if (answer == NULL)
        return NULL;
    answer->answer.id = id;
    TAILQ_INSERT_TAIL(&answers->due, answer, link);
    return answer;
}

void answers_error(struct answers *answers, uint64_t id, const struct err *err)
{
    struct answer *answer = new_answer(answers, id);

    if (answer == NULL)
        return;
    answer->answer.failed = true;
    answer->answer.err = *err;
}

void answers_lease(struct answers *answers, struct span_table *spans, uint64_t id,
                   struct span *span)
{
    struct lease_given *lease = pool_get(&answers->lease_pool);
    struct answer *answer = lease == NULL ? NULL : new_answer(answers, id);

    if (answer == NULL) {
        pool_put(&answers->lease_pool, lease);
        return;
    }
    lease->id = ++answers->next_lease;
    lease->span = span;
    TAILQ_INSERT_TAIL(&answers->leases[lease->id % LEASE_BUCKETS], lease, link);
    span->nleases++;
    span->unread = false;
    answers->nheld++;
    span_move(spans, span, SPAN_RESTING); /* most recently used now */
    answer->answer.lease = lease->id;
    answer->answer.offset = span->target.begin;
    answer->answer.length = span->target.end - span->target.begin;
    answer->answer.at = span->at;
}

bool answers_take(struct answers *answers, struct sched_answer *out)
{
    struct answer *answer = TAILQ_FIRST(&answers->due);

    if (answer == NULL)
        return false;
    TAILQ_REMOVE(&answers->due, answer, link);
    *out = answer->answer;
    pool_put(&answers->answer_pool, answer);
    return true;
}

bool answers_return(struct answers *answers, struct span_table *spans, uint64_t id)
{
    struct leases *bucket = &answers->leases[id % LEASE_BUCKETS];
    struct lease_given *lease;

    TAILQ_FOREACH (lease, bucket, link)
        if (lease->id == id)
            break;
    if (lease == NULL)
        return false;
    TAILQ_REMOVE(bucket, lease, link);
    answers->nheld--;
    if (--lease->span->nleases == 0 && !lease->span->keep)
        span_free(spans, lease->span);
    pool_put(&answers->lease_pool, lease);
    return true;
}
