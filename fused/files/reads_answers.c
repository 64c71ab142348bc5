/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoder's answers to reads: a span, an error, or that a chunk is held back.
 */
#include "fused/files/reads_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* The request that this answers; NULL with ERR_PEER if there is no such request. */
static struct ask *find_ask(struct reads *reads, uint64_t id, struct err *err)
{
    struct ask *ask = asks_by_id(&reads->asks, id);

    if (ask == NULL)
        err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent", id);
    return ask;
}

/* Forgets the request; the reads that waited for it have to ask again. */
static void remove_ask(struct reads *reads, struct ask *ask)
{
    struct pending *read;

    PENDING_FOREACH (read, &reads->waiting)
        if (read->ask == ask)
            read->ask = NULL;
    asks_remove(&reads->asks, ask);
}

static bool is_waited_for(struct reads *reads, const struct ask *ask)
{
    struct pending *read;

    PENDING_FOREACH (read, &reads->waiting)
        if (read->ask == ask)
            return true;
    return false;
}

int reads_span(struct reads *reads, const struct msg_span *span, struct err *err)
{
    struct ask *ask = find_ask(reads, span->id, err);
    bool wanted;

    if (ask == NULL || leased_add(&reads->leased, span, ask->file, ask->offset,
                                  reads->config.fs->files[ask->file].size, err) != 0)
        return -1;
    wanted = ask->ahead || is_waited_for(reads, ask);
    remove_ask(reads, ask);
    if (!wanted)
        leased_drop(&reads->leased, span->lease); /* no read needs it: another lease served them */
    leased_tidy(&reads->leased);
    reads_advance_all(reads);
    return 0;
}

/* The errno for a reader, which is one of a few; all others become EIO. */
static int reader_errno(uint64_t errnum)
{
    return errnum == ESTALE || errnum == ENOMEM || errnum == ETIMEDOUT ? (int)errnum : EIO;
}

static void complain(struct reads *reads, const struct ask *ask, const char *text)
{
    read_counts_complain(&reads->counts, reads_now(reads), reads->config.fs->files[ask->file].name,
                         text);
}

/* Does the read still wait for the answer to this request? Another answer may have changed which
 * byte it lacks first. */
static bool waits_for(const struct pending *read, const struct ask *ask)
{
    return read->ask == ask && pending_lacks(read) == ask->offset;
}

static void fail_asking(struct reads *reads, const struct ask *ask, int errnum)
{
    struct pending *read;

    PENDING_FOREACH (read, &reads->waiting)
        if (waits_for(read, ask))
            reads_fail(reads, read, errnum);
}

/* The encoder ran out of memory: should the read be tried with another encoder, which starts with
 * little memory in use? Only once for each read, so that a read fails that no encoder has enough
 * memory for. */
static bool wants_another_encoder(struct reads *reads, const struct ask *ask)
{
    struct pending *read;
    bool wanted = false;

    PENDING_FOREACH (read, &reads->waiting) {
        if (read->ask != ask || read->starved)
            continue;
        read->starved = wanted = true;
        read->ask = NULL;
    }
    return wanted;
}

/* ---- chunks that are held back ---- */

static unsigned asked_again(struct reads *reads, const struct ask *ask)
{
    struct pending *read;
    unsigned most = 0;

    PENDING_FOREACH (read, &reads->waiting)
        if (read->ask == ask && read->nagain > most)
            most = read->nagain;
    return most;
}

static enum probe_answer ask_probe(struct reads *reads, const struct ask *ask, const char *chunk)
{
    const struct outside *outside = reads->config.outside;
    const struct question question = {.read = {.file = ask->file,
                                               .handle = ask->handle,
                                               .offset = ask->offset,
                                               .length = ask->length}};

    return outside->ask_probe(chunk, &question, outside->arg);
}

static void condemned(struct reads *reads, const struct ask *ask, const char *chunk)
{
    char text[EVIDENCE_LABEL_MAX + 64];

    snprintf(text, sizeof text, "%s ends every encoder that decodes it", chunk);
    complain(reads, ask, text);
    fail_asking(reads, ask, EIO);
}

/* The encoder holds back a chunk that the answer needs. */
static int take_held(struct reads *reads, const struct ask *ask, const char *chunk, struct err *err)
{
    const struct outside *outside = reads->config.outside;
    struct pending *read;
    enum probe_answer answer;

    if (outside->believe(chunk, asked_again(reads, ask), outside->arg, err) != 0)
        return -1;
    if (!is_waited_for(reads, ask))
        return 0;
    answer = ask_probe(reads, ask, chunk);
    if (answer == PROBE_CONDEMNED)
        condemned(reads, ask, chunk);
    PENDING_FOREACH (read, &reads->waiting) {
        if (!waits_for(read, ask))
            continue;
        read->held = answer == PROBE_WAIT;
        read->nagain += answer == PROBE_AGAIN;
    }
    return 0;
}

static void take_failure(struct reads *reads, const struct ask *ask, const struct msg_error *error)
{
    if (!ask->ahead || is_waited_for(reads, ask))
        complain(reads, ask, error->text);
    fail_asking(reads, ask, reader_errno(error->errnum));
}

int reads_error(struct reads *reads, const struct msg_error *error, struct err *err)
{
    struct ask *ask = find_ask(reads, error->id, err);

    if (ask == NULL)
        return -1;
    if (error->code == ERR_MEMORY && wants_another_encoder(reads, ask))
        return err_set(err, ERR_PEER, "the encoder has no memory left: %s", error->text);
    if (error->code != ERR_HELD)
        take_failure(reads, ask, error);
    else if (take_held(reads, ask, error->text, err) != 0)
        return -1;
    remove_ask(reads, ask);
    reads_advance_all(reads);
    return 0;
}
