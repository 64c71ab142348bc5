/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: the connection to the encoder, and to the next one after it dies. It starts an encoder,
 * sends hello and open, then requests, and receives the answers. After a death it starts another
 * encoder, which opens the same view again.
 *
 * The encoder is not trusted. Each message is checked against the state of the link and against
 * what was asked. An encoder that sends a wrong message is replaced, as if it had died.
 */
#ifndef VCZFS_FUSED_ENCODER_LINK_H
#define VCZFS_FUSED_ENCODER_LINK_H

#include "common/evidence.h"
#include "fused/encoder/supervisor.h"
#include "proto/proto.h"

struct link;

struct link_config {
    struct event_base *base;
    struct supervisor *supervisor; /* borrowed; only this link uses it */
    const char *store;             /* absolute; borrowed */
    struct view_options view;      /* its strings are borrowed */
    int selection_fd;              /* for the view; borrowed; -1: none */
    unsigned silence_ms;           /* an encoder that owes answers is lost after this silence */
};

/* What the encoder said about the view; it does not change after `opened`. */
struct link_view {
    uint64_t nvariants, nsamples;
    uint64_t mtime; /* of the data, ns since the epoch */
};

enum link_state {
    LINK_DOWN,    /* no encoder; a timer may be running to start one */
    LINK_HELLO,   /* connected; its hello is due */
    LINK_OPENING, /* asked to open; files or opened are due */
    LINK_UP,
    LINK_STALE, /* no encoder will be started again, because the store changed */
};

/* The state of the link, for the status. */
struct link_facts {
    enum link_state state;
    struct link_view view;
    char program[64];      /* the encoder's name for itself; "" before the first hello */
    uint64_t pid;          /* the encoder's own claim; 0 while there is no encoder */
    uint64_t up_since;     /* ms; while it is up */
    uint64_t nstarted;     /* encoders started so far */
    char last_loss[256];   /* why the last encoder was lost; "" if none was */
    uint64_t last_loss_at; /* ms */
};

/* Functions that the loop calls; a link function never calls them. */
struct link_handlers {
    /* The next file of the view, in the order of the protocol, while the view opens for the
     * first time. fd is lent; -1: none. Returns -1, with a message, if this cannot be a file of
     * the view. */
    int (*file)(const struct msg_file *file, int fd, void *arg, struct err *err);
    /* The view is open for the first time. */
    void (*opened)(const struct link_view *view, void *arg);
    /* The view could not be opened; the link is over. */
    void (*failed)(const struct err *why, void *arg);
    void (*progress)(const struct msg_progress *progress, void *arg);
    void (*notice)(const char *text, void *arg);

    /* Reads can be sent; the arena stays mapped until down. */
    void (*up)(const uint8_t *arena, uint64_t arena_size, void *arg);
    /* An encoder died, perhaps before it was up. `evidence` is what it left. Called before
     * `down`. */
    void (*died)(const struct evidence *evidence, void *arg);
    /* Asks which chunks the encoder must hold back. The strings in `out` are borrowed. */
    void (*hold)(struct msg_hold *out, void *arg);
    /* The encoder is lost: no request will be answered, and all leases are gone. */
    void (*down)(void *arg);
    /* The store is not the one that was mounted. `up` will not be called again. */
    void (*stale)(void *arg);
    /* Returns -1, with a message, if this cannot be an answer. */
    int (*span)(const struct msg_span *span, void *arg, struct err *err);
    int (*error)(const struct msg_error *error, void *arg, struct err *err);
    /* The answer to a fetch: its file (fd is lent), or an error. */
    int (*sidecar)(const struct msg_sidecar *sidecar, int fd, void *arg, struct err *err);
    void (*fetching)(uint64_t file, void *arg); /* the encoder makes progress with it */
    int (*no_sidecar)(uint64_t file, const struct msg_error *error, void *arg, struct err *err);
    /* The answer to link_ask_counters. */
    void (*counters)(const struct msg_counters *counters, void *arg);
};

struct link *link_new(const struct link_config *config, const struct link_handlers *handlers,
                      void *arg, struct err *err);

/* Closes the connection, which makes the encoder end. Does not wait for its end. */
void link_free(struct link *link);

/* Starts the first encoder. The results come through the handlers. */
void link_start(struct link *link);

/* Copies what `other`, an opened link, knows of the view, so that this link opens the same view
 * again. */
int link_adopt(struct link *link, const struct link *other, struct err *err);

/* The answer of the handler `hold` has changed. */
void link_hold(struct link *link);

/* The next functions do nothing while the link is not up. link_read chooses the id (read->id is
 * ignored) and returns it, or 0 if nothing was sent. */
uint64_t link_read(struct link *link, const struct msg_read *read);
/* Asks for a lazy file; the link chooses the id. The file must not have been asked for since the
 * last `up`. False if nothing was sent. */
bool link_fetch(struct link *link, const struct msg_fetch *fetch);
void link_return(struct link *link, const uint64_t *leases, size_t nleases);
void link_release(struct link *link, uint64_t handle);

/* Asks the encoder for its counters, unless a request for them is still open. False if the request
 * cannot be sent now. No counters come if the link goes down first. */
bool link_ask_counters(struct link *link);

void link_look(const struct link *link, struct link_facts *out);
const char *link_state_name(enum link_state state);

#endif
