/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suspects: chunks that encoders died of. A short list without I/O.
 *
 * A chunk is put here when an encoder dies of itself while it decodes it, and is held back from
 * then on. It waits for a trial until it is condemned for a time, or acquitted, which takes it from
 * the list; when its time is over it waits for a trial again. Names are the encoder's, and mean
 * nothing here.
 */
#ifndef VCZFS_FUSED_ENCODER_SUSPECTS_H
#define VCZFS_FUSED_ENCODER_SUSPECTS_H

#include "common/evidence.h"
#include "proto/proto.h"

#define SUSPECTS_MAX    PROTO_HOLD_MAX
#define QUESTIONS_MAX   8
#define SENTENCE_MAX_MS 3600000
#define RELEASED_MAX    16

/* What somebody wants that needs the chunk. */
struct question {
    bool fetch; /* all of a lazy file */
    struct msg_read read;
};

struct suspect {
    char chunk[EVIDENCE_LABEL_MAX]; /* "": no entry */
    uint64_t sentence;              /* ms: the last one; 0: never condemned */
    uint64_t until;                 /* ms: condemned till then */
    bool wanted;                    /* somebody waits for a verdict */
    struct question questions[QUESTIONS_MAX];
    size_t nquestions;
};

/* Zero-initialise. */
struct suspects {
    struct suspect items[SUSPECTS_MAX];
    char released[RELEASED_MAX][EVIDENCE_LABEL_MAX]; /* the last ones that were taken from it */
    size_t nreleased;                                /* ever */
};

/* NULL if it is none. */
struct suspect *suspects_find(struct suspects *suspects, const char *chunk);

/* Finds it, or puts it on the list; where that is full, in place of the one whose time is over
 * first. */
struct suspect *suspects_add(struct suspects *suspects, const char *chunk);

/* Takes it from the list. */
void suspects_acquit(struct suspects *suspects, struct suspect *suspect);

/* Is it on the list, or was it lately? */
bool suspects_knew(const struct suspects *suspects, const char *chunk);

/* For `least` ms, and twice as long each time after it, up to SENTENCE_MAX_MS. Of its questions the
 * first, which was asked when it killed, is kept for the next trial. */
void suspect_condemn(struct suspect *suspect, uint64_t now, uint64_t least);
bool suspect_is_condemned(const struct suspect *suspect, uint64_t now);

/* Unless it is one of them, or they are many. */
void suspect_ask(struct suspect *suspect, const struct question *question);
void suspect_answered(struct suspect *suspect); /* the first */

/* One that waits for a trial that somebody is interested in; NULL if there is none. */
struct suspect *suspects_next(struct suspects *suspects, uint64_t now);

/* The names of all but one (which may be NULL); they are borrowed. */
void suspects_hold(const struct suspects *suspects, const struct suspect *but,
                   struct msg_hold *out);

#endif
