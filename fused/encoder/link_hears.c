/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages from an encoder, each checked against the state of the link and against what was
 * asked.
 */
#include "fused/encoder/link_impl.h"

#include "common/log.h"
#include "common/memfd.h"
#include "common/printable.h"
#include "fused/process/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARENA_MIN (1ULL << 20)
#define ARENA_MAX (64ULL << 30)

static int out_of_place(const struct msg *msg, struct err *err)
{
    return err_set(err, ERR_PEER, "the encoder sent '%s' when that was not due",
                   msg_type_name(msg->type));
}

/* ---- the beginning ---- */

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
    link_send_evidence(link);
    if (link->opened)
        link_hold(link);
    link_send_open(link);
    link_watch_reopening(link);
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

/* ---- answers ---- */

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

/* Finds the file of the fetch with this id; false if there is no such fetch. */
static bool find_fetch(const struct link *link, uint64_t id, uint64_t *file)
{
    for (*file = 0; *file < PROTO_FILES_MAX; ++*file)
        if (link->fetch_ids[*file] != 0 && link->fetch_ids[*file] == id)
            return true;
    return false;
}

/* An error that answers the fetch of a file. */
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
    link_go_stale(link, error->text);
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

/* ---- news ---- */

/* True if the progress belongs to a fetch. */
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
    link_watch_reopening(link);
    if (link->opened)
        return 0; /* said before */
    if (msg->type == MSG_NOTICE)
        link->handlers->notice(msg->u.notice.text, link->arg);
    else
        link->handlers->progress(&msg->u.progress, link->arg);
    return 0;
}

int link_take(struct link *link, const struct msg *msg, int *fds, struct err *err)
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
