/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/reads.h"

#include "common/log.h"
#include "common/pool.h"
#include "common/size.h"
#include "fused/files/asks.h"
#include "fused/files/late.h"
#include "fused/files/leases.h"
#include "fused/process/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LEASE_IDLE_MS   1000 /* a lease nobody used for this long goes back */
#define LEASE_SWEEP_MS  250
#define RETURNS_WAIT    4 /* ms that a few small returns wait for a question to go along with */
#define RETURNS_FEW     32
#define RETURNS_SHARE   8           /* and that part of the arena */
#define AHEAD_LEASE_MIN (256 << 10) /* shorter leases are random readers' */
#define KEPT_MAX        (4u << 20)  /* bytes for pieces of replies, kept for the next ones */
#define REPLY_PIECES    8           /* adjacent leases in one reply */
#define LATE_MS         200         /* how long what missed its deadline fails at once */
#define QUIET_MS        1000        /* the same complaint is logged at most this often */

/* Memory that a pending read keeps when it is recycled. */
struct pending_memory {
    uint8_t *data; /* owned */
    size_t cap;
};

struct pending {
    struct pending_memory memory; /* first: see pool_init */
    fuse_req_t req;
    uint64_t file, handle;
    uint64_t offset;
    size_t size;
    size_t have;       /* bytes that are in memory.data */
    struct ask *ask;   /* the one it waits for, or NULL */
    size_t left;       /* of its first bytes, what is left in leases until the rest has come */
    bool lost;         /* less than that was found: from now on they are copied */
    bool held;         /* a verdict on a chunk that it needs is due */
    unsigned nagain;   /* times that what was held back was not any more */
    bool starved;      /* an encoder had no memory for it */
    bool interrupted;  /* its reader gave up */
    uint64_t deadline; /* ms */
    int64_t t_start;   /* for the access log */
    uint64_t begun;    /* us */
    struct reads *reads;
    TAILQ_ENTRY(pending) entry;
};

struct reads {
    struct reads_config config;
    struct link *link;
    TAILQ_HEAD(, pending) queue; /* oldest, and so nearest to its deadline, first */
    struct pool pool;            /* of pending reads */
    size_t kept;                 /* bytes that those in the pool keep */
    struct asks asks;
    struct leases leases;
    struct trial *trial; /* borrowed */
    /* When read-ahead fails, the kernel asks again at once for the page that somebody waits for.
     * That must not take a second timeout. */
    struct late late;
    uint64_t late_until;  /* ms */
    const uint8_t *arena; /* the link's; NULL while it is down */
    uint64_t arena_size;
    bool up, stale;
    struct event *deadline;
    struct event *sweep;     /* idle leases */
    struct event *returns;   /* sends them: once a turn of the loop, or before the next question */
    struct event *interrupt; /* answers reads that were given up */
    uint64_t nopen[PROTO_FILES_MAX];
    char complaint[160]; /* the last one */
    uint64_t complained; /* when, ms */

    struct latency latency; /* of reads that were served */
    uint64_t nfailed, bytes;
    uint64_t failed_at; /* ms, the last that failed */
    char last_error[ERR_MSG_MAX];
    uint64_t last_error_at; /* ms */
};

/* ---- leases ---- */

/* A message of its own wakes the encoder: a random reader's leases wait for its next question. */
static void schedule_returns(struct reads *reads)
{
    if (reads->leases.nreturns == 0)
        return;
    if (reads->leases.nreturns > RETURNS_FEW ||
        reads->leases.return_bytes > reads->arena_size / RETURNS_SHARE)
        event_active(reads->returns, EV_TIMEOUT, 0);
    else if (!event_pending(reads->returns, EV_TIMEOUT, NULL))
        clock_arm(reads->returns, RETURNS_WAIT);
}

static void send_returns(struct reads *reads)
{
    uint64_t ids[PROTO_RETURN_MAX];
    size_t n;

    while ((n = leases_take_returns(&reads->leases, ids, PROTO_RETURN_MAX)) > 0)
        link_return(reads->link, ids, n);
}

static void on_returns(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_returns(arg);
}

static void drop_memory(void *object)
{
    free(((struct pending_memory *)object)->data);
}

static void drop_kept(struct reads *reads)
{
    pool_clear(&reads->pool, drop_memory);
    reads->kept = 0;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct reads *reads = arg;
    uint64_t now = clock_ms();

    (void)fd;
    (void)what;
    if (now > LEASE_IDLE_MS)
        leases_drop_idle(&reads->leases, now - LEASE_IDLE_MS);
    schedule_returns(reads);
    if (reads->leases.nheld > 0)
        clock_arm(reads->sweep, LEASE_SWEEP_MS);
    else if (reads->kept > 0)
        drop_kept(reads);
}

