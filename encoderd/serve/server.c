/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/server.h"

#include "common/cleanup.h"
#include "common/evidence.h"
#include "common/io.h"
#include "common/log.h"
#include "common/memfd.h"
#include "common/size.h"
#include "common/time_slice.h"
#include "common/version.h"
#include "encoderd/check/check.h"
#include "encoderd/report/consumers.h"
#include "encoderd/report/report.h"
#include "encoderd/sandbox/sandbox.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/serve/budget.h"
#include "encoderd/serve/sched.h"
#include "encoderd/serve/sidecar.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/recognise.h"
#include "encoderd/vcz/vcz_open.h"
#include "encoderd/zarr/chunk/held.h"
#include "encoderd/zarr/store/spill.h"
#include "proto/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define ANSWERS_AT_ONCE 32

static const struct timeval idle_after = {1, 0};
static const struct timeval fetch_tick = {0, 500000};

/* A lazy file on its way. */
struct fetching {
    TAILQ_ENTRY(fetching) link;
    struct server *server;
    uint64_t id;
    size_t file;
    struct sidecar_job *fetch; /* owned */
    struct event *wake;        /* owned */
    struct event *tick;        /* owned; tells the front how far it is */
};
TAILQ_HEAD(fetchings, fetching);

struct server {
    struct server_config config;
    struct event_base *base;
    struct conn *conn;
    int fd;    /* the connection's, for watching it while an open keeps the loop waiting; owned by
                * conn */
    int statm; /* /proc/self/statm, opened while that is still allowed; -1 if it cannot be had */
    bool greeted, sandboxed;
    struct buf lacks; /* owned; what the sandbox cannot keep the encoder from */
    struct view *view;
    struct arena *arena;
    struct sched *sched;
    struct event *wake, *idle;
    struct event *turn;         /* when all messages that have come are read */
    struct fetchings fetchings; /* owned */
    int temporary;       /* a file without a name, for a fetch; -1: none, or a fetch has it */
    struct spill *spill; /* owned; for chunks that no memory holds; NULL: there can be none */
    struct held *held;   /* owned */
    bool active;         /* since the last tick of idle */
    uint64_t open_id;
    struct err why; /* the connection is over */
};

static void send_error(struct server *server, uint64_t id, const struct err *err)
{
    const struct msg msg = {.type = MSG_ERROR,
                            .u.error = {.id = id,
                                        .code = err->code,
                                        .errnum = (uint64_t)proto_errnum(err->code),
                                        .text = err->msg}};

    conn_send(server->conn, &msg, NULL, 0);
}

static struct budget budget(const struct server *server)
{
    return budget_of(server->config.memory, server->config.nthreads);
}

/* An open may take long: tell the front how far it is, and stop if the front is gone. Runs on the
 * threads of the pass, one call at a time, while the loop waits for the open to end. */
static int report_progress(const char *what, uint64_t done, uint64_t total, void *arg)
{
    struct server *server = arg;
    const struct msg msg = {
        .type = MSG_PROGRESS,
        .u.progress = {.id = server->open_id, .what = what, .done = done, .total = total}};
    struct pollfd gone = {.fd = server->fd, .events = POLLRDHUP};

    if (poll(&gone, 1, 0) > 0 && (gone.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
        return -1;
    conn_send(server->conn, &msg, NULL, 0);
    return 0;
}

static struct pass_means means(struct server *server)
{
    return (struct pass_means){.nthreads = budget(server).nthreads,
                               .scratch_max = budget(server).scratch,
                               .spill = server->spill,
                               .progress = report_progress,
                               .progress_arg = server};
}

static void handle_hello(struct server *server, const struct msg_hello *hello)
{
    const struct msg reply = {.type = MSG_HELLO,
                              .u.hello = {.version = PROTO_VERSION,
                                          .program = "vczfs-encoderd " VCZFS_VERSION,
                                          .pid = (uint64_t)getpid()}};

    conn_send(server->conn, &reply, NULL, 0);
    if (server->greeted || hello->version != PROTO_VERSION) {
        conn_fail(server->conn, ERR_PEER, "%s speaks protocol %llu, this is %d", hello->program,
                  (unsigned long long)hello->version, PROTO_VERSION);
        return;
    }
    server->greeted = true;
    log_debug("front is %s, process %llu", hello->program, (unsigned long long)hello->pid);
}

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
        /* The front keeps sidecars; the encoder has no further use for them. */
        if (file->fd >= 0)
            close(steal_fd(&file->fd));
    }
}

