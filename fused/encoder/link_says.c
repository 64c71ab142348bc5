/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages to an encoder: hello and open, then requests.
 */
#include "fused/encoder/link_impl.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/version.h"

#include <string.h>
#include <unistd.h>

/* ---- the beginning ---- */

void link_send_hello(struct link *link)
{
    struct msg msg = {.type = MSG_HELLO};

    msg.u.hello.version = PROTO_VERSION;
    msg.u.hello.program = "vczfs " VCZFS_VERSION;
    msg.u.hello.pid = (uint64_t)getpid();
    conn_send(link->conn, &msg, NULL, 0);
}

void link_send_evidence(struct link *link)
{
    const struct msg msg = {.type = MSG_EVIDENCE};
    AUTO_CLOSE int fd = -1;
    struct err err;

    if (evidence_new(&fd, &link->evidence, &err) != 0)
        log_warning("%s", err.msg);
    else
        conn_send(link->conn, &msg, &fd, 1);
}

void link_send_open(struct link *link)
{
    struct msg msg = {.type = MSG_OPEN};
    struct msg_open *open = &msg.u.open;
    int fds[PROTO_FDS_MAX];
    size_t nfds = 0;

    link->open_id = ++link->last_id;
    open->id = link->open_id;
    open->store = link->config.store;
    open->view = link->config.view;
    open->resume = link->opened;
    if (link->opened)
        memcpy(open->mark, link->fingerprint, sizeof open->mark);
    open->view.has_selection = link->config.selection_fd >= 0;
    open->has_state = link->state_fd >= 0;
    if (open->view.has_selection)
        fds[nfds++] = link->config.selection_fd;
    if (open->has_state)
        fds[nfds++] = link->state_fd;
    conn_send(link->conn, &msg, fds, nfds);
}

/* Returns its id. */
uint64_t link_send_stats(struct link *link)
{
    struct msg msg = {.type = MSG_STATS, .u.stats.id = ++link->last_id};

    conn_send(link->conn, &msg, NULL, 0);
    return msg.u.stats.id;
}

/* ---- requests ---- */

void link_hold(struct link *link)
{
    struct msg msg = {.type = MSG_HOLD};

    if (link->state != LINK_OPENING && link->state != LINK_UP)
        return;
    link->handlers->hold(&msg.u.hold, link->arg);
    conn_send(link->conn, &msg, NULL, 0);
}

static void expect_answer(struct link *link)
{
    if (link->nasked++ > 0)
        return;
    link->heard = false;
    link_arm_watch(link, link->config.silence_ms / 2);
}

uint64_t link_read(struct link *link, const struct msg_read *read)
{
    struct msg msg = {.type = MSG_READ, .u.read = *read};

    if (link->state != LINK_UP)
        return 0;
    msg.u.read.id = ++link->last_id;
    expect_answer(link);
    conn_send(link->conn, &msg, NULL, 0);
    return msg.u.read.id;
}

bool link_fetch(struct link *link, const struct msg_fetch *fetch)
{
    struct msg msg = {.type = MSG_FETCH, .u.fetch = *fetch};

    if (link->state != LINK_UP)
        return false;
    msg.u.fetch.id = link->fetch_ids[fetch->file] = ++link->last_id;
    expect_answer(link);
    conn_send(link->conn, &msg, NULL, 0);
    return true;
}

void link_return(struct link *link, const uint64_t *leases, size_t nleases)
{
    struct msg msg = {.type = MSG_RETURN};

    if (link->state != LINK_UP || nleases == 0)
        return;
    memcpy(msg.u.ret.leases, leases, nleases * sizeof *leases);
    msg.u.ret.nleases = nleases;
    conn_send(link->conn, &msg, NULL, 0);
}

void link_release(struct link *link, uint64_t handle)
{
    struct msg msg = {.type = MSG_RELEASE, .u.release.handle = handle};

    if (link->state == LINK_UP)
        conn_send(link->conn, &msg, NULL, 0);
}

bool link_ask_counters(struct link *link)
{
    if (link->state != LINK_UP)
        return false;
    if (link->counters_id == 0)
        link->counters_id = link_send_stats(link);
    return true;
}
