/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what becomes of a chunk that encoders died of, found out in an encoder of its own.
 *
 * The mount's encoder holds suspects back. A read that needs one waits, while a second encoder is
 * asked for just that. If it answers, the chunk is cleared, and the mount's encoder may decode it
 * again. If it dies by its own fault while it decodes the chunk, the chunk is condemned: EIO at
 * once, for a time, and then another probe when a read needs it. doc/DEATHS.md says why. All of it
 * is on the loop.
 */
#ifndef VCZFS_FUSED_ENCODER_PROBE_H
#define VCZFS_FUSED_ENCODER_PROBE_H

#include "fused/encoder/link.h"
#include "fused/encoder/suspects.h"

struct probe;

struct probe_config {
    struct link_config
        link; /* with a supervisor of the probe's own; what it points at is borrowed */
    const struct link *main;    /* borrowed; for what it knows of the view */
    unsigned timeout_ms;        /* what a probe may take */
    void (*changed)(void *arg); /* other chunks are to be held back than before */
    void (*settled)(void *arg); /* reads that wait for a probe are to ask again */
    void *arg;
};

struct probe *probe_new(const struct probe_config *config, struct err *err);
void probe_free(struct probe *probe);

/* An encoder of the mount died. */
void probe_died(struct probe *probe, const struct evidence *evidence);

/* What the mount's encoders are to hold back. */
void probe_hold(const struct probe *probe, struct msg_hold *out);

/* A question was answered with the name of a chunk that is held back. */
enum probe_answer {
    PROBE_AGAIN, /* the chunk is not held back any more */
    PROBE_WAIT,  /* `settled` will be called */
    PROBE_CONDEMNED,
};
enum probe_answer probe_ask(struct probe *probe, const char *chunk,
                            const struct question *question);

/* An encoder says that it holds this chunk back. It may have said so before it heard that it need
 * not any more; then the question is asked again, as it was `nagain` times already. -1 with
 * ERR_PEER if the encoder lies. */
int probe_believe(const struct probe *probe, const char *chunk, unsigned nagain, struct err *err);

const struct suspects *probe_suspects(const struct probe *probe);

#endif
