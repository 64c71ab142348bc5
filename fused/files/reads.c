/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/read_ahead.h"
#include "fused/files/reads_impl.h"

#include "common/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- replies ---- */

static void log_access(struct reads *reads, const struct pending_read *read, int errnum)
{
    const struct access_entry entry = {
        .kind = "read",
        .name = reads->config.fs->files[read->file].name,
        .handle = read->handle,
        .offset = read->offset,
        .size = read->size,
        .t_start = read->t_start,
        .errnum = errnum,
    };

    access_log_add(reads->config.log, &entry);
}

static void note_served(struct reads *reads, const struct pending_read *read)
{
    const struct timers *timers = &reads->config.outside->timers;

    log_access(reads, read, 0);
    read_counts_served(&reads->counts, read->size, timers->now_us(timers->arg) - read->begun);
}

static void reply_error(struct reads *reads, struct fuse_req *req, const struct pending_read *read,
                        int errnum)
{
    reads->config.outside->reply_error(req, errnum);
    log_access(reads, read, errnum);
    read_counts_failed(&reads->counts, errnum, reads_now(reads));
}

/* Answers the read if leases hold all of it. */
static bool reply_from_leases(struct reads *reads, struct fuse_req *req,
                              const struct pending_read *read)
{
    if (!leased_reply(&reads->leased, req, read->file, read->offset, read->size))
        return false;
    note_served(reads, read);
    return true;
}

static void remove_pending(struct reads *reads, struct pending *read)
{
    waiting_remove(&reads->waiting, &read->waiter);
    pending_free(&reads->pool, read);
}

static void finish(struct reads *reads, struct pending *read)
{
    const struct iovec all = {.iov_base = read->memory.data, .iov_len = read->read.size};

    reads->config.outside->reply(read->waiter.req, &all, 1);
    note_served(reads, &read->read);
    remove_pending(reads, read);
}

void reads_fail(struct reads *reads, struct pending *read, int errnum)
{
    reply_error(reads, read->waiter.req, &read->read, errnum);
    remove_pending(reads, read);
}

/* ---- asking ---- */

/* NULL: out of memory. */
static struct ask *send_ask(struct reads *reads, const struct ask *ask)
{
    const struct outside *outside = reads->config.outside;
    const struct msg_read msg = {
        .file = ask->file, .handle = ask->handle, .offset = ask->offset, .length = ask->length};
    struct ask *added = asks_add(&reads->asks, ask);

    leased_send_returns(&reads->leased);
    if (added != NULL)
        added->id = outside->read(&msg, outside->arg);
    return added;
}

static void ask_ahead(struct reads *reads, const struct pending_read *read)
{
    const struct msg_read done = {
        .file = read->file, .handle = read->handle, .offset = read->offset, .length = read->size};
    struct ask ask;

    if (reads->up && !reads->stale &&
        read_ahead_next(&reads->leased, &reads->asks, &done,
                        reads->config.fs->files[read->file].size, &ask))
        send_ask(reads, &ask);
}

/* Makes sure that the bytes after the first `there` ones have been asked for. Returns 0, or the
 * errno with which the read must fail. */
static int ask_for_rest(struct reads *reads, struct pending *read, size_t there)
{
    struct ask ask = {.file = read->read.file,
                      .handle = read->read.handle,
                      .offset = read->read.offset + there,
                      .length = read->read.size - there};

    if (reads->stale)
        return ESTALE;
    if (read->ask != NULL || read->held || !reads->up)
        return 0;
    read->ask = asks_for(&reads->asks, ask.file, ask.handle, ask.offset);
    if (read->ask != NULL)
        return 0;
    ask.reach = read_ahead_reach(&reads->leased, ask.file, ask.offset);
    read->ask = send_ask(reads, &ask);
    return read->ask != NULL ? 0 : ENOMEM;
}

/* ---- a pending read's way ---- */

