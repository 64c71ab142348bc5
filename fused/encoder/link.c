/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/link.h"

#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/printable.h"
#include "common/version.h"
#include "fused/process/clock.h"
#include "proto/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MIN     (1ULL << 20)
#define ARENA_MAX     (64ULL << 30)
#define GOOD_LIFE_MS  10000 /* an encoder that lived this long makes up for those before */
#define HELLO_WAIT_MS 10000
#define REOPEN_WAIT                                                                                \
    4 /* times the silence that is allowed otherwise: a reopening looks at every file */
#define REOPEN_TRIES  8 /* twice as long after each that was given up, so often */
#define LAST_WORDS_MS 100

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

/* As long as one lives long enough to answer, a read is to be answered within its time: whatever
 * happened before, the next try is not far away. */
static const unsigned backoff_ms[] = {0, 20, 50, 100, 250, 500};
#define NBACKOFF (sizeof backoff_ms / sizeof backoff_ms[0])

/* ---- life and death ---- */

static void arm_watch(struct link *link, uint64_t ms)
{
    link->watch_ms = ms;
    link->watch_due = clock_ms() + ms;
    clock_arm(link->watch, ms);
}

static void disconnect(struct link *link)
{
    event_del(link->watch);
    if (link->conn != NULL)
        conn_free(link->conn);
    link->conn = NULL;
    memfd_unmap(link->arena, link->arena_size);
    evidence_free(&link->evidence);
    link->arena = NULL;
    link->arena_size = 0;
    link->nasked = 0;
    memset(link->fetch_ids, 0, sizeof link->fetch_ids);
    link->stats_id = link->counters_id = 0;
    link->facts.pid = 0;
}

static unsigned next_backoff(struct link *link)
{
    unsigned i = link->nfailed < NBACKOFF ? link->nfailed : NBACKOFF - 1;

    link->nfailed++;
    return backoff_ms[i];
}

static void look_at_evidence(struct link *link)
{
    struct evidence evidence;

    evidence_read(link->evidence, &evidence);
    if (link->opened)
        link->handlers->died(&evidence, link->arg);
}

/* The current encoder is gone, or has to go. */
static void lose_encoder(struct link *link, const struct err *why)
{
    bool was_up = link->state == LINK_UP;
    unsigned wait;

    if (was_up && clock_ms() - link->up_since >= GOOD_LIFE_MS)
        link->nfailed = 0;
    link->state = LINK_DOWN;
    snprintf(link->facts.last_loss, sizeof link->facts.last_loss, "%.255s", why->msg);
    link->facts.last_loss_at = clock_ms();
    look_at_evidence(link);
    if (was_up)
        link->handlers->down(link->arg);
    disconnect(link);
    if (!link->opened) {
        /* Nothing is mounted yet: there is time to learn how it ended. */
        supervisor_stop(link->config.supervisor, LAST_WORDS_MS);
        link->handlers->failed(why, link->arg);
        return;
    }
    supervisor_discard(link->config.supervisor);
    wait = next_backoff(link);
    log_warning("encoder lost: %s; another one in %u ms", why->msg, wait);
    clock_arm(link->retry, wait);
}

static void go_stale(struct link *link, const char *text)
{
    log_error("the store changed while it was mounted (%s): reads of the large files fail with "
              "ESTALE from now on; unmount and mount again",
              text);
    disconnect(link);
    supervisor_discard(link->config.supervisor);
    link->state = LINK_STALE;
    link->handlers->stale(link->arg);
}

/* How long an encoder may say nothing while it opens the view again. (The first time somebody
 * watches.) */
static void watch_reopening(struct link *link)
{
    if (link->opened)
        arm_watch(link, (uint64_t)link->config.silence_ms * REOPEN_WAIT << link->nstuck);
}

/* ---- what the encoder says ---- */

static int out_of_place(const struct msg *msg, struct err *err)
{
    return err_set(err, ERR_PEER, "the encoder sent '%s' when that was not due",
                   msg_type_name(msg->type));
}

void link_hold(struct link *link)
{
    struct msg msg = {.type = MSG_HOLD};

    if (link->state != LINK_OPENING && link->state != LINK_UP)
        return;
    link->handlers->hold(&msg.u.hold, link->arg);
    conn_send(link->conn, &msg, NULL, 0);
}