/* ---- replies ---- */

/* Logs it, and remembers it for the status. */
static void __attribute__((format(printf, 2, 3))) report(struct reads *reads, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reads->last_error, sizeof reads->last_error, fmt, ap);
    va_end(ap);
    reads->last_error_at = clock_ms();
    log_error("%s", reads->last_error);
}

static void note_read(struct reads *reads, const struct pending *read, int errnum)
{
    struct access_entry entry = {
        .kind = "read",
        .name = reads->config.fs->files[read->file].name,
        .handle = read->handle,
        .offset = read->offset,
        .size = read->size,
        .t_start = read->t_start,
        .errnum = errnum,
    };

    access_log_add(reads->config.log, &entry);
    if (errnum != 0) {
        reads->nfailed++;
        if (errnum != EINTR) /* a reader that gave up is no fault of ours */
            reads->failed_at = clock_ms();
        return;
    }
    reads->bytes += read->size;
    latency_add(&reads->latency, clock_us() - read->begun);
}

/* Answers from leases alone if they cover all of it. */
static bool reply_from_leases(struct reads *reads, const struct pending *read)
{
    struct iovec iov[REPLY_PIECES];
    uint64_t ids[REPLY_PIECES];
    uint64_t now = clock_ms();
    size_t have = 0;
    int n = 0;

    while (have < read->size) {
        const struct lease *lease = leases_find(&reads->leases, read->file, read->offset + have);
        uint64_t skip;

        if (lease == NULL || n == REPLY_PIECES)
            return false;
        skip = read->offset + have - lease->offset;
        iov[n].iov_base = (void *)(uintptr_t)(reads->arena + lease->at + skip);
        iov[n].iov_len = (size_t)size_min(lease->length - skip, read->size - have);
        ids[n] = lease->id;
        have += iov[n++].iov_len;
    }
    if (n == 1)
        fuse_reply_buf(read->req, iov[0].iov_base, iov[0].iov_len); /* allocates nothing */
    else
        fuse_reply_iov(read->req, iov, n);
    for (int i = 0; i < n; i++)
        leases_served(&reads->leases, leases_by_id(&reads->leases, ids[i]), iov[i].iov_len, now);
    schedule_returns(reads);
    note_read(reads, read, 0);
    return true;
}

static void remove_pending(struct reads *reads, struct pending *read)
{
    TAILQ_REMOVE(&reads->queue, read, entry);
    if (read->memory.cap > KEPT_MAX - reads->kept) {
        free(read->memory.data);
        read->memory = (struct pending_memory){0};
    }
    reads->kept += read->memory.cap;
    pool_put(&reads->pool, read);
    if (TAILQ_EMPTY(&reads->queue))
        event_del(reads->deadline);
}

static void finish(struct reads *reads, struct pending *read)
{
    fuse_reply_buf(read->req, (const char *)read->memory.data, read->size);
    note_read(reads, read, 0);
    remove_pending(reads, read);
}

static void fail(struct reads *reads, struct pending *read, int errnum)
{
    fuse_reply_err(read->req, errnum);
    note_read(reads, read, errnum);
    remove_pending(reads, read);
}

/* ---- asking ---- */

/* Forgets the question; those who waited for it have to ask again. */
static void remove_ask(struct reads *reads, struct ask *ask)
{
    struct pending *read;

    TAILQ_FOREACH (read, &reads->queue, entry)
        if (read->ask == ask)
            read->ask = NULL;
    asks_remove(&reads->asks, ask);
}

static struct ask *send_ask(struct reads *reads, const struct ask *ask)
{
    struct msg_read msg = {
        .file = ask->file, .handle = ask->handle, .offset = ask->offset, .length = ask->length};
    struct ask *added = asks_add(&reads->asks, ask);

    send_returns(reads);
    if (added != NULL)
        added->id = link_read(reads->link, &msg);
    return added;
}

/* What is read on from the end of this lease will be as long again: the encoder gives short ones to
 * random readers, and long ones to those who read on. 0 where that is not known. */
static uint64_t likely_reach(const struct lease *lease)
{
    return lease != NULL && lease->length >= AHEAD_LEASE_MIN ? lease->length : 0;
}

