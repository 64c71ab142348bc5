/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspects: chunks that encoders died of. A short list without I/O.
 *
 * A chunk is added when an encoder dies by its own fault while it decodes the chunk. From then on
 * encoders hold it back. A probe (probe.h) then either clears it, which removes it from the list,
 * or condemns it for a time, after which it may be probed again. The names come from the encoder
 * and are not interpreted here.
 */
#ifndef VCZFS_FUSED_ENCODER_SUSPECTS_H
#define VCZFS_FUSED_ENCODER_SUSPECTS_H

#include "common/evidence.h"
#include "proto/proto.h"

#define SUSPECTS_MAX     PROTO_HOLD_MAX
#define QUESTIONS_MAX    8
#define CONDEMNED_MAX_MS 3600000
#define RELEASED_MAX     16

/* A request of a reader that needs the chunk. */
struct question {
    bool fetch; /* all of a lazy file */
    struct msg_read read;
};

struct suspect {
    char chunk[EVIDENCE_LABEL_MAX]; /* "": no entry */
    uint64_t condemned_ms;          /* the latest time span; 0: never condemned */
    uint64_t until;                 /* ms: condemned till then */
    bool wanted;                    /* a read waits for its probe */
    struct question questions[QUESTIONS_MAX];
    size_t nquestions;
};

/* Zero-initialise. */
struct suspects {
    struct suspect items[SUSPECTS_MAX];
    char released[RELEASED_MAX][EVIDENCE_LABEL_MAX]; /* the chunks that were cleared last */
    size_t nreleased;                                /* ever */
};

/* NULL if the chunk is no suspect. */
struct suspect *suspects_find(struct suspects *suspects, const char *chunk);

/* Finds the chunk or adds it to the list. If the list is full, it replaces the suspect whose time
 * ends first. */
struct suspect *suspects_add(struct suspects *suspects, const char *chunk);

/* Takes it from the list. */
void suspects_clear(struct suspects *suspects, struct suspect *suspect);

/* Is the chunk on the list, or was it until a short time ago? */
bool suspects_knew(const struct suspects *suspects, const char *chunk);

/* Condemns the suspect for `least` ms, or after an earlier time for twice that time, up to
 * CONDEMNED_MAX_MS. Its first question, at which the encoder died, is kept for the next probe. */
void suspect_condemn(struct suspect *suspect, uint64_t now, uint64_t least);
bool suspect_is_condemned(const struct suspect *suspect, uint64_t now);

/* Adds a question, unless it is there already or there are QUESTIONS_MAX. */
void suspect_ask(struct suspect *suspect, const struct question *question);
void suspect_answered(struct suspect *suspect); /* the first */

/* A suspect that may be probed now and that a read waits for; NULL if there is none. */
struct suspect *suspects_next(struct suspects *suspects, uint64_t now);

/* Writes the names of all suspects except `but` (may be NULL) to out, which borrows them. */
void suspects_hold(const struct suspects *suspects, const struct suspect *but,
                   struct msg_hold *out);

#endif