/* Copies what the leases hold of the read, so that those leases may go. False: out of memory. */
static bool copy_from_leases(struct reads *reads, struct pending *read)
{
    const uint64_t at = read->read.offset + read->have;
    const size_t lacks = read->read.size - read->have;
    size_t n;

    if (leased_holds(&reads->leased, read->read.file, at, lacks) == 0)
        return true;
    if (!pending_make_room(read))
        return false;
    n = leased_copy(&reads->leased, read->read.file, at, lacks, read->memory.data + read->have);
    read->have += n;
    read->ask = NULL;
    return true;
}

/* May the bytes that leases hold stay there until the rest has come, so that nothing need be
 * copied? Not if the encoder may lack the room for the rest. Also not if bytes were lost while they
 * waited before, because that could repeat for ever. */
static bool may_wait_for_rest(const struct reads *reads, const struct pending *read)
{
    return read->have == 0 && !read->lost && !read->starved && leased_has_room(&reads->leased);
}

/* Copies the bytes that are there, or leaves them in their leases. *there is how many of its first
 * bytes the read has then. False: out of memory. */
static bool take_what_is_there(struct reads *reads, struct pending *read, size_t *there)
{
    const struct pending_read *wanted = &read->read;

    *there = may_wait_for_rest(reads, read)
                 ? leased_holds(&reads->leased, wanted->file, wanted->offset, wanted->size)
                 : 0;
    read->lost |= *there < read->left;
    read->left = *there;
    if (*there == 0 || read->lost || *there == wanted->size) {
        if (!copy_from_leases(reads, read))
            return false;
        *there = read->have;
    } else if (read->ask != NULL && read->ask->offset < wanted->offset + *there) {
        read->ask = NULL; /* has come from elsewhere */
    }
    return true;
}

/* Takes the read as far as the bytes allow. It may be answered and freed by this call. */
static void advance(struct reads *reads, struct pending *read)
{
    size_t there;
    int errnum;

    if (read->have == 0 && reply_from_leases(reads, read->waiter.req, &read->read)) {
        remove_pending(reads, read);
        return;
    }
    if (!take_what_is_there(reads, read, &there)) {
        reads_fail(reads, read, ENOMEM);
        return;
    }
    if (read->have == read->read.size) {
        finish(reads, read);
        return;
    }
    errnum = ask_for_rest(reads, read, there);
    if (errnum != 0)
        reads_fail(reads, read, errnum);
}

void reads_advance_all(struct reads *reads)
{
    struct pending *read;

    PENDING_FOREACH (read, &reads->waiting)
        advance(reads, read);
}

/* ---- waiting ---- */

static void on_overdue(struct waiting_request *waiter, void *arg)
{
    struct reads *reads = arg;
    struct pending *read = pending_of(waiter);
    const struct pending_read *wanted = &read->read;
    const uint64_t now = reads_now(reads);

    read_counts_report(&reads->counts, now,
                       "%s: no answer for %zu bytes at %" PRIu64 " in %u ms: EIO",
                       reads->config.fs->files[wanted->file].name, wanted->size, wanted->offset,
                       reads->config.timeout_ms);
    late_add(&reads->late, wanted->file, wanted->offset, wanted->offset + wanted->size, now);
    if (read->ask != NULL)
        read->ask->overdue = true;
    reads_fail(reads, read, EIO);
}

static void on_interrupted(struct waiting_request *waiter, void *arg)
{
    reads_fail(arg, pending_of(waiter), EINTR);
}

static const struct waiting_handlers waiting_handlers = {
    .overdue = on_overdue,
    .interrupted = on_interrupted,
};

static void wait_for(struct reads *reads, struct fuse_req *req, const struct pending_read *wanted)
{
    const bool late = late_has(&reads->late, wanted->file, wanted->offset, reads_now(reads));
    struct pending *read = late ? NULL : pending_new(&reads->pool, wanted);

    if (read == NULL) {
        reply_error(reads, req, wanted, late ? EIO : ENOMEM);
        return;
    }
    waiting_add(&reads->waiting, &read->waiter, req);
    advance(reads, read);
}

