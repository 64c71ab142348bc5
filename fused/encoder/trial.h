/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial: what becomes of a chunk that encoders died of, found out in an encoder of its own.
 *
 * The mount's encoder holds suspects back. Who wants one waits, while a second encoder is asked for
 * just that. If it answers, the chunk is acquitted, and the mount's encoder may have it again; if
 * it dies of itself while it decodes the chunk, that is condemned: EIO at once, until its time is
 * over and somebody wants it again. doc/DEATHS.md says why. All of it is on the loop.
 */
#ifndef VCZFS_FUSED_ENCODER_TRIAL_H
#define VCZFS_FUSED_ENCODER_TRIAL_H

#include "fused/encoder/link.h"
#include "fused/encoder/suspects.h"

struct trial;

struct trial_config {
    struct link_config
        link; /* with a supervisor of the trial's own; what it points at is borrowed */
    const struct link *main;    /* borrowed; for what it knows of the view */
    unsigned timeout_ms;        /* what a trial may take */
    void (*changed)(void *arg); /* other chunks are to be held back than before */
    void (*judged)(void *arg);  /* who waits for a verdict had best ask again */
    void *arg;
};

struct trial *trial_new(const struct trial_config *config, struct err *err);
void trial_free(struct trial *trial);

/* An encoder of the mount died. */
void trial_died(struct trial *trial, const struct evidence *evidence);

/* What the mount's encoders are to hold back. */
void trial_hold(const struct trial *trial, struct msg_hold *out);

/* A question was answered with that chunk's being held back. */
enum verdict {
    VERDICT_NONE, /* it is not any more: ask again */
    VERDICT_WAIT, /* `judged` will be called */
    VERDICT_CONDEMNED,
};
enum verdict trial_ask(struct trial *trial, const char *chunk, const struct question *question);

/* An encoder says that it holds this chunk back. It may have said so before it heard that it need
 * not any more; then one asks again, and has done so `nagain` times already. -1 with ERR_PEER if it
 * lies. */
int trial_believe(const struct trial *trial, const char *chunk, unsigned nagain, struct err *err);

const struct suspects *trial_suspects(const struct trial *trial);

#endif
