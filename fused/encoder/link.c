/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/link.h"

#include "fused/encoder/link_impl.h"
#include "fused/process/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELLO_WAIT_MS 10000
#define REOPEN_TRIES  8 /* each waits twice as long as the one before */

/* ---- an encoder ---- */

static void on_message(struct conn *conn, const struct msg *msg, const int *fds, void *arg)
{
    struct link *link = arg;
    int mine[PROTO_FDS_MAX] = {-1, -1};
    size_t nfds = msg_nfds(msg);
    struct err err = {0};

    (void)conn;
    for (size_t i = 0; i < nfds; i++)
        mine[i] = fds[i];
    link->heard = true;
    if (link_take(link, msg, mine, &err) != 0)
        link_lose_encoder(link, &err);
    for (size_t i = 0; i < nfds; i++)
        if (mine[i] >= 0)
            close(mine[i]);
}

static void on_closed(struct conn *conn, const struct err *why, void *arg)
{
    struct err copy = *why; /* conn_free may free the original */

    (void)conn;
    link_lose_encoder(arg, &copy);
}

static const struct conn_handlers conn_handlers = {.message = on_message, .closed = on_closed};

static void connect_encoder(struct link *link)
{
    struct err err = {0};
    int fd;

    if (supervisor_start(link->config.supervisor, &fd, &err) != 0 ||
        (link->conn = conn_new(link->config.base, fd, &conn_handlers, link, &err)) == NULL) {
        link_lose_encoder(link, &err);
        return;
    }
    link->state = LINK_HELLO;
    link->facts.nstarted++;
    link_send_hello(link);
    link_arm_watch(link, HELLO_WAIT_MS);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connect_encoder(arg);
}

/* ---- signs of life ---- */

/* A slow read does not mean that the encoder is dead. But an encoder that owes an answer and does
 * not even send its counters is wedged. */
static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (clock_ms() >= link->watch_due + CLOCK_STOPPED_MS) {
        link_arm_watch(link, link->watch_ms); /* the encoder had no time to answer either */
        return;
    }
    if (link->state == LINK_HELLO) {
        err_set(&err, ERR_PEER, "the encoder did not say hello in %d s", HELLO_WAIT_MS / 1000);
        link_lose_encoder(link, &err);
        return;
    }
    if (link->state == LINK_OPENING) {
        if (link->nstuck < REOPEN_TRIES)
            link->nstuck++;
        err_set(&err, ERR_PEER, "the encoder does not get on with opening the store again");
        link_lose_encoder(link, &err);
        return;
    }
    if (link->state != LINK_UP || (link->nasked == 0 && link->stats_id == 0))
        return;
    if (!link->heard && link->stats_id != 0) {
        err_set(&err, ERR_PEER, "the encoder does not answer");
        link_lose_encoder(link, &err);
        return;
    }
    if (link->stats_id == 0 && !link->heard)
        link->stats_id = link_send_stats(link);
    link->heard = false;
    link_arm_watch(link, link->config.silence_ms / 2);
}

/* ---- outside ---- */

struct link *link_new(const struct link_config *config, const struct link_handlers *handlers,
                      void *arg, struct err *err)
{
    struct link *link = calloc(1, sizeof *link);

    if (link != NULL) {
        link->config = *config;
        link->handlers = handlers;
        link->arg = arg;
        link->state_fd = -1;
        link->retry = evtimer_new(config->base, on_retry, link);
        link->watch = evtimer_new(config->base, on_watch, link);
    }
    if (link == NULL || link->retry == NULL || link->watch == NULL) {
        err_nomem(err, "the link to the encoder");
        link_free(link);
        return NULL;
    }
    return link;
}

void link_free(struct link *link)
{
    if (link == NULL)
        return;
    if (link->watch != NULL)
        link_disconnect(link);
    if (link->retry != NULL)
        event_free(link->retry);
    if (link->watch != NULL)
        event_free(link->watch);
    if (link->state_fd >= 0)
        close(link->state_fd);
    free(link);
}

int link_adopt(struct link *link, const struct link *other, struct err *err)
{
    link->opened = true;
    link->view = other->view;
    link->nfiles = other->nfiles;
    memcpy(link->fingerprint, other->fingerprint, sizeof link->fingerprint);
    if (other->state_fd < 0)
        return 0;
    link->state_fd = fcntl(other->state_fd, F_DUPFD_CLOEXEC, 0);
    return link->state_fd >= 0 ? 0 : err_sys(err, ERR_SYSTEM, errno, "no descriptor is left");
}

void link_start(struct link *link)
{
    clock_arm(link->retry, 0);
}

void link_look(const struct link *link, struct link_facts *out)
{
    *out = link->facts;
    out->state = link->state;
    out->up_since = link->up_since;
    out->view = link->view;
}

const char *link_state_name(enum link_state state)
{
    static const char *const names[] = {
        [LINK_DOWN] = "down",  [LINK_HELLO] = "starting",       [LINK_OPENING] = "opening",
        [LINK_UP] = "serving", [LINK_STALE] = "ended for good",
    };

    return names[state];
}
