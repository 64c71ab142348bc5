/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/trial.h"

#include "common/log.h"
#include "common/printable.h"
#include "fused/process/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE  2 /* times what a trial may take, the first time */
#define AGAIN_MAX 8 /* questions about what is not held back any more */

struct trial {
    struct trial_config config;
    struct suspects suspects;
    struct link *link;              /* the encoder's; NULL while there is no trial */
    char chunk[EVIDENCE_LABEL_MAX]; /* on trial */
    uint64_t id;                    /* of the question that is out; 0: none is */
    bool over;                      /* `turn` is to end it */
    struct event *turn;             /* begins and ends trials, outside of the link's calls */
    struct event *limit;
};

/* For the log. */
struct name {
    char text[EVIDENCE_LABEL_MAX];
};

static struct name name_of(const char *chunk)
{
    struct name name;

    memcpy(name.text, chunk, strlen(chunk) + 1);
    printable(name.text, strlen(name.text));
    return name;
}

static struct suspect *on_trial(struct trial *trial)
{
    return suspects_find(&trial->suspects, trial->chunk);
}

static void take_turn(struct trial *trial)
{
    event_active(trial->turn, EV_TIMEOUT, 0);
}

static void end(struct trial *trial)
{
    trial->over = true;
    take_turn(trial);
}

static void accuse(struct trial *trial, const struct evidence *evidence)
{
    if (suspects_find(&trial->suspects, evidence->label) != NULL)
        return;
    log_warning("an encoder died of itself (signal %d, code %d, address 0x%" PRIx64
                ") at block %" PRIu64 " of %s: it is held back, and tried in an encoder of its own",
                evidence->signal, evidence->code, evidence->address, evidence->block,
                name_of(evidence->label).text);
    suspects_add(&trial->suspects, evidence->label);
    trial->config.changed(trial->config.arg);
}

void trial_died(struct trial *trial, const struct evidence *evidence)
{
    if (evidence->earned && evidence->label[0] != '\0')
        accuse(trial, evidence);
}

/* ---- the encoder of the trial ---- */

static void condemn(struct trial *trial, struct suspect *suspect)
{
    suspect_condemn(suspect, clock_ms(), SENTENCE * (uint64_t)trial->config.timeout_ms);
    log_error("%s ended the encoder that was asked for it alone, too: EIO for what needs it; it is "
              "tried again in %" PRIu64 " s at the earliest",
              name_of(suspect->chunk).text, suspect->sentence / 1000);
    end(trial);
}

static void on_died(const struct evidence *evidence, void *arg)
{
    struct trial *trial = arg;
    struct suspect *suspect = on_trial(trial);

    trial->id = 0;
    if (!evidence->earned || evidence->label[0] == '\0')
        return;
    if (suspect != NULL && !trial->over && strcmp(evidence->label, trial->chunk) == 0)
        condemn(trial, suspect);
    else
        accuse(trial, evidence);
}

static void on_hold(struct msg_hold *out, void *arg)
{
    struct trial *trial = arg;

    suspects_hold(&trial->suspects, on_trial(trial), out);
}

static void ask_next(struct trial *trial)
{
    struct suspect *suspect = on_trial(trial);
    const struct question *question;

    if (suspect == NULL || suspect->nquestions == 0) {
        end(trial);
        return;
    }
    question = &suspect->questions[0];
    if (question->fetch)
        link_fetch(trial->link, &(struct msg_fetch){.file = question->read.file});
    else
        trial->id = link_read(trial->link, &question->read);
}

static void on_up(const uint8_t *arena, uint64_t arena_size, void *arg)
{
    struct trial *trial = arg;

    (void)arena;
    (void)arena_size;
    if (!trial->over)
        ask_next(trial);
}

static void on_down(void *arg)
{
    (void)arg;
}

/* The encoder lived through the question. When none is left, the chunk was not at fault. */
static void survived(struct trial *trial)
{
    struct suspect *suspect = on_trial(trial);

    trial->id = 0;
    if (suspect == NULL || trial->over)
        return;
    suspect_answered(suspect);
    if (suspect->nquestions > 0) {
        ask_next(trial);
        return;
    }
    log_warning("%s was decoded by an encoder of its own: it is served again",
                name_of(suspect->chunk).text);
    suspects_acquit(&trial->suspects, suspect);
    trial->config.changed(trial->config.arg);
    end(trial);
}

/* Another suspect is needed as well: the question is that one's. */
static int pass_on(struct trial *trial, const char *chunk, struct err *err)
{
    struct suspect *other = suspects_find(&trial->suspects, chunk), *suspect = on_trial(trial);

    /* The one on trial is the one that this encoder was not told to hold back. */
    if (trial_believe(trial, other != NULL && other == suspect ? "" : chunk, 0, err) != 0)
        return -1;
    if (suspect == NULL || suspect->nquestions == 0 || trial->over)
        return 0;
    if (other != NULL)
        suspect_ask(other, &suspect->questions[0]);
    suspect_answered(suspect);
    ask_next(trial);
    return 0;
}

