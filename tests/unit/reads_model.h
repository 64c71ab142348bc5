/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reads_model: the reads of files/reads.h under an encoder that answers, lies, delays and dies, and
 * what is due to each read, kept as plainly as can be. Chance or a fuzzer's bytes choose what
 * happens next (a history); after each step the model looks at what the reads have made of it:
 *
 *   - every read is answered once: with the bytes of the file, or with an error for which there is
 *     a reason;
 *   - it is answered as soon as it can be: when its bytes come, when its time is over, when its
 *     reader gives up, when the encoder cannot help it;
 *   - while an encoder is up, what a read lacks has been asked for;
 *   - a lease is given back once, and its bytes are not touched after that: they are not the file's
 *     any more;
 *   - an answer that nobody asked for, or that cannot be right, is refused;
 *   - what the reads count about themselves is what happened.
 *
 * A property that does not hold ends the process, after the name of the history.
 */
#ifndef VCZFS_TESTS_READS_MODEL_H
#define VCZFS_TESTS_READS_MODEL_H

#include "common/log.h"
#include "common/size.h"
#include "fused/files/late.h"
#include "fused/files/leases.h"
#include "fused/files/reads.h"
#include "fused/process/clock.h"
#include "tests/unit/made_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define MODEL_FILES     3
#define MODEL_FILE_MAX  (3u << 20)
#define MODEL_READS     16  /* that wait at once */
#define MODEL_QUESTIONS 128 /* that wait for an answer */
#define MODEL_LEASES    320 /* more than the front may hold */
#define MODEL_CHUNKS    4
#define MODEL_TIMEOUT   3000 /* ms */
#define MODEL_AGAIN_MAX 8    /* as probe.c has it */
#define MODEL_SETTLED   1500 /* ms after which nothing that is idle is leased any more */
#define MODEL_FLUSHED   4    /* ms after which what is given back has gone */

struct model_read {
    struct model *model;
    bool waits;
    uint64_t file, handle, offset;
    size_t size;
    uint64_t deadline; /* ms */
    uint64_t began;    /* number of the step */
    bool interrupted;
    bool late;        /* its first byte had just missed a deadline when it began */
    bool begun_lease; /* its first byte has been leased since it began, or was then */
    bool starved;     /* an encoder had to end because it had no memory for it */
    void (*gone)(struct fuse_req *req, void *data);
    void *gone_data;
};

struct model_question {
    struct msg_read msg;
    uint64_t sent; /* number of the step */
    bool ahead;    /* nobody waited for it */
    bool overdue;  /* perhaps: somebody whom it may have been for has had no answer in time */
    bool given_up; /* certainly so */
};

/* Bytes of the arena that are leased, perhaps more than once. */
struct model_region {
    uint64_t file, offset, length, at;
    unsigned nleases;
};

struct model_lease {
    uint64_t id;
    size_t region;
};

enum model_chunk { CHUNK_NEVER, CHUNK_SUSPECT, CHUNK_CONDEMNED, CHUNK_ACQUITTED };

struct model {
    const char *name; /* of the history */
    const uint8_t *data;
    size_t size;                    /* what is left of the fuzzer's bytes, if it is one */
    uint64_t (*chance)(uint64_t n); /* below n; NULL: by bytes */
    uint64_t step;
    struct made_time time;
    struct reads *reads;
    struct outside outside;
    struct fs fs;
    struct model_read asked[MODEL_READS];

    bool up, stale, ending;
    uint8_t *arena;
    uint64_t arena_size;
    uint64_t last_id, last_lease;
    struct model_question questions[MODEL_QUESTIONS];
    size_t nquestions;
    struct model_region regions[MODEL_LEASES];
    struct model_lease leases[MODEL_LEASES];
    size_t nleases;

    const struct model_question *answered; /* with an error, at this moment */
    int answered_errnum;
    enum model_chunk chunks[MODEL_CHUNKS];
    bool judging;                      /* somebody waits for a answer */
    const struct model_read *starting; /* at this moment */
    bool disbelieved;                  /* the encoder, just now */
    struct late late;
    uint64_t nserved, nfailed, bytes, nstarted, nstarved, nreleased, nclosed;
    uint64_t nopen[MODEL_FILES], ends[4]; /* where each handle's last read ended */
};

#define MODEL_MUST(model, property)                                                                \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s, step %llu: %s:%d: does not hold: %s\n", (model)->name,            \
                    (unsigned long long)(model)->step, __FILE__, __LINE__, #property);             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- choices ---- */

