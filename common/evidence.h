/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: what an encoder was decoding when it died, and whether that killed it.
 *
 * The front makes a page of shared memory for each encoder and reads it after the encoder's death.
 * Each decoder, and each thread that reads for a decoder, has a slot in the page. Before it touches
 * a chunk's bytes, it writes the name of the chunk to its slot. A handler of the fatal signals
 * writes which signal came, in which thread, and whether the encoder caused it itself or another
 * process sent it. The front does not trust the page: it uses the page only to choose which chunk
 * is tried again alone.
 */
#ifndef VCZFS_COMMON_EVIDENCE_H
#define VCZFS_COMMON_EVIDENCE_H

#include "common/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_LABEL_MAX                                                                         \
    256 /* bytes of a chunk's name, the terminating 0 counted; longer ones are cut */
#define EVIDENCE_SLOTS 512

struct evidence_slot {
    _Alignas(64) atomic_uint taken;
    atomic_int thread; /* the one that works on the chunk; 0: none */
    uint64_t when;     /* the slot with the thread's largest one counts */
    uint64_t block;
    char label[EVIDENCE_LABEL_MAX];
};

struct evidence_page {
    atomic_int state; /* 0: no fatal signal yet; 1: being written; 2: the rest is written */
    int signal, code, thread;
    int own_fault; /* not sent by another process */
    uint64_t address;
    struct evidence_slot slots[EVIDENCE_SLOTS];
};

/* ---- the encoder's side ---- */

/* Makes this process write its evidence to the page that fd refers to. Handles SIGSEGV, SIGBUS,
 * SIGILL, SIGFPE and SIGABRT; after the handler their earlier action follows. Call it once; the
 * page stays mapped until the process ends. */
int evidence_give(int fd, struct err *err);

/* A free slot; NULL if this process gives no evidence or all slots are taken. The functions below
 * accept a NULL slot. */
struct evidence_slot *evidence_take_slot(void);
void evidence_put_slot(struct evidence_slot *slot);

/* evidence_note: this thread is about to work on this block of the chunk, with the decoder that has
 * the slot. evidence_done: that work has ended. */
void evidence_note(struct evidence_slot *slot, const char *label, uint64_t block);
void evidence_done(struct evidence_slot *slot);

/* ---- the front's side ---- */

/* Makes a page for one encoder. It is sealed, so that the front can read it safely. *page is
 * mapped; the caller owns *fd, which is for the encoder. */
int evidence_new(int *fd, struct evidence_page **page, struct err *err);
void evidence_free(struct evidence_page **page); /* sets it to NULL */

/* What a page says about a dead encoder. */
struct evidence {
    int signal; /* the fatal one; 0: none was handled */
    int code;   /* si_code */
    uint64_t address;
    bool own_fault;                 /* the encoder caused the signal itself */
    char label[EVIDENCE_LABEL_MAX]; /* the chunk that the thread was at; "" if none */
    uint64_t block;
};
void evidence_read(const struct evidence_page *page, struct evidence *out);

#endif