/* An encoder without a page gives no evidence, and that is all. */
static void send_evidence(struct link *link)
{
    const struct msg msg = {.type = MSG_EVIDENCE};
    AUTO_CLOSE int fd = -1;
    struct err err;

    if (evidence_new(&fd, &link->evidence, &err) != 0)
        log_warning("%s", err.msg);
    else
        conn_send(link->conn, &msg, &fd, 1);
}

static void send_open(struct link *link)
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

static int take_hello(struct link *link, const struct msg *msg, struct err *err)
{
    if (link->state != LINK_HELLO)
        return out_of_place(msg, err);
    if (msg->u.hello.version != PROTO_VERSION)
        return err_set(err, ERR_PEER,
                       "the encoder speaks protocol %" PRIu64 ", this vczfs speaks %d: install "
                       "both from the same build",
                       msg->u.hello.version, PROTO_VERSION);
    event_del(link->watch);
    link->facts.pid = msg->u.hello.pid;
    snprintf(link->facts.program, sizeof link->facts.program, "%s", msg->u.hello.program);
    link->state = LINK_OPENING;
    send_evidence(link);
    if (link->opened)
        link_hold(link);
    send_open(link);
    watch_reopening(link);
    return 0;
}

static int take_file(struct link *link, const struct msg *msg, const int *fds, struct err *err)
{
    if (link->state != LINK_OPENING || link->opened || msg->u.file.id != link->open_id)
        return out_of_place(msg, err);
    if (link->handlers->file(&msg->u.file, msg_nfds(msg) > 0 ? fds[0] : -1, link->arg, err) != 0)
        return -1;
    link->nfiles++;
    return 0;
}

static int check_opened(struct link *link, const struct msg_opened *opened, struct err *err)
{
    if (opened->arena_size < ARENA_MIN || opened->arena_size > ARENA_MAX)
        return err_set(err, ERR_PEER, "the encoder offers an arena of %" PRIu64 " bytes",
                       opened->arena_size);
    if (opened->nfiles != link->nfiles || opened->nfiles == 0)
        return err_set(err, ERR_PEER, "the encoder counts %" PRIu64 " files and sent %" PRIu64,
                       opened->nfiles, link->nfiles);
    if (!link->opened)
        return 0;
    if (memcmp(opened->fingerprint, link->fingerprint, sizeof link->fingerprint) != 0 ||
        opened->nvariants != link->view.nvariants || opened->nsamples != link->view.nsamples)
        return err_set(err, ERR_PEER, "the encoder resumed another view than the one mounted");
    return 0;
}

static void keep_state(struct link *link, const struct msg_opened *opened, int *fds)
{
    if (!opened->has_state)
        return;
    if (link->state_fd >= 0)
        close(link->state_fd);
    link->state_fd = fds[1];
    fds[1] = -1;
}

static int take_opened(struct link *link, const struct msg *msg, int *fds, struct err *err)
{
    const struct msg_opened *opened = &msg->u.opened;
    bool first = !link->opened;

    if (link->state != LINK_OPENING || opened->id != link->open_id)
        return out_of_place(msg, err);
    if (check_opened(link, opened, err) != 0 ||
        memfd_map(fds[0], opened->arena_size, &link->arena, err) != 0)
        return -1;
    link->arena_size = opened->arena_size;
    keep_state(link, opened, fds);
    memcpy(link->fingerprint, opened->fingerprint, sizeof link->fingerprint);
    link->view = (struct link_view){opened->nvariants, opened->nsamples, opened->mtime};
    event_del(link->watch);
    link->nstuck = 0;
    link->opened = true;
    link->state = LINK_UP;
    link->up_since = clock_ms();
    if (!first)
        log_info("the view is open again");
    link->handlers->up(link->arena, link->arena_size, link->arg);
    if (first)
        link->handlers->opened(&link->view, link->arg);
    return 0;
}

static void count_answer(struct link *link)
{
    link->nasked--;
    if (link->nasked == 0 && link->stats_id == 0)
        event_del(link->watch);
}