/* Below n, which is at most 2^24. */
static uint64_t model_choose(struct model *model, uint64_t n)
{
    uint64_t value = 0;

    if (model->chance != NULL)
        return model->chance(n);
    for (uint64_t reach = 1; reach < n && model->size > 0; reach <<= 8, model->size--)
        value = value << 8 | *model->data++;
    return value % n;
}

static bool model_chance(struct model *model, unsigned percent)
{
    return model_choose(model, 100) < percent;
}

/* ---- files ---- */

static const uint64_t model_sizes[MODEL_FILES] = {1, 50000, MODEL_FILE_MAX};

/* All of a file. */
static const uint8_t *model_contents(uint64_t file)
{
    static uint8_t contents[MODEL_FILES][MODEL_FILE_MAX];
    static bool filled;

    for (uint64_t i = 0; i < MODEL_FILES && !filled; i++)
        for (uint64_t at = 0, x = i + 1; at < model_sizes[i]; at++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            contents[i][at] = (uint8_t)(x >> 56);
        }
    filled = true;
    return contents[file];
}

/* ---- time ---- */

static uint64_t model_ms(const struct model *model)
{
    return model->time.now / 1000;
}

/* ---- what the model knows of reads ---- */

#define MODEL_EACH_READ(model, read)                                                               \
    for (struct model_read *read = (model)->asked; read < (model)->asked + MODEL_READS; read++)    \
        if (read->waits)

static struct model_read *model_read_of(struct fuse_req *req)
{
    return (struct model_read *)(void *)req;
}

static uint64_t model_end(const struct model_read *read)
{
    return read->offset + read->size;
}

/* Whoever does nothing for so long was stopped: nothing is held against the encoder. */
static void model_forgive(struct model *model)
{
    uint64_t first = UINT64_MAX;

    MODEL_EACH_READ (model, read)
        first = size_min(first, read->deadline);
    if (first == UINT64_MAX || model_ms(model) < first + CLOCK_STOPPED_MS)
        return;
    MODEL_EACH_READ (model, read)
        read->deadline = model_ms(model) + MODEL_TIMEOUT;
}

/* Lets happen what is due. Then nobody waits who need not. */
static void model_settle(struct model *model)
{
    made_settle(&model->time);
    MODEL_EACH_READ (model, read) {
        MODEL_MUST(model, model_ms(model) < read->deadline);
        MODEL_MUST(model, !read->interrupted && !model->stale);
    }
}

/* The question at hand is for a byte of this read, and was answered with this error. */
static bool model_is_told(const struct model *model, const struct model_read *read, int errnum)
{
    const struct msg_read *msg = model->answered != NULL ? &model->answered->msg : NULL;

    return msg != NULL && errnum == model->answered_errnum && msg->file == read->file &&
           msg->offset >= read->offset && msg->offset < model_end(read);
}

static bool model_has_reason(const struct model *model, const struct model_read *read, int errnum)
{
    if (model_is_told(model, read, errnum))
        return true;
    switch (errnum) {
    case EINTR:
        return read->interrupted;
    case EIO:
        return read->late || model_ms(model) >= read->deadline;
    case ESTALE:
        return model->stale;
    case ENOTCONN:
        return model->ending;
    default:
        return false;
    }
}

/* The one read of the file that waits, if it waits for the one question that is out for it; else
 * NULL. */
static struct model_read *model_simple(struct model *model, uint64_t file)
{
    size_t nquestions = 0, nreads = 0;
    struct model_read *found = NULL;

    for (size_t i = 0; i < model->nquestions; i++)
        nquestions += model->questions[i].msg.file == file;
    MODEL_EACH_READ (model, read) {
        nreads += read->file == file;
        found = read->file == file ? read : found;
    }
    return nquestions == 1 && nreads == 1 && !model->judging ? found : NULL;
}

/* ---- the kernel ---- */

static void model_reply(struct fuse_req *req, const struct iovec *pieces, int npieces)
{
    struct model_read *read = model_read_of(req);
    struct model *model = read->model;
    const uint8_t *due = model_contents(read->file) + read->offset;
    size_t have = 0;

    MODEL_MUST(model, read->waits);
    for (int i = 0; i < npieces; i++) {
        MODEL_MUST(model, pieces[i].iov_len <= read->size - have);
        MODEL_MUST(model, memcmp(pieces[i].iov_base, due + have, pieces[i].iov_len) == 0);
        have += pieces[i].iov_len;
    }
    MODEL_MUST(model, have == read->size);
    read->waits = false;
    model->nserved++;
    model->bytes += read->size;
}

/* It had no answer in time. */
static void model_note_late(struct model *model, const struct model_read *read)
{
    const bool simple = model_simple(model, read->file) == read;

    late_add(&model->late, read->file, read->offset, model_end(read), model_ms(model));
    for (size_t i = 0; i < model->nquestions; i++) {
        struct model_question *question = &model->questions[i];

        question->overdue |= question->msg.file == read->file;
        question->given_up |= question->msg.file == read->file && simple;
    }
}

