/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/open_request.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "encoderd/serve/arena.h"
#include "encoderd/serve/confine.h"
#include "encoderd/serve/means.h"
#include "encoderd/serve/serving.h"
#include "encoderd/serve/tell.h"
#include "encoderd/serve/view.h"
#include "proto/conn.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

static void send_files(struct server *server, uint64_t id)
{
    for (size_t i = 0; i < server->view->nfiles; i++) {
        struct view_file *file = &server->view->files[i];
        const struct msg msg = {.type = MSG_FILE,
                                .u.file = {.id = id,
                                           .file = i,
                                           .name = file->name,
                                           .kind = file->kind,
                                           .size = file->size,
                                           .buffer = view_buffer(file)}};

        conn_send(server->conn, &msg, &file->fd, file->kind == FILE_SIDECAR ? 1 : 0);
        /* The front keeps the sidecars; the encoder no longer needs them. */
        if (file->fd >= 0)
            close(steal_fd(&file->fd));
    }
}

static void send_opened(struct server *server, const struct msg_open *open)
{
    struct view *view = server->view;
    const bool has_state = !open->resume && view->state_fd >= 0;
    const int fds[] = {arena_fd(server->arena), view->state_fd};
    struct msg msg = {.type = MSG_OPENED,
                      .u.opened = {.id = open->id,
                                   .mtime = (uint64_t)view->mtime,
                                   .nvariants = row_map_nrows(&view->selection.rows),
                                   .nsamples = view->selection.nsamples,
                                   .nfiles = view->nfiles,
                                   .arena_size = arena_size(server->arena),
                                   .has_state = has_state}};

    memcpy(msg.u.opened.fingerprint, view->fingerprint, PROTO_FINGERPRINT);
    conn_send(server->conn, &msg, fds, has_state ? 2 : 1);
    if (view->state_fd >= 0)
        close(steal_fd(&view->state_fd));
}

static bool has_lazy_file(const struct view *view)
{
    for (size_t i = 0; i < view->nfiles; i++)
        if (view->files[i].kind == FILE_LAZY)
            return true;
    return false;
}

static int open_view(struct server *server, const struct msg_open *open, const int *fds,
                     struct err *err)
{
    const int selection_fd = open->view.has_selection ? fds[0] : -1;
    const int state_fd = open->has_state ? fds[open->view.has_selection] : -1;
    const struct view_resume resume = {open->mark, state_fd};
    struct pass_means means;

    if (confine_to(server, open->store, open->view.follow_links, err) != 0)
        return -1;
    means = server_means(server);
    return view_open(open->store, &open->view, selection_fd, &means, open->resume ? &resume : NULL,
                     &server->view, err);
}

/* A front that resumes has these messages from its first encoder. */
static void send_view(struct server *server, uint64_t id)
{
    const struct view *view = server->view;

    tell_lacks(server, id);
    tell_notices(server, id, &view->vcz->notices);
    tell_notices(server, id, &view->selection.notices);
    tell_notices(server, id, &view->notices);
    send_files(server, id);
}

static void welcome(struct server *server, const struct msg_open *open)
{
    if (!open->resume)
        send_view(server, open->id);
    if (!has_lazy_file(server->view) && server->temporary >= 0)
        close(steal_fd(&server->temporary));
    send_opened(server, open);
    malloc_trim(0);
    log_info("%s %s: %llu variants, %llu samples", open->resume ? "reopened" : "opened",
             open->store, (unsigned long long)row_map_nrows(&server->view->selection.rows),
             (unsigned long long)server->view->selection.nsamples);
}

void handle_open(struct server *server, const struct msg_open *open, const int *fds)
{
    struct err err = {0};

    if (server->view != NULL) {
        conn_fail(server->conn, ERR_PEER, "a second open");
        return;
    }
    server->open_id = open->id;
    if (open_view(server, open, fds, &err) == 0 && serving_begin(server, &err) == 0) {
        welcome(server, open);
    } else {
        tell_error(server, open->id, &err);
        serving_end(server);
    }
}