static int take_sidecar(struct link *link, const struct msg *msg, int fd, struct err *err)
{
    const struct msg_sidecar *sidecar = &msg->u.sidecar;

    if (link->state != LINK_UP || link->fetch_ids[sidecar->file] == 0 ||
        link->fetch_ids[sidecar->file] != sidecar->id)
        return out_of_place(msg, err);
    link->fetch_ids[sidecar->file] = 0;
    count_answer(link);
    if (link->handlers->sidecar(sidecar, fd, link->arg, err) != 0)
        return -1;
    link->nfailed = 0;
    return 0;
}

/* The file that the fetch of this id asked for; false if there is no such fetch. */
static bool find_fetch(const struct link *link, uint64_t id, uint64_t *file)
{
    for (*file = 0; *file < PROTO_FILES_MAX; ++*file)
        if (link->fetch_ids[*file] != 0 && link->fetch_ids[*file] == id)
            return true;
    return false;
}

/* The answer to the fetch of a file. */
static int take_fetch_error(struct link *link, uint64_t file, const struct msg_error *error,
                            struct err *err)
{
    link->fetch_ids[file] = 0;
    count_answer(link);
    return link->handlers->no_sidecar(file, error, link->arg, err);
}

/* An answer to a read. */
static int take_answer(struct link *link, const struct msg *msg, struct err *err)
{
    if (link->state != LINK_UP || link->nasked == 0)
        return out_of_place(msg, err);
    count_answer(link);
    if (msg->type == MSG_ERROR)
        return link->handlers->error(&msg->u.error, link->arg, err);
    if (link->handlers->span(&msg->u.span, link->arg, err) != 0)
        return -1;
    link->nfailed = 0;
    return 0;
}

static int take_error(struct link *link, const struct msg *msg, struct err *err)
{
    const struct msg_error *error = &msg->u.error;
    uint64_t file;

    if (link->state == LINK_UP && find_fetch(link, error->id, &file))
        return take_fetch_error(link, file, error, err);
    if (link->state == LINK_UP && error->id != link->stats_id && error->id != link->counters_id)
        return take_answer(link, msg, err);
    if (link->state != LINK_OPENING || error->id != link->open_id)
        return out_of_place(msg, err);
    if (!link->opened || error->code != ERR_CHANGED) {
        err_set(err, error->code, "%s", error->text);
        printable(err->msg, strlen(err->msg));
        return -1;
    }
    go_stale(link, error->text);
    return 0;
}

static int take_counters(struct link *link, const struct msg *msg, struct err *err)
{
    const struct msg_counters *counters = &msg->u.counters;

    if (link->state != LINK_UP || counters->id == 0)
        return out_of_place(msg, err);
    if (counters->id == link->stats_id) {
        link->stats_id = 0;
        return 0;
    }
    if (counters->id != link->counters_id)
        return out_of_place(msg, err);
    link->counters_id = 0;
    link->handlers->counters(counters, link->arg);
    return 0;
}

/* True if it is of a fetch. */
static bool take_fetch_progress(struct link *link, const struct msg *msg)
{
    uint64_t file;

    if (link->state != LINK_UP || msg->type != MSG_PROGRESS ||
        !find_fetch(link, msg->u.progress.id, &file))
        return false;
    link->handlers->fetching(file, link->arg);
    return true;
}

static int take_open_news(struct link *link, const struct msg *msg, struct err *err)
{
    uint64_t id = msg->type == MSG_NOTICE ? msg->u.notice.id : msg->u.progress.id;

    if (take_fetch_progress(link, msg))
        return 0;
    if (link->state != LINK_OPENING || id != link->open_id)
        return out_of_place(msg, err);
    watch_reopening(link);
    if (link->opened)
        return 0; /* said before */
    if (msg->type == MSG_NOTICE)
        link->handlers->notice(msg->u.notice.text, link->arg);
    else
        link->handlers->progress(&msg->u.progress, link->arg);
    return 0;
}