static void model_reply_error(struct fuse_req *req, int errnum)
{
    struct model_read *read = model_read_of(req);
    struct model *model = read->model;

    MODEL_MUST(model, read->waits);
    MODEL_MUST(model, model_has_reason(model, read, errnum));
    if (errnum == EIO && model_ms(model) >= read->deadline)
        model_note_late(model, read);
    read->waits = false;
    model->nfailed++;
}

static void model_on_interrupt(struct fuse_req *req, void (*gone)(struct fuse_req *req, void *data),
                               void *data)
{
    model_read_of(req)->gone = gone;
    model_read_of(req)->gone_data = data;
}

/* ---- what the encoder is told ---- */

static uint64_t model_leased(const struct model *model)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < model->nleases; i++)
        bytes += model->regions[model->leases[i].region].length;
    return bytes;
}

/* Does the encoder know of all that is given back? */
static bool model_is_flushed(const struct model *model)
{
    struct reads_facts facts;

    reads_look(model->reads, &facts);
    return facts.nleases == model->nleases && facts.lease_bytes == model_leased(model);
}

static uint64_t model_take_read(const struct msg_read *read, void *arg)
{
    struct model *model = arg;

    MODEL_MUST(model, model->up && !model->stale);
    MODEL_MUST(model, read->file < MODEL_FILES && read->length > 0);
    MODEL_MUST(model, size_range_ok(read->offset, read->length, model_sizes[read->file]));
    for (size_t i = 0; i < model->nquestions; i++) {
        const struct model_question *other = &model->questions[i];

        MODEL_MUST(model, other->msg.file != read->file || other->msg.offset != read->offset ||
                              other->overdue);
    }
    MODEL_MUST(model, model->nquestions < MODEL_QUESTIONS);
    MODEL_MUST(model, model_is_flushed(model));
    model->questions[model->nquestions] =
        (struct model_question){.msg = *read,
                                .sent = model->step,
                                .ahead = model->starting != NULL && !model->starting->waits};
    model->questions[model->nquestions].msg.id = ++model->last_id;
    model->nquestions++;
    return model->last_id;
}

/* What is no lease any more holds other bytes. */
static void model_spoil(struct model *model, const struct model_region *region)
{
    memset(model->arena + region->at, 0xa5, region->length);
    ASAN_POISON_MEMORY_REGION(model->arena + region->at, region->length);
}

static void model_end_lease(struct model *model, uint64_t id)
{
    size_t i = 0;
    struct model_region *region;

    while (i < model->nleases && model->leases[i].id != id)
        i++;
    MODEL_MUST(model, i < model->nleases);
    region = &model->regions[model->leases[i].region];
    model->leases[i] = model->leases[--model->nleases];
    if (--region->nleases == 0)
        model_spoil(model, region);
}

static void model_give_back(const uint64_t *leases, size_t nleases, void *arg)
{
    struct model *model = arg;

    MODEL_MUST(model, model->up && nleases > 0 && nleases <= PROTO_RETURN_MAX);
    for (size_t i = 0; i < nleases; i++)
        model_end_lease(model, leases[i]);
}

static void model_release(uint64_t handle, void *arg)
{
    (void)handle;
    ((struct model *)arg)->nreleased++;
}

/* ---- chunks ---- */

static const char *const model_names[MODEL_CHUNKS] = {"x/0", "x/1", "x/2", ""};

static enum model_chunk *model_chunk_of(struct model *model, const char *name)
{
    size_t i = 0;

    while (strcmp(model_names[i], name) != 0)
        i++;
    return &model->chunks[i];
}

static int model_believe(const char *chunk, unsigned nagain, void *arg, struct err *err)
{
    struct model *model = arg;

    if (*model_chunk_of(model, chunk) != CHUNK_NEVER && nagain <= MODEL_AGAIN_MAX)
        return 0;
    model->disbelieved = true;
    return err_set(err, ERR_PEER, "not held back");
}

static enum probe_answer model_ask_verdict(const char *chunk, const struct question *question,
                                           void *arg)
{
    struct model *model = arg;

    MODEL_MUST(model, model->answered != NULL && !question->fetch);
    MODEL_MUST(model, question->read.file == model->answered->msg.file &&
                          question->read.offset == model->answered->msg.offset);
    switch (*model_chunk_of(model, chunk)) {
    case CHUNK_SUSPECT:
        model->judging = true;
        return PROBE_WAIT;
    case CHUNK_CONDEMNED:
        return PROBE_CONDEMNED;
    case CHUNK_NEVER:
    case CHUNK_ACQUITTED:
        break;
    }
    return PROBE_AGAIN;
}

