/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the link share: its state, and their functions. link_life.c handles the end of
 * an encoder, link_says.c sends to it, link_hears.c receives from it. link.c has the rest: starting
 * another encoder, and deciding when to give one up.
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

    bool opened; /* the view is known; every further open is a resume */
    struct link_view view;
    uint64_t nfiles; /* of the view */
    uint8_t fingerprint[PROTO_FINGERPRINT];
    int state_fd;                   /* -1: none */
    struct evidence_page *evidence; /* of this encoder; NULL: it gives none */
    const uint8_t *arena;
    uint64_t arena_size;

    uint64_t last_id; /* no id is used twice, even for different encoders */
    uint64_t open_id, stats_id;
    uint64_t nasked;                     /* reads and fetches without an answer */
    uint64_t fetch_ids[PROTO_FILES_MAX]; /* 0: not asked for */
    uint64_t up_since;                   /* ms */
    bool heard;                          /* a message came since the watch last looked */
    unsigned nfailed;                    /* encoders lost in a row */
    unsigned nstuck;                     /* reopenings given up in a row */

    uint64_t counters_id; /* requested by link_ask_counters; 0: not */
    struct link_facts facts;
};

/* ---- link_life.c ---- */

/* Checks for signs of life after this many ms. */
void link_arm_watch(struct link *link, uint64_t ms);

/* Sets how long an encoder may be silent while it opens the view again. (The first time there is no
 * limit, because the user is watching.) */
void link_watch_reopening(struct link *link);

/* Closes the connection and drops everything that belongs to this encoder. */
void link_disconnect(struct link *link);

/* Gives up the current encoder, which is dead or misbehaves, and starts another one. If the view
 * was never opened, the link has failed instead. */
void link_lose_encoder(struct link *link, const struct err *why);

/* The store has changed, so no encoder is started any more. `text` says what changed. */
void link_go_stale(struct link *link, const char *text);

/* ---- link_says.c ---- */

void link_send_hello(struct link *link);
/* Sends the page for evidence. If there is none, the encoder works without giving evidence. */
void link_send_evidence(struct link *link);
void link_send_open(struct link *link);
/* Returns its id. */
uint64_t link_send_stats(struct link *link);

/* ---- link_hears.c ---- */

/* Handles one message. It replaces descriptors that it keeps by -1. Returns -1, with a message, if
 * the encoder may not send this now. */
int link_take(struct link *link, const struct msg *msg, int *fds, struct err *err);

#endif
