/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: the connection to the encoder through all its lives: start, hello, open, requests and their
 * answers, and when it dies, another one, resumed where the first had been.
 *
 * The encoder is not trusted. What it sends is checked against the state the link is in and against
 * what was asked; anything that is wrong ends that encoder just as its death would.
 */
#ifndef VCZFS_FUSED_ENCODER_LINK_H
#define VCZFS_FUSED_ENCODER_LINK_H

#include "common/evidence.h"
#include "fused/encoder/supervisor.h"
#include "proto/proto.h"

struct link;

struct link_config {
    struct event_base *base;
    struct supervisor *supervisor; /* borrowed; used by nobody else */
    const char *store;             /* absolute; borrowed */
    struct view_options view;      /* its strings are borrowed */
    int selection_fd;              /* that goes with it; borrowed; -1: none */
    unsigned silence_ms; /* an encoder that owes answers and is silent this long is dead */
};

/* What the view turned out to be; fixed once opened. */
struct link_view {
    uint64_t nvariants, nsamples;
    uint64_t mtime; /* of the data, ns since the epoch */
};

enum link_state {
    LINK_DOWN,    /* no encoder; a timer may be running to start one */
    LINK_HELLO,   /* connected; its hello is due */
    LINK_OPENING, /* asked to open; files or opened are due */
    LINK_UP,
    LINK_STALE, /* for ever without an encoder, because the store changed */
};

/* For whoever wants to know how it is. */
struct link_facts {
    enum link_state state;
    struct link_view view;
    char program[64];      /* of the encoder, as it calls itself; "" before the first hello */
    uint64_t pid;          /* of the encoder, as it says; 0 while there is none */
    uint64_t up_since;     /* ms; while it is up */
    uint64_t nstarted;     /* encoders so far, the first included */
    char last_loss[256];   /* why the last lost encoder was lost; "" if none was */
    uint64_t last_loss_at; /* ms */
};

/* Called from the loop, never from inside a link function. */
struct link_handlers {
    /* A file of the view, while it opens for the first time: the next one, as the protocol counts
     * them. fd is lent; -1: none. -1 with a message if it cannot be one. */
    int (*file)(const struct msg_file *file, int fd, void *arg, struct err *err);
    /* The view is open for the first time. */
    void (*opened)(const struct link_view *view, void *arg);
    /* The view could not be opened; the link is over. */
    void (*failed)(const struct err *why, void *arg);
    void (*progress)(const struct msg_progress *progress, void *arg);
    void (*notice)(const char *text, void *arg);

    /* Reads can be sent; the arena stays mapped until down. */
    void (*up)(const uint8_t *arena, uint64_t arena_size, void *arg);
    /* An encoder died, also one that was not up: what it left behind. Before `down`. */
    void (*died)(const struct evidence *evidence, void *arg);
    /* The chunks that an encoder is to hold back; what is in it is borrowed. */
    void (*hold)(struct msg_hold *out, void *arg);
    /* What was sent is lost, leases too. */
    void (*down)(void *arg);
    /* The store is not the one that was mounted: there will be no `up` any more. */
    void (*stale)(void *arg);
    /* -1 with a message if this cannot be an answer. */
    int (*span)(const struct msg_span *span, void *arg, struct err *err);
    int (*error)(const struct msg_error *error, void *arg, struct err *err);
    /* What a fetch brought (fd is lent), or why it brought nothing. */
    int (*sidecar)(const struct msg_sidecar *sidecar, int fd, void *arg, struct err *err);
    void (*fetching)(uint64_t file, void *arg); /* the encoder gets on with it */
    int (*no_sidecar)(uint64_t file, const struct msg_error *error, void *arg, struct err *err);
    /* What link_ask_counters asked for. */
    void (*counters)(const struct msg_counters *counters, void *arg);
};

struct link *link_new(const struct link_config *config, const struct link_handlers *handlers,
                      void *arg, struct err *err);

/* Closes the connection, so that the encoder ends; does not wait for it. */
void link_free(struct link *link);

/* Starts the first encoder; the rest comes through the handlers. */
void link_start(struct link *link);

/* Takes over what another link, which is opened, knows of the view: this one only opens it again,
 * for the same files. */
int link_adopt(struct link *link, const struct link *other, struct err *err);

/* What `hold` says has changed. */
void link_hold(struct link *link);

/* While the link is not up these do nothing. link_read chooses the id (read->id is ignored) and
 * returns it, or 0 if nothing was sent. */
uint64_t link_read(struct link *link, const struct msg_read *read);
/* Asks for a lazy file, which must not have been asked for since the last `up`; the id is chosen
 * here. False if nothing was sent. */
bool link_fetch(struct link *link, const struct msg_fetch *fetch);
void link_return(struct link *link, const uint64_t *leases, size_t nleases);
void link_release(struct link *link, uint64_t handle);

/* Asks the encoder for its counters, unless it has been asked already. False if it cannot be asked
 * now. If it goes down first, they never come. */
bool link_ask_counters(struct link *link);

void link_look(const struct link *link, struct link_facts *out);
const char *link_state_name(enum link_state state);

#endif