/* Every suspect has a answer. */
static void model_judge(struct model *model, bool mercy)
{
    for (size_t i = 0; i < MODEL_CHUNKS; i++)
        if (model->chunks[i] == CHUNK_SUSPECT)
            model->chunks[i] = mercy || model_chance(model, 50) ? CHUNK_ACQUITTED : CHUNK_CONDEMNED;
    model->judging = false;
    reads_settled(model->reads);
}

static void model_accuse(struct model *model)
{
    model->chunks[model_choose(model, MODEL_CHUNKS - 1)] = CHUNK_SUSPECT;
}

/* ---- lives ---- */

static void model_go_down(struct model *model)
{
    if (!model->up)
        return;
    model->up = false;
    model->nquestions = 0;
    reads_down(model->reads);
    ASAN_UNPOISON_MEMORY_REGION(model->arena, model->arena_size);
    free(model->arena);
    model->arena = NULL;
    model->nleases = 0;
    memset(model->regions, 0, sizeof model->regions);
}

static void model_come_up(struct model *model)
{
    static const uint64_t sizes[] = {64 << 10, 1 << 20, 4 << 20};

    if (model->up || model->stale)
        return;
    model->arena_size = sizes[model_choose(model, 3)];
    model->arena = malloc(model->arena_size);
    MODEL_MUST(model, model->arena != NULL);
    ASAN_POISON_MEMORY_REGION(model->arena, model->arena_size);
    model->up = true;
    reads_up(model->reads, model->arena, model->arena_size);
}

static void model_become_stale(struct model *model)
{
    model_go_down(model);
    model->stale = true;
    reads_stale(model->reads);
}

/* ---- answers ---- */

static struct model_question model_take_question(struct model *model, size_t i)
{
    const struct model_question question = model->questions[i];

    model->questions[i] = model->questions[--model->nquestions];
    return question;
}

static bool model_is_used(const struct model *model, uint64_t at, uint64_t length)
{
    for (size_t i = 0; i < MODEL_LEASES; i++) {
        const struct model_region *region = &model->regions[i];

        if (region->nleases > 0 && at < region->at + region->length && region->at < at + length)
            return true;
    }
    return false;
}

/* Room in the arena: at its beginning, or right behind another lease. */
static bool model_find_room(const struct model *model, uint64_t length, uint64_t *at)
{
    *at = 0;
    for (size_t i = 0; i <= MODEL_LEASES; i++) {
        if (*at <= model->arena_size && length <= model->arena_size - *at &&
            !model_is_used(model, *at, length))
            return true;
        if (i < MODEL_LEASES)
            *at = model->regions[i].at + model->regions[i].length;
    }
    return false;
}

static size_t model_free_region(const struct model *model)
{
    size_t i = 0;

    while (i < MODEL_LEASES && model->regions[i].nleases > 0)
        i++;
    return i;
}

/* A region with these bytes; a shorter one where there is no room. False if there is none at
 * all. */
static bool model_make_region(struct model *model, struct model_region *region, size_t *index)
{
    *index = model_free_region(model);
    region->length = size_min(region->length, model->arena_size / 4); /* nobody has all of it */
    while (*index < MODEL_LEASES && region->length > 0) {
        if (model_find_room(model, region->length, &region->at)) {
            model->regions[*index] = *region;
            ASAN_UNPOISON_MEMORY_REGION(model->arena + region->at, region->length);
            memcpy(model->arena + region->at, model_contents(region->file) + region->offset,
                   region->length);
            return true;
        }
        region->length /= 2;
    }
    return false;
}

/* Bytes around the one that is asked for: those that are wanted, fewer, or many more. */
static struct model_region model_choose_region(struct model *model, const struct msg_read *msg)
{
    struct model_region region = {.file = msg->file, .offset = msg->offset};

    switch (model_choose(model, 4)) {
    case 0:
        region.length = msg->length;
        break;
    case 1:
        region.length = 1 + model_choose(model, msg->length);
        break;
    case 2:
        region.length = (256 << 10) + model_choose(model, 256 << 10);
        break;
    default:
        region.offset -= model_choose(model, size_min(msg->offset, 70000) + 1);
        region.length = msg->offset - region.offset + 1 + model_choose(model, 2 * msg->length);
        break;
    }
    region.length = size_min(region.length, model_sizes[msg->file] - region.offset);
    return region;
}

