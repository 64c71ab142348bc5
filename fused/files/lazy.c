/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/lazy.h"

#include "common/log.h"
#include "common/size.h"
#include "fused/process/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct waiter {
    TAILQ_ENTRY(waiter) entry;
    struct lazy *lazy;
    fuse_req_t req;
    uint64_t file;
    lazy_reply_fn *reply;
    bool interrupted;
};
TAILQ_HEAD(waiters, waiter);

struct lazy {
    struct fs *fs;       /* borrowed */
    struct link *link;   /* borrowed */
    struct trial *trial; /* borrowed */
    struct waiters waiters;
    struct event *interrupt;
    struct event *deadline; /* pending while anybody waits */
    unsigned timeout_ms;
    bool up, stale;
    struct {
        bool asked;      /* this encoder */
        uint64_t moved;  /* ms: when the encoder last got on with it, or somebody began to wait */
        bool held;       /* a verdict on a chunk that it needs is due */
        unsigned nagain; /* times that what was held back was not any more, in a row */
    } files[PROTO_FILES_MAX];
};

static void answer(struct lazy *lazy, struct waiter *waiter, int errnum)
{
    TAILQ_REMOVE(&lazy->waiters, waiter, entry);
    fuse_req_interrupt_func(waiter->req, NULL, NULL);
    waiter->reply(waiter->req, &lazy->fs->files[waiter->file], errnum);
    free(waiter);
}

static void answer_all(struct lazy *lazy, uint64_t file, int errnum)
{
    struct waiter *waiter, *next;

    for (waiter = TAILQ_FIRST(&lazy->waiters); waiter != NULL; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        if (waiter->file == file)
            answer(lazy, waiter, errnum);
    }
}

/* libfuse holds the request's lock while it calls this: the answer has to wait for the loop. */
static void on_asker_gone(fuse_req_t req, void *data)
{
    struct waiter *waiter = data;

    (void)req;
    waiter->interrupted = true;
    event_active(waiter->lazy->interrupt, EV_TIMEOUT, 0);
}

/* The file goes on being made: whoever asks next will be glad of it. */
static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct lazy *lazy = arg;
    struct waiter *waiter, *next;

    (void)fd;
    (void)what;
    for (waiter = TAILQ_FIRST(&lazy->waiters); waiter != NULL; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        if (waiter->interrupted)
            answer(lazy, waiter, EINTR);
    }
}

static bool is_awaited(const struct lazy *lazy, uint64_t file)
{
    const struct waiter *waiter;

    TAILQ_FOREACH (waiter, &lazy->waiters, entry)
        if (waiter->file == file)
            return true;
    return false;
}

/* Those who wait for what does not move have waited enough. It may come yet: the encoder is not
 * told. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct lazy *lazy = arg;
    uint64_t now = clock_ms(), next = lazy->timeout_ms;

    (void)fd;
    (void)what;
    for (uint64_t file = 0; file < lazy->fs->nfiles; file++) {
        uint64_t stood = now - lazy->files[file].moved;

        if (!is_awaited(lazy, file))
            continue;
        if (stood >= lazy->timeout_ms + CLOCK_STOPPED_MS) { /* so were we */
            lazy->files[file].moved = now;
            stood = 0;
        }
        if (stood < lazy->timeout_ms) {
            next = size_min(next, lazy->timeout_ms - stood);
            continue;
        }
        log_error("%s: the encoder did not get on with making it in %u ms: EIO",
                  lazy->fs->files[file].name, lazy->timeout_ms);
        answer_all(lazy, file, EIO);
    }
    if (!TAILQ_EMPTY(&lazy->waiters))
        clock_arm(lazy->deadline, next);
}

static void ask(struct lazy *lazy, uint64_t file)
{
    const struct msg_fetch fetch = {.file = file, .mtime = (uint64_t)lazy->fs->mtime.tv_sec};

    if (lazy->up && !lazy->files[file].asked && !lazy->files[file].held)
        lazy->files[file].asked = link_fetch(lazy->link, &fetch);
}

void lazy_wait(struct lazy *lazy, fuse_req_t req, const struct fs_file *file, lazy_reply_fn *reply)
{
    struct waiter *waiter = lazy->stale ? NULL : malloc(sizeof *waiter);

    if (waiter == NULL) {
        reply(req, file, lazy->stale ? ESTALE : ENOMEM);
        return;
    }
    *waiter = (struct waiter){
        .lazy = lazy, .req = req, .file = (uint64_t)(file - lazy->fs->files), .reply = reply};
    if (TAILQ_EMPTY(&lazy->waiters))
        clock_arm(lazy->deadline, lazy->timeout_ms);
    if (!is_awaited(lazy, waiter->file))
        lazy->files[waiter->file].moved = clock_ms();
    TAILQ_INSERT_TAIL(&lazy->waiters, waiter, entry);
    fuse_req_interrupt_func(req, on_asker_gone, waiter);
    ask(lazy, waiter->file);
}