static int take(struct link *link, const struct msg *msg, int *fds, struct err *err)
{
    if (link->state == LINK_HELLO && msg->type != MSG_HELLO)
        return out_of_place(msg, err);
    switch (msg->type) {
    case MSG_HELLO:
        return take_hello(link, msg, err);
    case MSG_PROGRESS:
    case MSG_NOTICE:
        return take_open_news(link, msg, err);
    case MSG_FILE:
        return take_file(link, msg, fds, err);
    case MSG_OPENED:
        return take_opened(link, msg, fds, err);
    case MSG_SPAN:
        return take_answer(link, msg, err);
    case MSG_COUNTERS:
        return take_counters(link, msg, err);
    case MSG_ERROR:
        return take_error(link, msg, err);
    case MSG_SIDECAR:
        return take_sidecar(link, msg, fds[0], err);
    case MSG_FETCH:
    case MSG_EVIDENCE:
    case MSG_HOLD:
    case MSG_REPORT:
    case MSG_OPEN:
    case MSG_INFO:
    case MSG_READ:
    case MSG_RETURN:
    case MSG_RELEASE:
    case MSG_STATS:
        break;
    }
    return out_of_place(msg, err);
}

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
    if (take(link, msg, mine, &err) != 0)
        lose_encoder(link, &err);
    for (size_t i = 0; i < nfds; i++)
        if (mine[i] >= 0)
            close(mine[i]);
}

static void on_closed(struct conn *conn, const struct err *why, void *arg)
{
    struct err copy = *why; /* conn_free may free the original */

    (void)conn;
    lose_encoder(arg, &copy);
}

static const struct conn_handlers conn_handlers = {.message = on_message, .closed = on_closed};

/* ---- timers ---- */

static void send_hello(struct link *link)
{
    struct msg msg = {.type = MSG_HELLO};

    msg.u.hello.version = PROTO_VERSION;
    msg.u.hello.program = "vczfs " VCZFS_VERSION;
    msg.u.hello.pid = (uint64_t)getpid();
    conn_send(link->conn, &msg, NULL, 0);
}

static void connect_encoder(struct link *link)
{
    struct err err = {0};
    int fd;

    if (supervisor_start(link->config.supervisor, &fd, &err) != 0 ||
        (link->conn = conn_new(link->config.base, fd, &conn_handlers, link, &err)) == NULL) {
        lose_encoder(link, &err);
        return;
    }
    link->state = LINK_HELLO;
    link->facts.nstarted++;
    send_hello(link);
    arm_watch(link, HELLO_WAIT_MS);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connect_encoder(arg);
}

/* Returns its id. */
static uint64_t send_stats(struct link *link)
{
    struct msg msg = {.type = MSG_STATS, .u.stats.id = ++link->last_id};

    conn_send(link->conn, &msg, NULL, 0);
    return msg.u.stats.id;
}

/* A slow read is no sign of death, but an encoder that owes an answer and does not even say its
 * counters is wedged. */
static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct link *link = arg;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (clock_ms() >= link->watch_due + CLOCK_STOPPED_MS) {
        arm_watch(link, link->watch_ms); /* it had no time to say anything either */
        return;
    }
    if (link->state == LINK_HELLO) {
        err_set(&err, ERR_PEER, "the encoder did not say hello in %d s", HELLO_WAIT_MS / 1000);
        lose_encoder(link, &err);
        return;
    }
    if (link->state == LINK_OPENING) {
        if (link->nstuck < REOPEN_TRIES)
            link->nstuck++;
        err_set(&err, ERR_PEER, "the encoder does not get on with opening the store again");
        lose_encoder(link, &err);
        return;
    }
    if (link->state != LINK_UP || (link->nasked == 0 && link->stats_id == 0))
        return;
    if (!link->heard && link->stats_id != 0) {
        err_set(&err, ERR_PEER, "the encoder does not answer");
        lose_encoder(link, &err);
        return;
    }
    if (link->stats_id == 0 && !link->heard)
        link->stats_id = send_stats(link);
    link->heard = false;
    arm_watch(link, link->config.silence_ms / 2);
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
        disconnect(link);
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

static void expect_answer(struct link *link)
{
    if (link->nasked++ > 0)
        return;
    link->heard = false;
    arm_watch(link, link->config.silence_ms / 2);
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
        link->counters_id = send_stats(link);
    return true;
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