/* One that is leased already and has the byte; MODEL_LEASES if there is none. */
static size_t model_find_region(const struct model *model, const struct msg_read *msg)
{
    size_t i = 0;

    while (i < MODEL_LEASES &&
           (model->regions[i].nleases == 0 || model->regions[i].file != msg->file ||
            model->regions[i].offset > msg->offset ||
            msg->offset - model->regions[i].offset >= model->regions[i].length))
        i++;
    return i;
}

/* Where the answer will be: false if the arena has no room. */
static bool model_place_answer(struct model *model, const struct msg_read *msg, bool generous,
                               size_t *index)
{
    struct model_region region = {.file = msg->file, .offset = msg->offset, .length = msg->length};

    *index = model_find_region(model, msg);
    if (*index < MODEL_LEASES && (generous || model_chance(model, 50)))
        return true;
    if (!generous)
        region = model_choose_region(model, msg);
    return model_make_region(model, &region, index) &&
           msg->offset - model->regions[*index].offset < model->regions[*index].length;
}

static bool model_has(const struct model_region *region, uint64_t file, uint64_t begin,
                      uint64_t end)
{
    return region->file == file && region->offset <= begin &&
           end <= region->offset + region->length;
}

static void model_note_lease(struct model *model, const struct model_region *region)
{
    MODEL_EACH_READ (model, read)
        read->begun_lease |= model_has(region, read->file, read->offset, read->offset + 1);
}

static size_t model_held(const struct model *model)
{
    struct reads_facts facts;

    reads_look(model->reads, &facts);
    return facts.nleases;
}

/* Will the front have no more leases after this one than before? Not if nobody wants it, nor if a
 * read takes all of it. */
static bool model_is_used_up(struct model *model, const struct model_question *question,
                             const struct model_region *region, const struct model_read *reader)
{
    if (reader != NULL)
        return !reader->begun_lease && region->offset == reader->offset &&
               region->length == reader->size;
    MODEL_EACH_READ (model, read)
        if (read->file == region->file)
            return false;
    return !question->ahead;
}

/* `reader`, if not NULL, waits for this, and is answered if the region covers it. (Others may wait
 * for a answer or for another question, or another read have taken it all first.) */
static void model_grant(struct model *model, const struct model_question *question, size_t index,
                        const struct model_read *reader)
{
    const struct model_region region = model->regions[index];
    const struct msg_span span = {question->msg.id, ++model->last_lease, region.offset,
                                  region.length, region.at};
    const bool used_up = model_is_used_up(model, question, &region, reader);
    const size_t nheld = model_held(model);
    struct err err = {0};

    model->regions[index].nleases++;
    model->leases[model->nleases++] = (struct model_lease){span.lease, index};
    model_note_lease(model, &region);
    MODEL_MUST(model, reads_span(model->reads, &span, &err) == 0);
    MODEL_MUST(model, !used_up || model_held(model) <= nheld);
    MODEL_MUST(model, reader == NULL || !reader->waits ||
                          !model_has(&region, reader->file, reader->offset, model_end(reader)));
}

/* False if there is no room for an answer. */
static bool model_answer(struct model *model, size_t i, bool generous)
{
    const struct model_read *reader = model_simple(model, model->questions[i].msg.file);
    struct model_question question;
    size_t index;

    if (model->nleases == MODEL_LEASES ||
        !model_place_answer(model, &model->questions[i].msg, generous, &index))
        return false;
    question = model_take_question(model, i);
    model_grant(model, &question, index, reader);
    return true;
}

/* Does an error to this question, which is the only one, concern the read? It does if it has none
 * of its bytes. */
static bool model_depends_on(const struct model_read *read, const struct model_question *question)
{
    return read->offset == question->msg.offset && question->sent >= read->began &&
           !read->begun_lease;
}

static void model_after_refusal(struct model *model, const struct err *err)
{
    MODEL_MUST(model, err->code == ERR_PEER);
    model_go_down(model);
}

/* Says `error` to a question; whether it was taken. Whoever depends on it is answered. */
static bool model_say(struct model *model, size_t i, struct msg_error *error, int errnum,
                      bool final)
{
    const struct model_read *reader = model_simple(model, model->questions[i].msg.file);
    const struct model_question question = model_take_question(model, i);
    struct err err = {0};
    int rc;

    error->id = question.msg.id;
    model->answered = &question;
    model->answered_errnum = errnum;
    model->disbelieved = false;
    rc = reads_error(model->reads, error, &err);
    model->answered = NULL;
    if (rc != 0) {
        model_after_refusal(model, &err);
        return false;
    }
    MODEL_MUST(model,
               !final || reader == NULL || !reader->waits || !model_depends_on(reader, &question));
    return true;
}

