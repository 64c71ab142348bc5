/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the link share: its state; its end with one encoder (link_life.c); what it says
 * to an encoder (link_says.c) and hears from one (link_hears.c). link.c has the rest: how it comes
 * to another encoder, and when it gives one up.
 */
#ifndef VCZFS_FUSED_ENCODER_LINK_IMPL_H
#define VCZFS_FUSED_ENCODER_LINK_IMPL_H

#include "fused/encoder/link.h"
#include "proto/conn.h"

struct link {
    struct link_config config;
    const struct link_handlers *handlers;
    void *arg;

    enum link_state state;
    struct conn *conn;   /* NULL in LINK_DOWN and LINK_STALE */
    struct event *retry; /* starts the next encoder */
    struct event *watch; /* looks for signs of life */
    uint64_t watch_ms;   /* after so many ms, */
    uint64_t watch_due;  /* which is then */

    bool opened; /* the view is known: what follows is a resume */
    struct link_view view;
    uint64_t nfiles; /* of the view */
    uint8_t fingerprint[PROTO_FINGERPRINT];
    int state_fd;                   /* -1: none */
    struct evidence_page *evidence; /* that this encoder gives; NULL if it gives none */
    const uint8_t *arena;
    uint64_t arena_size;

    uint64_t last_id; /* never used twice, whatever the encoder */
    uint64_t open_id, stats_id;
    uint64_t nasked;                     /* reads and fetches without an answer */
    uint64_t fetch_ids[PROTO_FILES_MAX]; /* 0: not asked for */
    uint64_t up_since;                   /* ms */
    bool heard;                          /* since the watch last looked */
    unsigned nfailed;                    /* encoders lost in a row */
    unsigned nstuck;                     /* reopenings given up in a row */

    uint64_t counters_id; /* asked for by the outside; 0: nothing is */
    struct link_facts facts;
};

/* ---- link_life.c ---- */

/* Looks for signs of life in so many ms. */
void link_arm_watch(struct link *link, uint64_t ms);

/* How long an encoder may say nothing while it opens the view again. (The first time somebody
 * watches.) */
void link_watch_reopening(struct link *link);

/* Forgets the encoder, and what was asked of it. */
void link_disconnect(struct link *link);

/* The current encoder is gone, or has to go: another one is started, unless none was ever of use.
 */
void link_lose_encoder(struct link *link, const struct err *why);

/* The store is another one: there is no encoder any more. `text` says what changed. */
void link_go_stale(struct link *link, const char *text);

/* ---- link_says.c ---- */

void link_send_hello(struct link *link);
/* An encoder without a page gives no evidence, and that is all. */
void link_send_evidence(struct link *link);
void link_send_open(struct link *link);
/* Returns its id. */
uint64_t link_send_stats(struct link *link);

/* ---- link_hears.c ---- */

/* What an encoder says; it keeps descriptors that it replaces by -1. -1 with a message if it cannot
 * say that. */
int link_take(struct link *link, const struct msg *msg, int *fds, struct err *err);

#endif