/* The lease that ends where `offset` begins. */
static const struct lease *lease_before(struct reads *reads, uint64_t file, uint64_t offset)
{
    return offset == 0 ? NULL : leases_find(&reads->leases, file, offset - 1);
}

/* A reader that is past the middle of a long lease, most of which has been read, will want what
 * follows: it is asked for now, so that it is there by then. Not where room is scarce. */
static void ask_ahead(struct reads *reads, const struct pending *read)
{
    const struct lease *lease = lease_before(reads, read->file, read->offset + read->size);
    struct ask ask = {.file = read->file, .handle = read->handle, .ahead = true};
    uint64_t size = reads->config.fs->files[read->file].size;

    ask.reach = likely_reach(lease);
    if (ask.reach == 0 || lease->served < lease->length / 2 || !reads->up || reads->stale ||
        reads->leases.bytes > reads->leases.bytes_max / 4)
        return;
    ask.offset = lease->offset + lease->length;
    if (ask.offset >= size || leases_find(&reads->leases, read->file, ask.offset) != NULL ||
        asks_for(&reads->asks, read->file, read->handle, ask.offset) != NULL)
        return;
    ask.length = size_min(read->size, size - ask.offset);
    send_ask(reads, &ask);
}

/* Sees to it that what the read lacks behind its first `there` bytes has been asked for; 0, or the
 * errno that it gets instead. */
static int ask_for_rest(struct reads *reads, struct pending *read, size_t there)
{
    struct ask ask = {.file = read->file,
                      .handle = read->handle,
                      .offset = read->offset + there,
                      .length = read->size - there};

    if (reads->stale)
        return ESTALE;
    if (read->ask != NULL || read->held || !reads->up)
        return 0;
    read->ask = asks_for(&reads->asks, ask.file, ask.handle, ask.offset);
    if (read->ask != NULL)
        return 0;
    ask.reach = likely_reach(lease_before(reads, ask.file, ask.offset));
    read->ask = send_ask(reads, &ask);
    return read->ask != NULL ? 0 : ENOMEM;
}

/* ---- a pending read's way ---- */

/* Room for all of it. false: out of memory. */
static bool make_room(struct pending *read)
{
    struct pending_memory *memory = &read->memory;

    if (memory->cap >= read->size)
        return true;
    free(memory->data);
    memory->data = malloc(read->size);
    memory->cap = memory->data == NULL ? 0 : read->size;
    return memory->data != NULL;
}

/* Copies what leases have of it, so that none needs to stay for its sake. false: out of memory. */
static bool copy_from_leases(struct reads *reads, struct pending *read)
{
    uint64_t now = clock_ms();

    while (read->have < read->size) {
        struct lease *lease = leases_find(&reads->leases, read->file, read->offset + read->have);
        uint64_t skip;
        size_t n;

        if (lease == NULL)
            break;
        if (!make_room(read))
            return false;
        skip = read->offset + read->have - lease->offset;
        n = (size_t)size_min(lease->length - skip, read->size - read->have);
        memcpy(read->memory.data + read->have, reads->arena + lease->at + skip, n);
        read->have += n;
        read->ask = NULL;
        leases_served(&reads->leases, lease, n, now);
    }
    schedule_returns(reads);
    return true;
}

/* May what leases have of it stay there until they have the rest, so that nothing needs to be
 * copied? Not where the encoder may lack the room, nor where that has been tried and what was there
 * went meanwhile: it could go on like that for ever. */
static bool may_wait_for_rest(const struct reads *reads, const struct pending *read)
{
    return read->have == 0 && !read->lost && !read->starved &&
           reads->leases.bytes < reads->leases.bytes_max / 2;
}

/* How many of its first bytes leases have. */
static size_t bytes_there(struct reads *reads, const struct pending *read)
{
    uint64_t there = 0;

    while (there < read->size) {
        const struct lease *lease = leases_find(&reads->leases, read->file, read->offset + there);

        if (lease == NULL)
            break;
        there = size_min(lease->offset + lease->length - read->offset, read->size);
    }
    return (size_t)there;
}

/* As far as it gets with what is there. The read may be gone afterwards. */
static void advance(struct reads *reads, struct pending *read)
{
    size_t there = 0;
    int errnum;

    if (read->have == 0 && reply_from_leases(reads, read)) {
        remove_pending(reads, read);
        return;
    }
    if (may_wait_for_rest(reads, read))
        there = bytes_there(reads, read);
    read->lost |= there < read->left;
    read->left = there;
    if (there == 0 || read->lost || there == read->size) {
        if (!copy_from_leases(reads, read)) {
            fail(reads, read, ENOMEM);
            return;
        }
        there = read->have;
    } else if (read->ask != NULL && read->ask->offset < read->offset + there) {
        read->ask = NULL; /* has come from elsewhere */
    }
    if (read->have == read->size) {
        finish(reads, read);
        return;
    }
    errnum = ask_for_rest(reads, read, there);
    if (errnum != 0)
        fail(reads, read, errnum);
}

