/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: what an encoder was decoding when it ended, and whether that ended it.
 *
 * A page of shared memory that the front makes for each encoder and reads after its death. Each
 * decoder of the encoder, and each thread that reads for it, has a slot in it and writes there,
 * before it touches a chunk's bytes, which chunk that is; a handler of the signals that programs
 * die of writes which signal it was, whether it was the own fault of the encoder or sent by
 * somebody, and in which thread. To the front all of it is hostile: it says what to try again by
 * itself, and nothing else.
 */
#ifndef VCZFS_COMMON_EVIDENCE_H
#define VCZFS_COMMON_EVIDENCE_H

#include "common/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_LABEL_MAX                                                                         \
    256 /* bytes of a chunk's name, the terminating 0 counted; longer ones are cut */
#define EVIDENCE_SLOTS 384

struct evidence_slot {
    _Alignas(64) atomic_uint taken;
    atomic_int thread; /* that is at the chunk; 0: none is */
    uint64_t when;     /* the last in this thread counts */
    uint64_t block;
    char label[EVIDENCE_LABEL_MAX];
};

struct evidence_page {
    atomic_int state; /* 0: nobody has died; 1: being written; 2: what follows is written */
    int signal, code, thread;
    int own_fault; /* not sent by another process */
    uint64_t address;
    struct evidence_slot slots[EVIDENCE_SLOTS];
};

/* ---- the encoder's side ---- */

/* From now on this process gives evidence in the page that is fd, and handles SIGSEGV, SIGBUS,
 * SIGILL, SIGFPE and SIGABRT, which then do what they did before. Once; what it is about outlives
 * all threads. */
int evidence_give(int fd, struct err *err);

/* NULL if no evidence is given, or all slots are taken. Both take NULL below. */
struct evidence_slot *evidence_take_slot(void);
void evidence_put_slot(struct evidence_slot *slot);

/* This thread is about to work on that block of the chunk, with the decoder of the slot; it is done
 * with it. */
void evidence_note(struct evidence_slot *slot, const char *label, uint64_t block);
void evidence_done(struct evidence_slot *slot);

/* ---- the front's side ---- */

/* A page for one encoder: sealed, so that touching it is safe. *page is mapped; *fd is for the
 * encoder, and the caller's. */
int evidence_new(int *fd, struct evidence_page **page, struct err *err);
void evidence_free(struct evidence_page **page); /* sets it to NULL */

/* What a dead encoder left. */
struct evidence {
    int signal; /* that was handled; 0: none was */
    int code;   /* si_code */
    uint64_t address;
    bool own_fault;                 /* the encoder did it itself */
    char label[EVIDENCE_LABEL_MAX]; /* the chunk that the thread was at; "" if none */
    uint64_t block;
};
void evidence_read(const struct evidence_page *page, struct evidence *out);

#endif