static void model_fail(struct model *model, size_t i)
{
    static const struct {
        enum err_code code;
        int errnum, due;
    } errors[] = {
        {ERR_IO, EIO, EIO},           {ERR_CHANGED, ESTALE, ESTALE},  {ERR_MEMORY, ENOMEM, ENOMEM},
        {ERR_BUDGET, ENOMEM, ENOMEM}, {ERR_IO, ETIMEDOUT, ETIMEDOUT}, {ERR_IO, ENOENT, EIO},
    };
    const size_t k = (size_t)model_choose(model, sizeof errors / sizeof errors[0]);
    struct msg_error error = {
        .code = errors[k].code, .errnum = (uint64_t)errors[k].errnum, .text = "no"};

    struct model_read *reader = model_simple(model, model->questions[i].msg.file);

    if (model_say(model, i, &error, errors[k].due, true))
        return;
    MODEL_MUST(model, error.code == ERR_MEMORY && ++model->nstarved <= model->nstarted);
    if (reader == NULL)
        return;
    MODEL_MUST(model, !reader->starved);
    reader->starved = true;
}

/* Says that a chunk is held back: whether it was believed. */
static bool model_hold(struct model *model, size_t i, size_t chunk)
{
    const enum model_chunk was = model->chunks[chunk];
    struct msg_error error = {.code = ERR_HELD, .errnum = EIO, .text = model_names[chunk]};
    const bool believed = model_say(model, i, &error, EIO, was == CHUNK_CONDEMNED);

    MODEL_MUST(model, believed == !model->disbelieved);
    MODEL_MUST(model, !believed || was != CHUNK_NEVER);
    return believed;
}

/* A span that cannot be. */
static void model_lie(struct model *model, size_t i)
{
    const struct msg_read *msg = &model->questions[i].msg;
    const uint64_t size = model_sizes[msg->file];
    struct msg_span span = {msg->id, ++model->last_lease, msg->offset, 1, 0};
    struct err err = {0};

    switch (model_choose(model, 8)) {
    case 0:
        span.id = model->last_id + 1 + model_choose(model, 9);
        break;
    case 1:
        span.length = 0;
        break;
    case 2:
        span.length = size - msg->offset + 1;
        break;
    case 3:
        span.offset = msg->offset > 0 ? msg->offset - 1 : size;
        break;
    case 4:
        span.at = model->arena_size;
        break;
    case 5:
        span.at = UINT64_MAX - model_choose(model, 2);
        break;
    case 6:
        span.offset = UINT64_MAX;
        break;
    default:
        if (model->nleases > 0)
            span.lease = model->leases[model_choose(model, model->nleases)].id;
        else
            span.id = 0;
        break;
    }
    MODEL_MUST(model, reads_span(model->reads, &span, &err) != 0);
    model_after_refusal(model, &err);
}

/* ---- readers ---- */

static struct model_read *model_free_read(struct model *model)
{
    for (size_t i = 0; i < MODEL_READS; i++)
        if (!model->asked[i].waits)
            return &model->asked[i];
    return NULL;
}

/* Where a handle reads: on from where it was, or anywhere. */
static void model_choose_read(struct model *model, struct model_read *read)
{
    static const size_t sizes[] = {1, 4096, 4096, 65536, 131072, 131072, 600000};

    read->handle = model_choose(model, 4);
    read->file = read->handle == 0 ? model_choose(model, 2) : 2;
    read->offset = model_chance(model, 75) ? model->ends[read->handle]
                                           : model_choose(model, model_sizes[read->file] + 2);
    read->size = sizes[model_choose(model, sizeof sizes / sizeof sizes[0])];
    model->ends[read->handle] =
        read->offset + read->size < model_sizes[read->file] ? read->offset + read->size : 0;
}

static void model_start(struct model *model)
{
    struct model_read *read = model_free_read(model);
    size_t wanted;

    if (read == NULL)
        return;
    *read = (struct model_read){.model = model, .waits = true, .began = model->step};
    model_choose_read(model, read);
    wanted = read->size;
    read->size = read->offset < model_sizes[read->file]
                     ? (size_t)size_min(wanted, model_sizes[read->file] - read->offset)
                     : 0;
    read->deadline = model_ms(model) + MODEL_TIMEOUT;
    read->late = late_has(&model->late, read->file, read->offset, model_ms(model));
    for (size_t i = 0; i < MODEL_LEASES; i++)
        read->begun_lease |=
            model->regions[i].nleases > 0 &&
            model_has(&model->regions[i], read->file, read->offset, read->offset + 1);
    model->nstarted++;
    model->starting = read;
    reads_start(model->reads, (struct fuse_req *)(void *)read, &model->fs.files[read->file],
                read->handle, read->offset, wanted);
    model->starting = NULL;
    MODEL_MUST(model, !read->waits || (!read->late && read->size > 0));
}