static void ask_all(struct lazy *lazy)
{
    const struct waiter *waiter;

    TAILQ_FOREACH (waiter, &lazy->waiters, entry)
        ask(lazy, waiter->file);
}

void lazy_up(struct lazy *lazy)
{
    lazy->up = true;
    ask_all(lazy);
}

void lazy_down(struct lazy *lazy)
{
    lazy->up = false;
    for (uint64_t file = 0; file < lazy->fs->nfiles; file++) {
        lazy->files[file].asked = false;
        lazy->files[file].nagain = 0;
    }
}

void lazy_judged(struct lazy *lazy)
{
    for (uint64_t file = 0; file < lazy->fs->nfiles; file++)
        lazy->files[file].held = false;
    ask_all(lazy);
}

void lazy_stale(struct lazy *lazy)
{
    lazy->stale = true;
    while (!TAILQ_EMPTY(&lazy->waiters))
        answer(lazy, TAILQ_FIRST(&lazy->waiters), ESTALE);
}

int lazy_sidecar(struct lazy *lazy, const struct msg_sidecar *sidecar, int fd, struct err *err)
{
    if (fs_take_lazy(lazy->fs, sidecar, fd, err) != 0)
        return -1;
    lazy->files[sidecar->file].asked = false;
    lazy->files[sidecar->file].nagain = 0;
    answer_all(lazy, sidecar->file, 0);
    return 0;
}

void lazy_progress(struct lazy *lazy, uint64_t file)
{
    lazy->files[file].moved = clock_ms();
}

/* Readers see few errors; ENOENT, above all, would be a lie. */
static int asker_errno(uint64_t errnum)
{
    return errnum == ESTALE || errnum == ENOMEM ? (int)errnum : EIO;
}

/* A chunk that is needed is held back. True if it is as good as lost. */
static bool is_lost(struct lazy *lazy, uint64_t file, const char *chunk)
{
    const struct question question = {.fetch = true, .read = {.file = file}};
    const enum verdict verdict = trial_ask(lazy->trial, chunk, &question);

    lazy->files[file].held = verdict == VERDICT_WAIT;
    lazy->files[file].nagain = verdict == VERDICT_NONE ? lazy->files[file].nagain + 1 : 0;
    if (verdict == VERDICT_NONE && is_awaited(lazy, file))
        ask(lazy, file);
    return verdict == VERDICT_CONDEMNED;
}

int lazy_error(struct lazy *lazy, uint64_t file, const struct msg_error *error, struct err *err)
{
    const bool held = error->code == ERR_HELD;

    lazy->files[file].asked = false;
    if (held && trial_believe(lazy->trial, error->text, lazy->files[file].nagain, err) != 0)
        return -1;
    if (held && !is_lost(lazy, file, error->text))
        return 0;
    log_error("%s cannot be made: %s%s", lazy->fs->files[file].name, error->text,
              held ? " ends every encoder that decodes it" : "");
    answer_all(lazy, file, asker_errno(error->errnum));
    return 0;
}

struct lazy *lazy_new(struct event_base *base, struct fs *fs, unsigned timeout_ms, struct err *err)
{
    struct lazy *lazy = calloc(1, sizeof *lazy);

    if (lazy != NULL) {
        lazy->fs = fs;
        lazy->timeout_ms = timeout_ms;
        TAILQ_INIT(&lazy->waiters);
        lazy->interrupt = evtimer_new(base, on_interrupt, lazy);
        lazy->deadline = evtimer_new(base, on_deadline, lazy);
    }
    if (lazy == NULL || lazy->interrupt == NULL || lazy->deadline == NULL) {
        err_nomem(err, "a file that is made when asked for");
        lazy_free(lazy);
        return NULL;
    }
    return lazy;
}

void lazy_set_link(struct lazy *lazy, struct link *link, struct trial *trial)
{
    lazy->link = link;
    lazy->trial = trial;
}

void lazy_free(struct lazy *lazy)
{
    if (lazy == NULL)
        return;
    while (!TAILQ_EMPTY(&lazy->waiters))
        answer(lazy, TAILQ_FIRST(&lazy->waiters), ENOTCONN);
    if (lazy->interrupt != NULL)
        event_free(lazy->interrupt);
    if (lazy->deadline != NULL)
        event_free(lazy->deadline);
    free(lazy);
}