static void advance_all(struct reads *reads)
{
    struct pending *read, *next;

    for (read = TAILQ_FIRST(&reads->queue); read != NULL; read = next) {
        next = TAILQ_NEXT(read, entry);
        advance(reads, read);
    }
}

static bool is_late(struct reads *reads, const struct pending *read, uint64_t now)
{
    if (now > reads->late_until)
        reads->late = (struct late){0};
    return late_has(&reads->late, read->file, read->offset);
}

static void note_late(struct reads *reads, const struct pending *read, uint64_t now)
{
    if (!is_late(reads, read, now))
        late_add(&reads->late, read->file, read->offset, read->offset + read->size);
    reads->late_until = now + LATE_MS;
}

/* What was waited for while nothing could be done is not held against anybody: all wait anew. */
static void forgive_stop(struct reads *reads, uint64_t now)
{
    struct pending *read = TAILQ_FIRST(&reads->queue);

    if (read == NULL || now < read->deadline + CLOCK_STOPPED_MS)
        return;
    log_info("stopped for a while: reads that wait have all their time again");
    TAILQ_FOREACH (read, &reads->queue, entry)
        read->deadline = now + reads->config.timeout_ms;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct reads *reads = arg;
    struct pending *read;
    uint64_t now = clock_ms();

    (void)fd;
    (void)what;
    forgive_stop(reads, now);
    while ((read = TAILQ_FIRST(&reads->queue)) != NULL && read->deadline <= now) {
        report(reads, "%s: no answer for %zu bytes at %" PRIu64 " in %u ms: EIO",
               reads->config.fs->files[read->file].name, read->size, read->offset,
               reads->config.timeout_ms);
        note_late(reads, read, now);
        if (read->ask != NULL)
            read->ask->overdue = true;
        fail(reads, read, EIO);
    }
    if (read != NULL)
        clock_arm(reads->deadline, read->deadline - now);
    advance_all(reads);
}

/* libfuse holds the request's lock while it calls this: the answer has to wait for the loop. */
static void on_reader_gone(fuse_req_t req, void *data)
{
    struct pending *read = data;

    (void)req;
    read->interrupted = true;
    event_active(read->reads->interrupt, EV_TIMEOUT, 0);
}

static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    struct reads *reads = arg;
    struct pending *read, *next;

    (void)fd;
    (void)what;
    for (read = TAILQ_FIRST(&reads->queue); read != NULL; read = next) {
        next = TAILQ_NEXT(read, entry);
        if (read->interrupted)
            fail(reads, read, EINTR);
    }
    advance_all(reads);
}

static void enqueue(struct reads *reads, const struct pending *what)
{
    uint64_t now = clock_ms();
    bool late = is_late(reads, what, now);
    struct pending *read = late ? NULL : pool_get(&reads->pool);
    struct pending_memory memory;

    if (read == NULL) {
        fuse_reply_err(what->req, late ? EIO : ENOMEM);
        note_read(reads, what, late ? EIO : ENOMEM);
        return;
    }
    memory = read->memory;
    reads->kept -= memory.cap;
    *read = *what;
    read->memory = memory;
    read->deadline = now + reads->config.timeout_ms;
    if (TAILQ_EMPTY(&reads->queue))
        clock_arm(reads->deadline, reads->config.timeout_ms);
    TAILQ_INSERT_TAIL(&reads->queue, read, entry);
    fuse_req_interrupt_func(read->req, on_reader_gone, read);
    advance(reads, read);
}

void reads_start(struct reads *reads, fuse_req_t req, const struct fs_file *file, uint64_t handle,
                 uint64_t offset, size_t size)
{
    struct pending read = {
        .req = req,
        .file = (uint64_t)(file - reads->config.fs->files),
        .handle = handle,
        .offset = offset,
        .size = fs_clamp(file, offset, size),
        .t_start = access_log_now(reads->config.log),
        .begun = clock_us(),
        .reads = reads,
    };

    if (!reply_from_leases(reads, &read))
        enqueue(reads, &read);
    else
        ask_ahead(reads, &read);
}

