/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/lazy.h"

#include "common/log.h"
#include "fused/files/waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct asker {
    struct waiting_request waiter; /* first */
    uint64_t file;
    lazy_reply_fn *reply;
};

struct lazy {
    struct fs *fs;                 /* borrowed */
    const struct outside *outside; /* borrowed */
    struct waiting waiting;        /* requests; those of one file have the same `since` */
    bool up, stale;
    struct {
        bool asked;      /* this encoder */
        bool held;       /* it needs a chunk that is being probed */
        unsigned nagain; /* times in a row that it was asked for again after a clearing */
    } files[PROTO_FILES_MAX];
};

static struct asker *asker_of(struct waiting_request *waiter)
{
    return (struct asker *)waiter;
}

/* The first request that waits for the file; NULL if none does. */
static struct waiting_request *first_of(const struct lazy *lazy, uint64_t file)
{
    struct waiting_request *waiter;

    TAILQ_FOREACH (waiter, &lazy->waiting.waiters, entry)
        if (asker_of(waiter)->file == file)
            return waiter;
    return NULL;
}

static void answer(struct lazy *lazy, struct waiting_request *waiter, int errnum)
{
    struct asker *asker = asker_of(waiter);

    waiting_remove(&lazy->waiting, waiter);
    asker->reply(waiter->req, &lazy->fs->files[asker->file], errnum);
    free(asker);
}

static void answer_all(struct lazy *lazy, uint64_t file, int errnum)
{
    struct waiting_request *waiter;

    while ((waiter = first_of(lazy, file)) != NULL)
        answer(lazy, waiter, errnum);
}

/* The encoder still makes the file, so the next request will find it. */
static void on_interrupted(struct waiting_request *waiter, void *arg)
{
    answer(arg, waiter, EINTR);
}

/* The file has made no progress for the whole timeout. Its requests fail, but the encoder goes on,
 * because the file may still be finished. */
static void on_overdue(struct waiting_request *waiter, void *arg)
{
    struct lazy *lazy = arg;
    const uint64_t file = asker_of(waiter)->file;

    log_error("%s: the encoder did not get on with making it in %" PRIu64 " ms: EIO",
              lazy->fs->files[file].name, lazy->waiting.timeout_ms);
    answer_all(lazy, file, EIO);
}

static const struct waiting_handlers waiting_handlers = {
    .overdue = on_overdue,
    .interrupted = on_interrupted,
};

static void ask(struct lazy *lazy, uint64_t file)
{
    const struct msg_fetch fetch = {.file = file, .mtime = (uint64_t)lazy->fs->mtime.tv_sec};

    if (lazy->up && !lazy->files[file].asked && !lazy->files[file].held)
        lazy->files[file].asked = lazy->outside->fetch(&fetch, lazy->outside->arg);
}

void lazy_wait(struct lazy *lazy, struct fuse_req *req, const struct fs_file *file,
               lazy_reply_fn *reply)
{
    struct asker *asker = lazy->stale ? NULL : calloc(1, sizeof *asker);
    const struct waiting_request *first;

    if (asker == NULL) {
        reply(req, file, lazy->stale ? ESTALE : ENOMEM);
        return;
    }
    asker->file = (uint64_t)(file - lazy->fs->files);
    asker->reply = reply;
    first = first_of(lazy, asker->file);
    waiting_add(&lazy->waiting, &asker->waiter, req);
    if (first != NULL)
        asker->waiter.since = first->since;
    ask(lazy, asker->file);
}

static void ask_all(struct lazy *lazy)
{
    struct waiting_request *waiter;

    TAILQ_FOREACH (waiter, &lazy->waiting.waiters, entry)
        ask(lazy, asker_of(waiter)->file);
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

void lazy_settled(struct lazy *lazy)
{
    for (uint64_t file = 0; file < lazy->fs->nfiles; file++)
        lazy->files[file].held = false;
    ask_all(lazy);
}

static void answer_everybody(struct lazy *lazy, int errnum)
{
    while (!TAILQ_EMPTY(&lazy->waiting.waiters))
        answer(lazy, TAILQ_FIRST(&lazy->waiting.waiters), errnum);
}

void lazy_stale(struct lazy *lazy)
{
    lazy->stale = true;
    answer_everybody(lazy, ESTALE);
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
    const uint64_t now = timers_ms(&lazy->outside->timers);
    struct waiting_request *waiter;

    TAILQ_FOREACH (waiter, &lazy->waiting.waiters, entry)
        if (asker_of(waiter)->file == file)
            waiter->since = now;
}

/* The errno for a reader, which is one of a few. ENOENT is not among them, because the file
 * exists. */
static int asker_errno(uint64_t errnum)
{
    return errnum == ESTALE || errnum == ENOMEM ? (int)errnum : EIO;
}

/* The encoder holds back a chunk that the file needs. True if the chunk is condemned. */
static bool is_lost(struct lazy *lazy, uint64_t file, const char *chunk)
{
    const struct question question = {.fetch = true, .read = {.file = file}};
    const enum probe_answer answer = lazy->outside->ask_probe(chunk, &question, lazy->outside->arg);

    lazy->files[file].held = answer == PROBE_WAIT;
    lazy->files[file].nagain = answer == PROBE_AGAIN ? lazy->files[file].nagain + 1 : 0;
    if (answer == PROBE_AGAIN && first_of(lazy, file) != NULL)
        ask(lazy, file);
    return answer == PROBE_CONDEMNED;
}

int lazy_error(struct lazy *lazy, uint64_t file, const struct msg_error *error, struct err *err)
{
    const struct outside *outside = lazy->outside;
    const bool held = error->code == ERR_HELD;

    lazy->files[file].asked = false;
    if (held && outside->believe(error->text, lazy->files[file].nagain, outside->arg, err) != 0)
        return -1;
    if (held && !is_lost(lazy, file, error->text))
        return 0;
    log_error("%s cannot be made: %s%s", lazy->fs->files[file].name, error->text,
              held ? " ends every encoder that decodes it" : "");
    answer_all(lazy, file, asker_errno(error->errnum));
    return 0;
}

struct lazy *lazy_new(const struct outside *outside, struct fs *fs, unsigned timeout_ms,
                      struct err *err)
{
    struct lazy *lazy = calloc(1, sizeof *lazy);

    if (lazy == NULL) {
        err_nomem(err, "a file that is made when asked for");
        return NULL;
    }
    lazy->fs = fs;
    lazy->outside = outside;
    if (waiting_init(&lazy->waiting, outside, timeout_ms, &waiting_handlers, lazy, err) == 0)
        return lazy;
    lazy_free(lazy);
    return NULL;
}

void lazy_free(struct lazy *lazy)
{
    if (lazy == NULL)
        return;
    answer_everybody(lazy, ENOTCONN);
    waiting_free(&lazy->waiting);
    free(lazy);
}