static void model_interrupt(struct model *model)
{
    struct model_read *read = &model->asked[model_choose(model, MODEL_READS)];

    if (!read->waits || read->interrupted)
        return;
    read->interrupted = true;
    read->gone((struct fuse_req *)(void *)read, read->gone_data);
    MODEL_MUST(model, read->waits); /* libfuse holds a lock */
}

static void model_open_or_close(struct model *model)
{
    const uint64_t file = model_choose(model, MODEL_FILES);
    const struct fs_file *it = &model->fs.files[file];

    if (model->nopen[file] > 0 && model_chance(model, 50)) {
        model->nopen[file]--;
        model->nclosed++;
        reads_closed(model->reads, it, model_choose(model, 4));
    } else {
        model->nopen[file]++;
        reads_opened(model->reads, it);
    }
}

/* ---- what must be so at any time ---- */

static void model_check_counts(struct model *model, const struct reads_facts *facts)
{
    uint64_t npending = 0, nhandles = 0;

    MODEL_EACH_READ (model, read)
        npending++;
    for (size_t i = 0; i < MODEL_FILES; i++)
        nhandles += model->nopen[i];
    MODEL_MUST(model, facts->npending == npending && facts->nhandles == nhandles);
    MODEL_MUST(model, facts->nserved == model->nserved && facts->nfailed == model->nfailed);
    MODEL_MUST(model, facts->bytes == model->bytes && model->nreleased == model->nclosed);
    MODEL_MUST(model, model->nserved + model->nfailed + npending == model->nstarted);
}

static void model_check_leases(struct model *model, const struct reads_facts *facts)
{
    MODEL_MUST(model, facts->nleases <= model->nleases && facts->nleases <= LEASES_MAX);
    MODEL_MUST(model, facts->lease_bytes <= model_leased(model));
    MODEL_MUST(model, facts->nleases <= 1 || facts->lease_bytes <= model->arena_size / 2);
}

/* What a read lacks, or what its handle reads before it, has been asked for. */
static bool model_is_asked_for(const struct model *model, const struct model_read *read)
{
    for (size_t i = 0; i < model->nquestions; i++) {
        const struct msg_read *msg = &model->questions[i].msg;

        if (msg->file == read->file &&
            (!model->questions[i].given_up || model->questions[i].sent >= read->began) &&
            msg->offset < model_end(read) &&
            (msg->offset >= read->offset || msg->handle == read->handle))
            return true;
    }
    return false;
}

static void model_check(struct model *model)
{
    struct reads_facts facts;

    model_settle(model);
    reads_look(model->reads, &facts);
    model_check_counts(model, &facts);
    model_check_leases(model, &facts);
    if (model->up && !model->judging)
        MODEL_EACH_READ (model, read)
            MODEL_MUST(model, model_is_asked_for(model, read));
}

/* ---- time goes by ---- */

static void model_pass(struct model *model, uint64_t ms)
{
    made_pass(&model->time, ms);
    model_check(model);
}

/* While nothing else happens: what is to be given back goes soon, but leases may just have become
 * idle; and none is held for long. */
static void model_wait(struct model *model, uint64_t ms)
{
    model_pass(model, ms);
    if (ms >= MODEL_FLUSHED && !model_is_flushed(model)) {
        model_pass(model, MODEL_FLUSHED);
        MODEL_MUST(model, model_is_flushed(model));
    }
    MODEL_MUST(model, ms < MODEL_SETTLED || model->nleases == 0);
}

static void model_wait_some(struct model *model)
{
    static const uint64_t ms[] = {1, 3, 5, 50, 199, 201, 250, 1000, MODEL_SETTLED, MODEL_TIMEOUT};

    model_wait(model, ms[model_choose(model, sizeof ms / sizeof ms[0])]);
}

/* The process does not run for a while. */
static void model_stop(struct model *model)
{
    model->time.now +=
        (model_choose(model, 2) * MODEL_TIMEOUT + CLOCK_STOPPED_MS + model_choose(model, 4000)) *
        1000;
    model_forgive(model);
}

/* ---- how a history goes, and ends ---- */

static void model_answer_some(struct model *model, uint64_t how)
{
    size_t i;

    if (model->nquestions == 0)
        return;
    i = (size_t)model_choose(model, model->nquestions);
    if (how < 80)
        model_answer(model, i, false);
    else if (how < 89)
        model_fail(model, i);
    else if (how < 96)
        model_hold(model, i, (size_t)model_choose(model, MODEL_CHUNKS));
    else
        model_lie(model, i);
}

