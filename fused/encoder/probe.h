/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: finds out, with an encoder of its own, whether a suspect kills the encoders that decode
 * it.
 *
 * The mount's encoder holds suspects back. A read that needs one waits, while a second encoder is
 * asked for what the read needs. If that encoder answers, the chunk is cleared, and the mount's
 * encoder may decode it again. If it dies by its own fault while it decodes the chunk, the chunk is
 * condemned: for a time reads get EIO at once. When a read needs it after that time, it is probed
 * again. doc/DEATHS.md has the reasons. Everything runs on the loop.
 */
#ifndef VCZFS_FUSED_ENCODER_PROBE_H
#define VCZFS_FUSED_ENCODER_PROBE_H

#include "fused/encoder/link.h"
#include "fused/encoder/suspects.h"

struct probe;

struct probe_config {
    struct link_config link;    /* needs a supervisor of its own; its pointers are borrowed */
    const struct link *main;    /* borrowed; knows the view */
    unsigned timeout_ms;        /* what a probe may take */
    void (*changed)(void *arg); /* the set of chunks to hold back has changed */
    void (*settled)(void *arg); /* reads that wait for a probe should ask again */
    void *arg;
};

struct probe *probe_new(const struct probe_config *config, struct err *err);
void probe_free(struct probe *probe);

/* An encoder of the mount died. */
void probe_died(struct probe *probe, const struct evidence *evidence);

/* The chunks that the mount's encoder must hold back. */
void probe_hold(const struct probe *probe, struct msg_hold *out);

/* What becomes of a question whose answer was that a chunk is held back. */
enum probe_answer {
    PROBE_AGAIN, /* the chunk is not held back any more */
    PROBE_WAIT,  /* `settled` will be called */
    PROBE_CONDEMNED,
};
enum probe_answer probe_ask(struct probe *probe, const char *chunk,
                            const struct question *question);

/* An encoder said that it holds this chunk back: is that true? It may have said so before it heard
 * that the chunk was cleared; then the question is asked again, as `nagain` times before. -1 with
 * ERR_PEER if the encoder lies. */
int probe_believe(const struct probe *probe, const char *chunk, unsigned nagain, struct err *err);

const struct suspects *probe_suspects(const struct probe *probe);

#endif