/* ---- handles ---- */

void reads_opened(struct reads *reads, const struct fs_file *file)
{
    reads->nopen[file - reads->config.fs->files]++;
}

void reads_closed(struct reads *reads, const struct fs_file *file, uint64_t handle)
{
    size_t i = (size_t)(file - reads->config.fs->files);

    link_release(reads->link, handle);
    if (reads->nopen[i] > 0 && --reads->nopen[i] == 0)
        leases_drop_file(&reads->leases, i);
    schedule_returns(reads);
}

/* ---- the link ---- */

void reads_up(struct reads *reads, const uint8_t *arena, uint64_t arena_size)
{
    reads->up = true;
    reads->arena = arena;
    reads->arena_size = arena_size;
    reads->leases.bytes_max = arena_size / 2;
    advance_all(reads);
}

/* What was asked is asked again, of the next encoder: a read has no part in a death, what it needs
 * may have. */
void reads_down(struct reads *reads)
{
    struct pending *read;

    reads->up = false;
    TAILQ_FOREACH (read, &reads->queue, entry) {
        read->ask = NULL;
        read->nagain = 0;
    }
    asks_clear(&reads->asks);
    leases_clear(&reads->leases);
    reads->arena = NULL;
    reads->arena_size = 0;
}

void reads_judged(struct reads *reads)
{
    struct pending *read;

    TAILQ_FOREACH (read, &reads->queue, entry)
        read->held = false;
    advance_all(reads);
}

void reads_stale(struct reads *reads)
{
    reads->stale = true;
    advance_all(reads);
}

static bool is_waited_for(const struct reads *reads, const struct ask *ask)
{
    const struct pending *read;

    TAILQ_FOREACH (read, &reads->queue, entry)
        if (read->ask == ask)
            return true;
    return false;
}

int reads_span(struct reads *reads, const struct msg_span *span, struct err *err)
{
    struct ask *ask = asks_by_id(&reads->asks, span->id);
    uint64_t file;
    bool wanted;

    if (ask == NULL)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       span->id);
    file = ask->file;
    if (leases_check_span(span, ask->offset, reads->config.fs->files[file].size, reads->arena_size,
                          err) != 0 ||
        leases_add(&reads->leases, span, file, clock_ms(), err) != 0)
        return -1;
    wanted = ask->ahead || is_waited_for(reads, ask);
    remove_ask(reads, ask);
    if (!wanted)
        leases_drop(&reads->leases, span->lease); /* its readers were served from another one */
    else if (!event_pending(reads->sweep, EV_TIMEOUT, NULL))
        clock_arm(reads->sweep, LEASE_SWEEP_MS);
    schedule_returns(reads);
    advance_all(reads);
    return 0;
}

/* Readers see few errors; what else the encoder thinks of becomes EIO. */
static int reader_errno(uint64_t errnum)
{
    return errnum == ESTALE || errnum == ENOMEM || errnum == ETIMEDOUT ? (int)errnum : EIO;
}

static void complain(struct reads *reads, uint64_t file, const char *text)
{
    uint64_t now = clock_ms();

    if (strncmp(text, reads->complaint, sizeof reads->complaint - 1) == 0 &&
        now - reads->complained < QUIET_MS)
        return;
    report(reads, "%s: %s", reads->config.fs->files[file].name, text);
    strncpy(reads->complaint, text, sizeof reads->complaint - 1);
    reads->complained = now;
}

/* Where the system has no memory left for an encoder, the next one begins with little. Once for
 * each read, so that a read that no encoder has the memory for fails. */
static bool wants_another_encoder(struct reads *reads, const struct ask *ask)
{
    struct pending *read;
    bool wanted = false;

    TAILQ_FOREACH (read, &reads->queue, entry) {
        if (read->ask != ask || read->starved)
            continue;
        read->starved = wanted = true;
        read->ask = NULL;
    }
    return wanted;
}

/* The first byte that the read lacks: it has those before copied, or they wait for it in leases. */
static uint64_t first_lacking(const struct pending *read)
{
    return read->offset + (read->have > 0 ? read->have : read->left);
}

/* Those for whom the answer came: the first byte that they lack is the one that was asked for. */
static void fail_asking(struct reads *reads, const struct ask *ask, int errnum)
{
    struct pending *read, *next;

    for (read = TAILQ_FIRST(&reads->queue); read != NULL; read = next) {
        next = TAILQ_NEXT(read, entry);
        if (read->ask == ask && first_lacking(read) == ask->offset)
            fail(reads, read, errnum);
    }
}