static int on_span(const struct msg_span *span, void *arg, struct err *err)
{
    struct trial *trial = arg;

    if (span->id != trial->id || trial->id == 0)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       span->id);
    link_return(trial->link, &span->lease, 1);
    survived(trial);
    return 0;
}

static int take_error(struct trial *trial, const struct msg_error *error, struct err *err)
{
    if (error->code == ERR_HELD)
        return pass_on(trial, error->text, err);
    survived(trial);
    return 0;
}

static int on_error(const struct msg_error *error, void *arg, struct err *err)
{
    struct trial *trial = arg;

    if (error->id != trial->id || trial->id == 0)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       error->id);
    if (error->code == ERR_MEMORY)
        return err_set(err, ERR_PEER, "the encoder has no memory left: %s", error->text);
    return take_error(trial, error, err);
}

/* The mount's encoder makes the file again: only that this one could do it counts. */
static int on_sidecar(const struct msg_sidecar *sidecar, int fd, void *arg, struct err *err)
{
    (void)sidecar;
    (void)fd;
    (void)err;
    survived(arg);
    return 0;
}

static int on_no_sidecar(uint64_t file, const struct msg_error *error, void *arg, struct err *err)
{
    (void)file;
    return take_error(arg, error, err);
}

static void on_fetching(uint64_t file, void *arg)
{
    (void)file;
    (void)arg;
}

static void on_stale(void *arg)
{
    end(arg);
}

static const struct link_handlers link_handlers = {
    .up = on_up,
    .died = on_died,
    .hold = on_hold,
    .down = on_down,
    .stale = on_stale,
    .span = on_span,
    .error = on_error,
    .sidecar = on_sidecar,
    .fetching = on_fetching,
    .no_sidecar = on_no_sidecar,
};

/* ---- beginning and ending ---- */

static void begin(struct trial *trial, const struct suspect *suspect)
{
    struct err err;

    trial->over = false;
    memcpy(trial->chunk, suspect->chunk, sizeof trial->chunk);
    trial->link = link_new(&trial->config.link, &link_handlers, trial, &err);
    if (trial->link == NULL || link_adopt(trial->link, trial->config.main, &err) != 0) {
        log_error("no trial of %s: %s", name_of(trial->chunk).text, err.msg);
        link_free(trial->link);
        trial->link = NULL;
        return;
    }
    link_start(trial->link);
    clock_arm(trial->limit, trial->config.timeout_ms);
}

static void finish(struct trial *trial)
{
    struct suspect *suspect = on_trial(trial);

    event_del(trial->limit);
    link_free(trial->link);
    trial->link = NULL;
    trial->id = 0;
    supervisor_discard(trial->config.link.supervisor);
    if (suspect != NULL)
        suspect->wanted = false;
    trial->config.judged(trial->config.arg);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct trial *trial = arg;
    const struct suspect *next;

    (void)fd;
    (void)what;
    if (trial->link != NULL && trial->over)
        finish(trial);
    if (trial->link == NULL && (next = suspects_next(&trial->suspects, clock_ms())) != NULL)
        begin(trial, next);
}

/* It may be the disk, or somebody who kills whatever there is: that is no verdict. */
static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct trial *trial = arg;
    struct suspect *suspect = on_trial(trial);

    (void)fd;
    (void)what;
    log_warning("the trial of %s has not come to an end in %u ms", name_of(trial->chunk).text,
                trial->config.timeout_ms);
    if (suspect != NULL)
        suspect->nquestions = 0;
    end(trial);
}

/* ---- outside ---- */

void trial_hold(const struct trial *trial, struct msg_hold *out)
{
    suspects_hold(&trial->suspects, NULL, out);
}

enum verdict trial_ask(struct trial *trial, const char *chunk, const struct question *question)
{
    struct suspect *suspect = suspects_find(&trial->suspects, chunk);

    if (suspect == NULL)
        return VERDICT_NONE;
    if (suspect_is_condemned(suspect, clock_ms()))
        return VERDICT_CONDEMNED;
    suspect_ask(suspect, question);
    take_turn(trial);
    return VERDICT_WAIT;
}

int trial_believe(const struct trial *trial, const char *chunk, unsigned nagain, struct err *err)
{
    if (suspects_knew(&trial->suspects, chunk) && nagain <= AGAIN_MAX)
        return 0;
    return err_set(err, ERR_PEER, "the encoder holds back what it was not told to");
}

const struct suspects *trial_suspects(const struct trial *trial)
{
    return &trial->suspects;
}

struct trial *trial_new(const struct trial_config *config, struct err *err)
{
    struct trial *trial = calloc(1, sizeof *trial);

    if (trial != NULL) {
        trial->config = *config;
        trial->turn = evtimer_new(config->link.base, on_turn, trial);
        trial->limit = evtimer_new(config->link.base, on_limit, trial);
    }
    if (trial == NULL || trial->turn == NULL || trial->limit == NULL) {
        err_nomem(err, "a trial");
        trial_free(trial);
        return NULL;
    }
    return trial;
}

void trial_free(struct trial *trial)
{
    if (trial == NULL)
        return;
    link_free(trial->link);
    if (trial->turn != NULL)
        event_free(trial->turn);
    if (trial->limit != NULL)
        event_free(trial->limit);
    free(trial);
}
