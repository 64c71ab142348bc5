/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an encoder: what is recorded about it, and when the next one starts.
 */
#include "fused/encoder/link_impl.h"

#include "common/memfd.h"
#include "fused/process/clock.h"

#include <stdio.h>
#include <string.h>

#define GOOD_LIFE_MS  10000 /* an encoder that was up this long resets the count of failures */
#define REOPEN_WAIT   4     /* times the usual silence, because a reopening looks at every file */
#define LAST_WORDS_MS 100

/* The waits are short, because a read should still be answered within its timeout after several
 * encoders died, if the next one lives long enough to answer it. */
static const unsigned backoff_ms[] = {0, 20, 50, 100, 250, 500};
#define NBACKOFF (sizeof backoff_ms / sizeof backoff_ms[0])

void link_arm_watch(struct link *link, uint64_t ms)
{
    link->watch_ms = ms;
    link->watch_due = clock_ms() + ms;
    clock_arm(link->watch, ms);
}

void link_disconnect(struct link *link)
{
    event_del(link->watch);
    if (link->conn != NULL)
        conn_free(link->conn);
    link->conn = NULL;
    memfd_unmap(link->arena, link->arena_size);
    evidence_free(&link->evidence);
    link->arena = NULL;
    link->arena_size = 0;
    link->nasked = 0;
    memset(link->fetch_ids, 0, sizeof link->fetch_ids);
    link->stats_id = link->counters_id = 0;
    link->facts.pid = 0;
}

static unsigned next_backoff(struct link *link)
{
    unsigned i = link->nfailed < NBACKOFF ? link->nfailed : NBACKOFF - 1;

    link->nfailed++;
    return backoff_ms[i];
}

static void look_at_evidence(struct link *link)
{
    struct evidence evidence;

    evidence_read(link->evidence, &evidence);
    if (link->opened)
        link->handlers->died(&evidence, link->arg);
}

void link_lose_encoder(struct link *link, const struct err *why)
{
    bool was_up = link->state == LINK_UP;
    unsigned wait;

    if (was_up && clock_ms() - link->up_since >= GOOD_LIFE_MS)
        link->nfailed = 0;
    link->state = LINK_DOWN;
    snprintf(link->facts.last_loss, sizeof link->facts.last_loss, "%.255s", why->msg);
    link->facts.last_loss_at = clock_ms();
    look_at_evidence(link);
    if (was_up)
        link->handlers->down(link->arg);
    link_disconnect(link);
    if (!link->opened) {
        /* Nothing is mounted yet, so it may take the time to learn how the encoder ended. */
        supervisor_stop(link->config.supervisor, LAST_WORDS_MS);
        link->handlers->failed(why, link->arg);
        return;
    }
    supervisor_discard(link->config.supervisor);
    wait = next_backoff(link);
    log_warning("encoder lost: %s; another one in %u ms", why->msg, wait);
    clock_arm(link->retry, wait);
}

void link_go_stale(struct link *link, const char *text)
{
    log_error("the store changed while it was mounted (%s): reads of the large files fail with "
              "ESTALE from now on; unmount and mount again",
              text);
    link_disconnect(link);
    supervisor_discard(link->config.supervisor);
    link->state = LINK_STALE;
    link->handlers->stale(link->arg);
}

void link_watch_reopening(struct link *link)
{
    if (link->opened)
        link_arm_watch(link, (uint64_t)link->config.silence_ms * REOPEN_WAIT << link->nstuck);
}