void reads_start(struct reads *reads, struct fuse_req *req, const struct fs_file *file,
                 uint64_t handle, uint64_t offset, size_t size)
{
    const struct timers *timers = &reads->config.outside->timers;
    const struct pending_read read = {
        .file = (uint64_t)(file - reads->config.fs->files),
        .handle = handle,
        .offset = offset,
        .size = fs_clamp(file, offset, size),
        .t_start = access_log_now(reads->config.log),
        .begun = timers->now_us(timers->arg),
    };

    if (reply_from_leases(reads, req, &read))
        ask_ahead(reads, &read);
    else
        wait_for(reads, req, &read);
}

/* ---- handles ---- */

void reads_opened(struct reads *reads, const struct fs_file *file)
{
    reads->nopen[file - reads->config.fs->files]++;
}

void reads_closed(struct reads *reads, const struct fs_file *file, uint64_t handle)
{
    const size_t i = (size_t)(file - reads->config.fs->files);

    reads->config.outside->release(handle, reads->config.outside->arg);
    if (reads->nopen[i] > 0 && --reads->nopen[i] == 0)
        leased_drop_file(&reads->leased, i);
}

/* ---- the encoder's lives ---- */

void reads_up(struct reads *reads, const uint8_t *arena, uint64_t arena_size)
{
    reads->up = true;
    leased_up(&reads->leased, arena, arena_size);
    reads_advance_all(reads);
}

/* All requests are forgotten, to be asked of the next encoder: a read does not cause an encoder's
 * death, though a chunk that it needs may. */
void reads_down(struct reads *reads)
{
    struct pending *read;

    reads->up = false;
    PENDING_FOREACH (read, &reads->waiting) {
        read->ask = NULL;
        read->nagain = 0;
    }
    asks_clear(&reads->asks);
    leased_down(&reads->leased);
}

void reads_settled(struct reads *reads)
{
    struct pending *read;

    PENDING_FOREACH (read, &reads->waiting)
        read->held = false;
    reads_advance_all(reads);
}

void reads_stale(struct reads *reads)
{
    reads->stale = true;
    reads_advance_all(reads);
}

/* ---- outside ---- */

static void on_nothing_leased(void *arg)
{
    pending_pool_clear(&((struct reads *)arg)->pool);
}

static int init(struct reads *reads, struct err *err)
{
    const struct outside *outside = reads->config.outside;
    const int waiting = waiting_init(&reads->waiting, outside, reads->config.timeout_ms,
                                     &waiting_handlers, reads, err);
    const int leased = leased_init(&reads->leased, outside, on_nothing_leased, reads, err);

    pending_pool_init(&reads->pool);
    return waiting != 0 || leased != 0 ? -1 : 0;
}

struct reads *reads_new(const struct reads_config *config, struct err *err)
{
    struct reads *reads = calloc(1, sizeof *reads);

    if (reads == NULL) {
        err_nomem(err, "the reads");
        return NULL;
    }
    reads->config = *config;
    if (init(reads, err) == 0)
        return reads;
    reads_free(reads);
    return NULL;
}

void reads_look(const struct reads *reads, struct reads_facts *out)
{
    const struct read_counts *counts = &reads->counts;
    const struct waiting_request *waiter;

    *out = (struct reads_facts){
        .nserved = counts->latency.n,
        .nfailed = counts->nfailed,
        .failed_at = counts->failed_at,
        .bytes = counts->bytes,
        .nleases = reads->leased.leases.nheld,
        .lease_bytes = reads->leased.leases.bytes,
        .latency = &counts->latency,
        .last_error = counts->last_error,
        .last_error_at = counts->last_error_at,
    };
    TAILQ_FOREACH (waiter, &reads->waiting.waiters, entry)
        out->npending++;
    for (size_t i = 0; i < reads->config.fs->nfiles; i++)
        out->nhandles += reads->nopen[i];
}

void reads_free(struct reads *reads)
{
    struct pending *read;

    if (reads == NULL)
        return;
    PENDING_FOREACH (read, &reads->waiting)
        reads_fail(reads, read, ENOTCONN);
    pending_pool_clear(&reads->pool);
    asks_free(&reads->asks);
    leased_free(&reads->leased);
    waiting_free(&reads->waiting);
    free(reads);
}
