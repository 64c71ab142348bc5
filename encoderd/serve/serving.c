/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/serving.h"

#include "encoderd/serve/means.h"
#include "encoderd/serve/sched.h"
#include "encoderd/serve/tell.h"
#include "proto/conn.h"

#include <malloc.h>

#define ANSWERS_AT_ONCE 32

static const struct timeval idle_after = {1, 0};

static void send_answer(struct server *server, const struct sched_answer *answer)
{
    const struct msg msg = {.type = MSG_SPAN,
                            .u.span = {.id = answer->id,
                                       .lease = answer->lease,
                                       .offset = answer->offset,
                                       .length = answer->length,
                                       .at = answer->at}};

    if (answer->failed)
        tell_error(server, answer->id, &answer->err);
    else
        conn_send(server->conn, &msg, NULL, 0);
}

/* Sends every answer that is due. */
static void pump_answers(struct server *server)
{
    struct sched_answer answers[ANSWERS_AT_ONCE];
    size_t n;

    do {
        n = sched_answers(server->sched, answers, ANSWERS_AT_ONCE);
        for (size_t i = 0; i < n; i++)
            send_answer(server, &answers[i]);
    } while (n == ANSWERS_AT_ONCE);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;

    (void)fd;
    (void)what;
    server->active = true;
    pump_answers(server);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pump_answers(arg);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;
    const bool at_work = sched_look(server->sched);

    (void)fd;
    (void)what;
    pump_answers(server);
    if (!at_work && !server->active) {
        sched_idle(server->sched);
        malloc_trim(0);
    } else {
        event_add(server->idle, &idle_after);
    }
    server->active = false;
}

static void touch(struct server *server)
{
    server->active = true;
    if (!event_pending(server->idle, EV_TIMEOUT, NULL))
        event_add(server->idle, &idle_after);
}

void serving_expect(struct server *server)
{
    touch(server);
    event_active(server->turn, EV_TIMEOUT, 0);
}

static int begin_events(struct server *server, struct err *err)
{
    server->wake = event_new(server->base, sched_wake_fd(server->sched), EV_READ | EV_PERSIST,
                             on_wake, server);
    server->idle = event_new(server->base, -1, 0, on_idle, server);
    server->turn = event_new(server->base, -1, 0, on_turn, server);
    if (server->wake == NULL || server->idle == NULL || server->turn == NULL ||
        event_add(server->wake, NULL) != 0)
        return err_nomem(err, "the server");
    return 0;
}

int serving_begin(struct server *server, struct err *err)
{
    const struct budget share = server_budget(server);
    const struct sched_config config = {share.nthreads, share.scratch, share.cache, share.kept,
                                        share.fetch};

    if (store_set_budget(server->view->vcz->store, share.zip, err) != 0)
        return -1;
    store_set_held(server->view->vcz->store, server->held);
    server->arena = arena_new(share.arena, err);
    if (server->arena == NULL)
        return -1;
    server->sched = sched_new(server->view, server->arena, &config, err);
    if (server->sched == NULL)
        return -1;
    if (begin_events(server, err) != 0)
        return -1;
    touch(server);
    return 0;
}

void serving_end(struct server *server)
{
    if (server->wake != NULL)
        event_free(server->wake);
    if (server->idle != NULL)
        event_free(server->idle);
    if (server->turn != NULL)
        event_free(server->turn);
    sched_free(server->sched);
    arena_free(server->arena);
    view_free(server->view);
    server->wake = server->idle = server->turn = NULL;
    server->sched = NULL;
    server->arena = NULL;
    server->view = NULL;
}