static unsigned asked_again(const struct reads *reads, const struct ask *ask)
{
    const struct pending *read;
    unsigned most = 0;

    TAILQ_FOREACH (read, &reads->queue, entry)
        if (read->ask == ask && read->nagain > most)
            most = read->nagain;
    return most;
}

/* A chunk that is needed is held back. */
static int take_held(struct reads *reads, const struct ask *ask, const char *chunk, struct err *err)
{
    const struct question question = {.read = {.file = ask->file,
                                               .handle = ask->handle,
                                               .offset = ask->offset,
                                               .length = ask->length}};
    struct pending *read;
    enum verdict verdict;
    char text[EVIDENCE_LABEL_MAX + 64];

    if (trial_believe(reads->trial, chunk, asked_again(reads, ask), err) != 0)
        return -1;
    if (!is_waited_for(reads, ask))
        return 0;
    verdict = trial_ask(reads->trial, chunk, &question);
    if (verdict == VERDICT_CONDEMNED) {
        snprintf(text, sizeof text, "%s ends every encoder that decodes it", chunk);
        complain(reads, ask->file, text);
        fail_asking(reads, ask, EIO);
    }
    TAILQ_FOREACH (read, &reads->queue, entry) {
        if (read->ask != ask || first_lacking(read) != ask->offset)
            continue;
        read->held = verdict == VERDICT_WAIT;
        read->nagain += verdict == VERDICT_NONE;
    }
    return 0;
}

int reads_error(struct reads *reads, const struct msg_error *error, struct err *err)
{
    struct ask *ask = asks_by_id(&reads->asks, error->id);

    if (ask == NULL)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       error->id);
    if (error->code == ERR_MEMORY && wants_another_encoder(reads, ask))
        return err_set(err, ERR_PEER, "the encoder has no memory left: %s", error->text);
    if (error->code == ERR_HELD) {
        if (take_held(reads, ask, error->text, err) != 0)
            return -1;
    } else {
        if (!ask->ahead || is_waited_for(reads, ask))
            complain(reads, ask->file, error->text);
        fail_asking(reads, ask, reader_errno(error->errnum));
    }
    remove_ask(reads, ask);
    advance_all(reads);
    return 0;
}

/* ---- outside ---- */

struct reads *reads_new(const struct reads_config *config, struct err *err)
{
    struct reads *reads = calloc(1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "the reads");
        return NULL;
    }
    reads->config = *config;
    TAILQ_INIT(&reads->queue);
    pool_init(&reads->pool, sizeof(struct pending), sizeof(struct pending_memory));
    leases_init(&reads->leases, 0);
    reads->deadline = evtimer_new(config->base, on_deadline, reads);
    reads->sweep = evtimer_new(config->base, on_sweep, reads);
    reads->returns = evtimer_new(config->base, on_returns, reads);
    reads->interrupt = evtimer_new(config->base, on_interrupt, reads);
    if (reads->deadline == NULL || reads->sweep == NULL || reads->returns == NULL ||
        reads->interrupt == NULL) {
        err_nomem(err, "the reads");
        reads_free(reads);
        return NULL;
    }
    return reads;
}

void reads_look(const struct reads *reads, struct reads_facts *out)
{
    const struct pending *read;

    *out = (struct reads_facts){
        .nserved = reads->latency.n,
        .nfailed = reads->nfailed,
        .failed_at = reads->failed_at,
        .bytes = reads->bytes,
        .nleases = reads->leases.nheld,
        .lease_bytes = reads->leases.bytes,
        .latency = &reads->latency,
        .last_error = reads->last_error,
        .last_error_at = reads->last_error_at,
    };
    TAILQ_FOREACH (read, &reads->queue, entry)
        out->npending++;
    for (size_t i = 0; i < reads->config.fs->nfiles; i++)
        out->nhandles += reads->nopen[i];
}

void reads_set_link(struct reads *reads, struct link *link, struct trial *trial)
{
    reads->link = link;
    reads->trial = trial;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void reads_free(struct reads *reads)
{
    if (reads == NULL)
        return;
    while (!TAILQ_EMPTY(&reads->queue))
        fail(reads, TAILQ_FIRST(&reads->queue), ENOTCONN);
    drop_kept(reads);
    asks_free(&reads->asks);
    leases_free(&reads->leases);
    free_event(reads->deadline);
    free_event(reads->sweep);
    free_event(reads->returns);
    free_event(reads->interrupt);
    free(reads);
}