static void model_act(struct model *model)
{
    const uint64_t what = model_choose(model, 100);

    if (what < 30)
        model_start(model);
    else if (what < 68)
        model_answer_some(model, model_choose(model, 100));
    else if (what < 76)
        model_come_up(model);
    else if (what < 78)
        model_go_down(model);
    else if (what < 82)
        model_interrupt(model);
    else if (what < 91)
        model_wait_some(model);
    else if (what < 92)
        model_stop(model);
    else if (what < 95)
        model_open_or_close(model);
    else if (what < 97)
        model_judge(model, false);
    else if (what < 99 || !model_chance(model, 10))
        model_accuse(model);
    else
        model_become_stale(model);
}

/* An encoder that does what it is asked for: everybody has all bytes, without a failure. */
static void model_heal(struct model *model)
{
    const uint64_t nfailed = model->nfailed;

    model_come_up(model);
    model_judge(model, true);
    for (unsigned i = 0; model->nquestions > 0; i++) {
        MODEL_MUST(model, i < 2000);
        if (!model_answer(model, (size_t)model_choose(model, model->nquestions), true)) {
            model_wait(model, MODEL_FLUSHED);
            MODEL_MUST(model, model_answer(model, 0, true));
        }
        model_check(model);
    }
    MODEL_EACH_READ (model, read)
        MODEL_MUST(model, model->stale);
    MODEL_MUST(model, model->nfailed == nfailed);
}

/* One that says nothing: everybody fails in time. */
static void model_be_silent(struct model *model)
{
    model_wait(model, MODEL_TIMEOUT);
    MODEL_EACH_READ (model, read)
        MODEL_MUST(model, !read->waits);
}

/* One that says again and again that a chunk is held back which is not: found out at last. */
static void model_be_stubborn(struct model *model)
{
    model_come_up(model);
    model_judge(model, true);
    model->chunks[0] = CHUNK_ACQUITTED;
    for (unsigned i = 0; model->nquestions > 0 && model_hold(model, 0, 0); i++)
        MODEL_MUST(model, i < MODEL_QUESTIONS + MODEL_READS * (MODEL_AGAIN_MAX + 2));
}

static void model_end_with(struct model *model, uint64_t how)
{
    if (how == 0)
        model_heal(model);
    else if (how == 1)
        model_be_silent(model);
    else if (how == 2)
        model_be_stubborn(model);
    model_check(model);
    model->ending = true;
    reads_free(model->reads);
    MODEL_EACH_READ (model, read)
        MODEL_MUST(model, !read->waits);
    MODEL_MUST(model, made_left(&model->time) == 0);
    ASAN_UNPOISON_MEMORY_REGION(model->arena, model->up ? model->arena_size : 0);
    free(model->arena);
}

static void model_begin(struct model *model)
{
    struct err err;

    model->time.now = 1000000 + model_choose(model, 2000000);
    model->outside = (struct outside){
        .timers = made_timers(&model->time),
        .read = model_take_read,
        .give_back = model_give_back,
        .release = model_release,
        .believe = model_believe,
        .ask_probe = model_ask_verdict,
        .reply = model_reply,
        .reply_error = model_reply_error,
        .on_interrupt = model_on_interrupt,
        .arg = model,
    };
    model->fs.nfiles = MODEL_FILES;
    for (size_t i = 0; i < MODEL_FILES; i++)
        model->fs.files[i] = (struct fs_file){
            .name = (char *)(uintptr_t) "file", .fd = -1, .size = model_sizes[i], .ready = true};
    model->reads = reads_new(&(struct reads_config){.outside = &model->outside,
                                                    .fs = &model->fs,
                                                    .timeout_ms = MODEL_TIMEOUT},
                             &err);
    MODEL_MUST(model, model->reads != NULL);
}

/* Plays a history of so many steps at most. `chance` gives numbers below n; NULL: `data` does, and
 * the history ends with it. */
static void model_play(const char *name, unsigned nsteps, uint64_t (*chance)(uint64_t n),
                       const uint8_t *data, size_t size)
{
    struct model *model = calloc(1, sizeof *model);

    if (model == NULL)
        abort();
    model->name = name;
    model->chance = chance;
    model->data = data;
    model->size = size;
    model_begin(model);
    for (unsigned i = 0; i < nsteps && (chance != NULL || model->size > 0); i++) {
        model->step++;
        model_act(model);
        model_check(model);
    }
    model->step++;
    model_end_with(model, model_choose(model, 4));
    free(model);
}

/* Reads say what goes wrong. */
static void model_quiet(void)
{
    static bool quiet;

    if (!quiet)
        log_init("test", LOG_LEVEL_ERROR, open("/dev/null", O_WRONLY | O_CLOEXEC));
    quiet = true;
}

#endif