/* Once a mount or report: a later encoder of the same mount lacks the same. */
static void send_lacks(struct server *server, uint64_t id)
{
    char text[PROTO_STRING_MAX];
    const struct msg msg = {.type = MSG_NOTICE, .u.notice = {id, text}};

    if (server->lacks.len == 0)
        return;
    snprintf(text, sizeof text, "the encoder's sandbox is not whole here: %.*s",
             (int)server->lacks.len, (const char *)server->lacks.data);
    conn_send(server->conn, &msg, NULL, 0);
}

static void send_notices(struct server *server, uint64_t id, const struct notices *notices)
{
    for (size_t i = 0; i < notices->n; i++) {
        const struct msg msg = {.type = MSG_NOTICE, .u.notice = {id, notices->text[i]}};

        conn_send(server->conn, &msg, NULL, 0);
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

/* Sends every answer that is due. */
static void pump_answers(struct server *server)
{
    struct sched_answer answers[ANSWERS_AT_ONCE];
    size_t n;

    do {
        n = sched_answers(server->sched, answers, ANSWERS_AT_ONCE);
        for (size_t i = 0; i < n; i++) {
            const struct sched_answer *answer = &answers[i];
            const struct msg msg = {.type = MSG_SPAN,
                                    .u.span = {.id = answer->id,
                                               .lease = answer->lease,
                                               .offset = answer->offset,
                                               .length = answer->length,
                                               .at = answer->at}};

            if (answer->failed)
                send_error(server, answer->id, &answer->err);
            else
                conn_send(server->conn, &msg, NULL, 0);
        }
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

static int start_serving(struct server *server, struct err *err)
{
    const struct budget share = budget(server);
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
    server->wake = event_new(server->base, sched_wake_fd(server->sched), EV_READ | EV_PERSIST,
                             on_wake, server);
    server->idle = event_new(server->base, -1, 0, on_idle, server);
    server->turn = event_new(server->base, -1, 0, on_turn, server);
    if (server->wake == NULL || server->idle == NULL || server->turn == NULL ||
        event_add(server->wake, NULL) != 0)
        return err_nomem(err, "the server");
    touch(server);
    return 0;
}

static void end_fetching(struct fetching *fetching)
{
    TAILQ_REMOVE(&fetching->server->fetchings, fetching, link);
    if (fetching->wake != NULL)
        event_free(fetching->wake);
    if (fetching->tick != NULL)
        event_free(fetching->tick);
    if (fetching->fetch != NULL) {
        cleanup_close(&fetching->server->temporary);
        fetching->server->temporary = sidecar_end(fetching->fetch);
    }
    free(fetching);
}

static void stop_serving(struct server *server)
{
    while (!TAILQ_EMPTY(&server->fetchings))
        end_fetching(TAILQ_FIRST(&server->fetchings));
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

/* The sandbox's one store is the first that is named: an encoder serves one. */
static int enter_sandbox(struct server *server, const char *store, bool follow_links,
                         struct err *err)
{
    const struct sandbox sandbox = {.store = store, .follow_links = follow_links};

    if (server->temporary < 0)
        server->temporary = sidecar_open_temporary();
    if (server->spill == NULL)
        server->spill = spill_new(sidecar_open_temporary(), sidecar_temporary_dir(), 0);
    if (server->config.no_sandbox || server->sandboxed)
        return 0;
    server->sandboxed = true;
    if (access(store, F_OK) != 0 && recognise_path(store, err) != 0)
        return -1;
    if (access(store, F_OK) != 0)
        return err_sys(err, ERR_NOT_FOUND, errno, "no such store: %s", store);
    if (sandbox_enter(&sandbox, &server->lacks, err) != 0)
        return -1;
    if (server->lacks.failed)
        return err_nomem(err, "the server");
    if (server->lacks.len > 0)
        log_info("the sandbox is not whole: %.*s", (int)server->lacks.len,
                 (const char *)server->lacks.data);
    return 0;
}

static bool has_lazy_file(const struct view *view)
{
    for (size_t i = 0; i < view->nfiles; i++)
        if (view->files[i].kind == FILE_LAZY)
            return true;
    return false;
}

static int open_view(struct server *server, const struct msg_open *open, int selection_fd,
                     int state_fd, struct err *err)
{
    const struct view_resume resume = {open->mark, state_fd};
    struct pass_means pass_means;

    if (enter_sandbox(server, open->store, open->view.follow_links, err) != 0)
        return -1;
    pass_means = means(server);
    return view_open(open->store, &open->view, selection_fd, &pass_means,
                     open->resume ? &resume : NULL, &server->view, err);
}

static void handle_evidence(struct server *server, int fd)
{
    struct err err;

    if (evidence_give(fd, &err) != 0)
        conn_fail(server->conn, err.code, "%s", err.msg);
    close(fd);
}

static void handle_open(struct server *server, const struct msg_open *open, const int *fds)
{
    const int selection_fd = open->view.has_selection ? fds[0] : -1;
    const int state_fd = open->has_state ? fds[open->view.has_selection] : -1;
    struct err err = {0};

    if (server->view != NULL) {
        conn_fail(server->conn, ERR_PEER, "a second open");
    } else {
        server->open_id = open->id;
        if (open_view(server, open, selection_fd, state_fd, &err) != 0 ||
            start_serving(server, &err) != 0) {
            send_error(server, open->id, &err);
            stop_serving(server);
        } else {
            if (!open->resume) {
                send_lacks(server, open->id);
                send_notices(server, open->id, &server->view->vcz->notices);
                send_notices(server, open->id, &server->view->selection.notices);
                send_notices(server, open->id, &server->view->notices);
                send_files(server, open->id);
            }
            if (!has_lazy_file(server->view) && server->temporary >= 0)
                close(steal_fd(&server->temporary));
            send_opened(server, open);
            malloc_trim(0);
            log_info("%s %s: %llu variants, %llu samples", open->resume ? "reopened" : "opened",
                     open->store, (unsigned long long)row_map_nrows(&server->view->selection.rows),
                     (unsigned long long)server->view->selection.nsamples);
        }
    }
    if (selection_fd >= 0)
        close(selection_fd);
    if (state_fd >= 0)
        close(state_fd);
}

static int describe(struct server *server, const struct msg_info *info,
                    const struct selection_request *request, struct buf *text, struct err *err)
{
    const struct selection_options options = view_selection_options(&info->view, request);
    const struct format_options formats = view_format_options(&info->view);
    struct pass_means pass_means = means(server);
    struct notices notices = {0};
    struct vcz *vcz;
    int result;

    if (vcz_open_with(info->store, view_store_flags(&info->view), server->spill, INT64_MAX,
                      budget(server).scratch, &vcz, err) != 0)
        return -1;
    pass_means.notices = &notices;
    vcz->fill = info->view.absent_fill;
    result = info->view.absent_fill ? 0 : holes_new(vcz, budget(server).scratch, &vcz->holes, err);
    if (result == 0 && info->consumer[0] != '\0')
        result = consumers_write(vcz, &options, &formats, &pass_means,
                                 consumer_find(info->consumer), info->check, info->json, text, err);
    else if (result == 0)
        result = report_write(vcz, &options, &formats, &pass_means, info->json, text, err);
    send_notices(server, info->id, &notices);
    notices_clear(&notices);
    vcz_free(vcz);
    return result;
}

static int make_report(struct server *server, const struct msg_info *info, int selection_fd,
                       struct buf *text, uint64_t *nproblems, struct err *err)
{
    struct pass_means pass_means;
    struct selection_request request = {0};
    struct selection_memory *memory = NULL;
    int result;

    if (enter_sandbox(server, info->store, info->view.follow_links, err) != 0)
        return -1;
    send_lacks(server, info->id);
    pass_means = means(server);
    if (info->consumer[0] != '\0' && consumer_find(info->consumer) == CONSUMERS)
        return err_set(err, ERR_USAGE, "nothing is known of a program '%s'", info->consumer);
    if (info->check && info->consumer[0] == '\0')
        return check_store(info->store, view_store_flags(&info->view), info->view.absent_fill,
                           &pass_means, info->json, text, nproblems, err);
    if (view_settings_check(&info->view, err) != 0 ||
        (selection_fd >= 0 && selection_request_unpack(selection_fd, &request, &memory, err) != 0))
        return -1;
    result = describe(server, info, &request, text, err);
    selection_memory_free(memory);
    return result;
}

/* The text in a sealed memfd, or -1. */
static int text_fd(const struct buf *text, struct err *err)
{
    AUTO_CLOSE int fd = memfd_open("vczfs-report", err);

    if (fd < 0 || io_write_all(fd, text->data, text->len, "the report", err) != 0 ||
        memfd_seal(fd, err) != 0)
        return -1;
    return steal_fd(&fd);
}

static void handle_info(struct server *server, const struct msg_info *info, const int *fds)
{
    const int selection_fd = info->view.has_selection ? fds[0] : -1;
    uint64_t nproblems = 0;
    struct buf text = {0};
    struct err err = {0};
    int fd = -1;

    server->open_id = info->id;
    if (make_report(server, info, selection_fd, &text, &nproblems, &err) == 0)
        fd = text_fd(&text, &err);
    if (fd < 0) {
        send_error(server, info->id, &err);
    } else {
        const struct msg msg = {.type = MSG_REPORT, .u.report = {info->id, text.len, nproblems}};

        conn_send(server->conn, &msg, &fd, 1);
        close(fd);
    }
    buf_free(&text);
    if (selection_fd >= 0)
        close(selection_fd);
}

static void handle_read(struct server *server, const struct msg_read *read)
{
    const struct sched_read request = {.id = read->id,
                                       .handle = read->handle,
                                       .offset = read->offset,
                                       .length = read->length,
                                       .file = (size_t)read->file};

    if (server->view == NULL || read->file >= server->view->nfiles ||
        server->view->files[read->file].kind != FILE_STREAM || read->length == 0 ||
        read->offset >= server->view->files[read->file].size) {
        conn_fail(server->conn, ERR_PEER, "a read of bytes that no file of the view has");
        return;
    }
    touch(server);
    sched_read(server->sched, &request);
    event_active(server->turn, EV_TIMEOUT, 0);
}

static void on_fetched(evutil_socket_t fd, short what, void *arg)
{
    struct fetching *fetching = arg;
    struct server *server = fetching->server;
    struct made_sidecar made;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (sidecar_result(fetching->fetch, &made, &err) != 0) {
        if (err.code != ERR_HELD) /* what is to become of it is for the front to say */
            log_error("%s: %s", server->view->files[fetching->file].name, err.msg);
        send_error(server, fetching->id, &err);
    } else {
        const struct msg msg = {
            .type = MSG_SIDECAR,
            .u.sidecar = {fetching->id, fetching->file, made.size, made.sealed}};

        conn_send(server->conn, &msg, &made.fd, 1);
        close(made.fd);
    }
    end_fetching(fetching);
    malloc_trim(0);
}

static void on_fetch_tick(evutil_socket_t fd, short what, void *arg)
{
    struct fetching *fetching = arg;
    struct sidecar_progress now;

    (void)fd;
    (void)what;
    if (sidecar_moved(fetching->fetch, &now)) {
        const struct msg msg = {
            .type = MSG_PROGRESS,
            .u.progress = {
                .id = fetching->id, .what = now.what, .done = now.done, .total = now.total}};

        conn_send(fetching->server->conn, &msg, NULL, 0);
    }
}

/* Tells the front when the file is there, and that it gets on until then. */
static int watch_fetching(struct fetching *fetching, struct err *err)
{
    struct event_base *base = fetching->server->base;

    fetching->wake =
        event_new(base, sidecar_wake_fd(fetching->fetch), EV_READ, on_fetched, fetching);
    fetching->tick = event_new(base, -1, EV_PERSIST, on_fetch_tick, fetching);
    if (fetching->wake == NULL || event_add(fetching->wake, NULL) != 0 || fetching->tick == NULL ||
        event_add(fetching->tick, &fetch_tick) != 0)
        return err_nomem(err, "the server");
    return 0;
}

static int start_fetching(struct server *server, const struct msg_fetch *request, struct err *err)
{
    const struct sidecar_config config = {.view = server->view,
                                          .file = (size_t)request->file,
                                          .mtime = (int64_t)request->mtime,
                                          .scratch_max = budget(server).scratch,
                                          .temporary = steal_fd(&server->temporary)};
    struct fetching *fetching = calloc(1, sizeof *fetching);

    if (fetching == NULL) {
        server->temporary = config.temporary;
        return err_nomem(err, "the server");
    }
    fetching->server = server;
    fetching->id = request->id;
    fetching->file = config.file;
    TAILQ_INSERT_TAIL(&server->fetchings, fetching, link);
    fetching->fetch = sidecar_start(&config, err);
    if (fetching->fetch != NULL && watch_fetching(fetching, err) == 0)
        return 0;
    end_fetching(fetching);
    return -1;
}

static bool is_being_fetched(const struct server *server, size_t file)
{
    const struct fetching *fetching;

    TAILQ_FOREACH (fetching, &server->fetchings, link)
        if (fetching->file == file)
            return true;
    return false;
}

static void handle_fetch(struct server *server, const struct msg_fetch *request)
{
    struct err err = {0};

    if (server->view == NULL || request->file >= server->view->nfiles ||
        server->view->files[request->file].kind != FILE_LAZY ||
        is_being_fetched(server, (size_t)request->file))
        conn_fail(server->conn, ERR_PEER, "a fetch of what cannot be fetched");
    else if (start_fetching(server, request, &err) != 0)
        send_error(server, request->id, &err);
}

static void handle_return(struct server *server, const struct msg_return *ret)
{
    for (size_t i = 0; i < ret->nleases; i++) {
        if (server->sched == NULL || !sched_return(server->sched, ret->leases[i])) {
            conn_fail(server->conn, ERR_PEER, "a lease was returned that is not out");
            return;
        }
    }
    touch(server);
    event_active(server->turn, EV_TIMEOUT, 0);
}

/* Bytes resident, from the kernel; 0 if it will not say. */
static uint64_t resident_bytes(const struct server *server)
{
    char text[128];
    const ssize_t n = pread(server->statm, text, sizeof text - 1, 0);
    unsigned long long total, resident;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void handle_stats(struct server *server, const struct msg_stats *request)
{
    struct sched_stats stats = {0};
    struct msg msg = {.type = MSG_COUNTERS};

    if (server->sched != NULL)
        sched_stats(server->sched, &stats);
    msg.u.counters = (struct msg_counters){.id = request->id,
                                           .reads = stats.reads,
                                           .spans = stats.spans,
                                           .blocks = stats.blocks,
                                           .bytes_decoded = stats.bytes_decoded,
                                           .bytes_encoded = stats.bytes_encoded,
                                           .spans_failed = stats.spans_failed,
                                           .mixed_phase = stats.mixed_phase,
                                           .requests = stats.requests,
                                           .bytes_read = stats.bytes_read,
                                           .opened = stats.opened,
                                           .waits = stats.waits,
                                           .most_in_flight = stats.most_in_flight,
                                           .unforeseen = stats.unforeseen,
                                           .leases_held = stats.leases_held,
                                           .arena_used = stats.arena_used,
                                           .resident = resident_bytes(server)};
    conn_send(server->conn, &msg, NULL, 0);
}

static void on_message(struct conn *conn, const struct msg *msg, const int *fds, void *arg)
{
    struct server *server = arg;

    if (msg->type != MSG_HELLO && !server->greeted) {
        for (size_t i = 0; i < msg_nfds(msg); i++)
            close(fds[i]);
        conn_fail(conn, ERR_PEER, "%s before hello", msg_type_name(msg->type));
        return;
    }
    switch (msg->type) {
    case MSG_HELLO:
        handle_hello(server, &msg->u.hello);
        break;
    case MSG_OPEN:
        handle_open(server, &msg->u.open, fds);
        break;
    case MSG_INFO:
        handle_info(server, &msg->u.info, fds);
        break;
    case MSG_READ:
        handle_read(server, &msg->u.read);
        break;
    case MSG_RETURN:
        handle_return(server, &msg->u.ret);
        break;
    case MSG_RELEASE:
        if (server->sched != NULL)
            sched_release(server->sched, msg->u.release.handle);
        break;
    case MSG_EVIDENCE:
        handle_evidence(server, fds[0]);
        break;
    case MSG_HOLD:
        held_set(server->held, msg->u.hold.chunks, msg->u.hold.nchunks);
        break;
    case MSG_STATS:
        handle_stats(server, &msg->u.stats);
        break;
    case MSG_FETCH:
        handle_fetch(server, &msg->u.fetch);
        break;
    case MSG_PROGRESS:
    case MSG_NOTICE:
    case MSG_FILE:
    case MSG_OPENED:
    case MSG_REPORT:
    case MSG_SPAN:
    case MSG_COUNTERS:
    case MSG_SIDECAR:
    case MSG_ERROR:
        for (size_t i = 0; i < msg_nfds(msg); i++)
            close(fds[i]);
        conn_fail(conn, ERR_PEER, "%s is not for an encoder", msg_type_name(msg->type));
        break;
    }
}

static void on_closed(struct conn *conn, const struct err *why, void *arg)
{
    struct server *server = arg;

    (void)conn;
    server->why = *why;
    event_base_loopbreak(server->base);
}

int server_run(int fd, const struct server_config *config, struct err *err)
{
    static const struct conn_handlers handlers = {on_message, on_closed};
    struct server server = {.config = *config,
                            .fd = fd,
                            .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
                            .temporary = -1};
    int result = 0;

    time_slice_ask_short();
    TAILQ_INIT(&server.fetchings);
    server.base = event_base_new();
    if (server.base == NULL) {
        close(fd);
        return err_nomem(err, "the server");
    }
    server.held = held_new(err);
    if (server.held == NULL)
        close(fd);
    else
        server.conn = conn_new(server.base, fd, &handlers, &server, err);
    if (server.conn == NULL) {
        result = -1;
    } else {
        event_base_dispatch(server.base);
        conn_free(server.conn);
        *err = server.why;
    }
    stop_serving(&server);
    event_base_free(server.base);
    cleanup_close(&server.temporary);
    spill_free(server.spill);
    held_free(server.held);
    buf_free(&server.lacks);
    cleanup_close(&server.statm);
    return result;
}
