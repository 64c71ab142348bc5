/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspects: chunks that encoders died of. A short list without I/O.
 *
 * A chunk is put here when an encoder dies by its own fault while it decodes the chunk. From then
 * on encoders hold it back, until a probe (probe.h) clears it, which takes it from the list, or
 * condemns it for a time, after which it is probed again. Names are the encoder's, and mean nothing
 * here.
 */
#ifndef VCZFS_FUSED_ENCODER_SUSPECTS_H
#define VCZFS_FUSED_ENCODER_SUSPECTS_H

#include "common/evidence.h"
#include "proto/proto.h"

#define SUSPECTS_MAX     PROTO_HOLD_MAX
#define QUESTIONS_MAX    8
#define CONDEMNED_MAX_MS 3600000
#define RELEASED_MAX     16

/* What somebody wants that needs the chunk. */
struct question {
    bool fetch; /* all of a lazy file */
    struct msg_read read;
};

struct suspect {
    char chunk[EVIDENCE_LABEL_MAX]; /* "": no entry */
    uint64_t condemned_ms;          /* for how long the last time; 0: never */
    uint64_t until;                 /* ms: condemned till then */
    bool wanted;                    /* a read waits for its probe */
    struct question questions[QUESTIONS_MAX];
    size_t nquestions;
};

/* Zero-initialise. */
struct suspects {
    struct suspect items[SUSPECTS_MAX];
    char released[RELEASED_MAX][EVIDENCE_LABEL_MAX]; /* the last ones that were taken from it */
    size_t nreleased;                                /* ever */
};

/* NULL if the chunk is no suspect. */
struct suspect *suspects_find(struct suspects *suspects, const char *chunk);

/* Finds the chunk, or puts it on the list; if that is full, in place of the suspect whose time is
 * over first. */
struct suspect *suspects_add(struct suspects *suspects, const char *chunk);

/* Takes it from the list. */
void suspects_clear(struct suspects *suspects, struct suspect *suspect);

/* Is it on the list, or was it lately? */
bool suspects_knew(const struct suspects *suspects, const char *chunk);

/* For `least` ms, and twice as long each time after that, up to CONDEMNED_MAX_MS. The first of its
 * questions, at which the encoder died, is kept for the next probe. */
void suspect_condemn(struct suspect *suspect, uint64_t now, uint64_t least);
bool suspect_is_condemned(const struct suspect *suspect, uint64_t now);

/* Adds a question, unless it is there or QUESTIONS_MAX are. */
void suspect_ask(struct suspect *suspect, const struct question *question);
void suspect_answered(struct suspect *suspect); /* the first */

/* A suspect that a read waits for and that may be probed now; NULL if there is none. */
struct suspect *suspects_next(struct suspects *suspects, uint64_t now);

/* The names of all but one (which may be NULL); they are borrowed. */
void suspects_hold(const struct suspects *suspects, const struct suspect *but,
                   struct msg_hold *out);

#endif
