/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/probe.h"

#include "common/log.h"
#include "common/printable.h"
#include "fused/process/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONDEMNED_TIMES 2 /* times a probe's timeout: how long the first time */
#define AGAIN_MAX       8 /* questions repeated because a chunk is not held back any more */

struct probe {
    struct probe_config config;
    struct suspects suspects;
    struct link *link;              /* to the probe's encoder; NULL: no probe runs */
    char chunk[EVIDENCE_LABEL_MAX]; /* probed */
    uint64_t id;                    /* of the question without an answer; 0: none */
    bool over;                      /* `turn` is to end it */
    struct event *turn;             /* begins and ends probes, because a link's handler cannot */
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

static struct suspect *probed(struct probe *probe)
{
    return suspects_find(&probe->suspects, probe->chunk);
}

static void take_turn(struct probe *probe)
{
    event_active(probe->turn, EV_TIMEOUT, 0);
}

static void end(struct probe *probe)
{
    probe->over = true;
    take_turn(probe);
}

static void add_suspect(struct probe *probe, const struct evidence *evidence)
{
    if (suspects_find(&probe->suspects, evidence->label) != NULL)
        return;
    log_warning("an encoder died of itself (signal %d, code %d, address 0x%" PRIx64
                ") at block %" PRIu64 " of %s: it is held back, and tried in an encoder of its own",
                evidence->signal, evidence->code, evidence->address, evidence->block,
                name_of(evidence->label).text);
    suspects_add(&probe->suspects, evidence->label);
    probe->config.changed(probe->config.arg);
}

void probe_died(struct probe *probe, const struct evidence *evidence)
{
    if (evidence->own_fault && evidence->label[0] != '\0')
        add_suspect(probe, evidence);
}

/* ---- the encoder of the probe ---- */

static void condemn(struct probe *probe, struct suspect *suspect)
{
    suspect_condemn(suspect, clock_ms(), CONDEMNED_TIMES * (uint64_t)probe->config.timeout_ms);
    log_error("%s ended the encoder that was asked for it alone, too: EIO for what needs it; it is "
              "tried again in %" PRIu64 " s at the earliest",
              name_of(suspect->chunk).text, suspect->condemned_ms / 1000);
    end(probe);
}

static void on_died(const struct evidence *evidence, void *arg)
{
    struct probe *probe = arg;
    struct suspect *suspect = probed(probe);

    probe->id = 0;
    if (!evidence->own_fault || evidence->label[0] == '\0')
        return;
    if (suspect != NULL && !probe->over && strcmp(evidence->label, probe->chunk) == 0)
        condemn(probe, suspect);
    else
        add_suspect(probe, evidence);
}

static void on_hold(struct msg_hold *out, void *arg)
{
    struct probe *probe = arg;

    suspects_hold(&probe->suspects, probed(probe), out);
}

static void ask_next(struct probe *probe)
{
    struct suspect *suspect = probed(probe);
    const struct question *question;

    if (suspect == NULL || suspect->nquestions == 0) {
        end(probe);
        return;
    }
    question = &suspect->questions[0];
    if (question->fetch)
        link_fetch(probe->link, &(struct msg_fetch){.file = question->read.file});
    else
        probe->id = link_read(probe->link, &question->read);
}

static void on_up(const uint8_t *arena, uint64_t arena_size, void *arg)
{
    struct probe *probe = arg;

    (void)arena;
    (void)arena_size;
    if (!probe->over)
        ask_next(probe);
}

static void on_down(void *arg)
{
    (void)arg;
}

/* The encoder answered the question and lives. If no question is left, the chunk is cleared. */
static void survived(struct probe *probe)
{
    struct suspect *suspect = probed(probe);

    probe->id = 0;
    if (suspect == NULL || probe->over)
        return;
    suspect_answered(suspect);
    if (suspect->nquestions > 0) {
        ask_next(probe);
        return;
    }
    log_warning("%s was decoded by an encoder of its own: it is served again",
                name_of(suspect->chunk).text);
    suspects_clear(&probe->suspects, suspect);
    probe->config.changed(probe->config.arg);
    end(probe);
}

/* The question needs another suspect as well: it is moved to that suspect. */
static int pass_on(struct probe *probe, const char *chunk, struct err *err)
{
    struct suspect *other = suspects_find(&probe->suspects, chunk), *suspect = probed(probe);

    /* This encoder was told to hold back all suspects but the probed one. If it names that one, it
     * lies. */
    if (probe_believe(probe, other != NULL && other == suspect ? "" : chunk, 0, err) != 0)
        return -1;
    if (suspect == NULL || suspect->nquestions == 0 || probe->over)
        return 0;
    if (other != NULL)
        suspect_ask(other, &suspect->questions[0]);
    suspect_answered(suspect);
    ask_next(probe);
    return 0;
}

static int on_span(const struct msg_span *span, void *arg, struct err *err)
{
    struct probe *probe = arg;

    if (span->id != probe->id || probe->id == 0)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       span->id);
    link_return(probe->link, &span->lease, 1);
    survived(probe);
    return 0;
}

static int take_error(struct probe *probe, const struct msg_error *error, struct err *err)
{
    if (error->code == ERR_HELD)
        return pass_on(probe, error->text, err);
    survived(probe);
    return 0;
}

static int on_error(const struct msg_error *error, void *arg, struct err *err)
{
    struct probe *probe = arg;

    if (error->id != probe->id || probe->id == 0)
        return err_set(err, ERR_PEER, "the encoder answered read %" PRIu64 ", which nobody sent",
                       error->id);
    if (error->code == ERR_MEMORY)
        return err_set(err, ERR_PEER, "the encoder has no memory left: %s", error->text);
    return take_error(probe, error, err);
}

/* The file itself is not used: the mount's encoder will make it again. It only counts that this
 * encoder could make it. */
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

static void begin(struct probe *probe, const struct suspect *suspect)
{
    struct err err;

    probe->over = false;
    memcpy(probe->chunk, suspect->chunk, sizeof probe->chunk);
    probe->link = link_new(&probe->config.link, &link_handlers, probe, &err);
    if (probe->link == NULL || link_adopt(probe->link, probe->config.main, &err) != 0) {
        log_error("no probe of %s: %s", name_of(probe->chunk).text, err.msg);
        link_free(probe->link);
        probe->link = NULL;
        return;
    }
    link_start(probe->link);
    clock_arm(probe->limit, probe->config.timeout_ms);
}

static void finish(struct probe *probe)
{
    struct suspect *suspect = probed(probe);

    event_del(probe->limit);
    link_free(probe->link);
    probe->link = NULL;
    probe->id = 0;
    supervisor_discard(probe->config.link.supervisor);
    if (suspect != NULL)
        suspect->wanted = false;
    probe->config.settled(probe->config.arg);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct probe *probe = arg;
    const struct suspect *next;

    (void)fd;
    (void)what;
    if (probe->link != NULL && probe->over)
        finish(probe);
    if (probe->link == NULL && (next = suspects_next(&probe->suspects, clock_ms())) != NULL)
        begin(probe, next);
}

/* The probe took too long. The chunk is neither condemned nor cleared, because the reason may lie
 * elsewhere: a disk that hangs, or somebody who kills every encoder. */
static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct probe *probe = arg;
    struct suspect *suspect = probed(probe);

    (void)fd;
    (void)what;
    log_warning("the probe of %s has not come to an end in %u ms", name_of(probe->chunk).text,
                probe->config.timeout_ms);
    if (suspect != NULL)
        suspect->nquestions = 0;
    end(probe);
}

/* ---- outside ---- */

void probe_hold(const struct probe *probe, struct msg_hold *out)
{
    suspects_hold(&probe->suspects, NULL, out);
}

enum probe_answer probe_ask(struct probe *probe, const char *chunk, const struct question *question)
{
    struct suspect *suspect = suspects_find(&probe->suspects, chunk);

    if (suspect == NULL)
        return PROBE_AGAIN;
    if (suspect_is_condemned(suspect, clock_ms()))
        return PROBE_CONDEMNED;
    suspect_ask(suspect, question);
    take_turn(probe);
    return PROBE_WAIT;
}

int probe_believe(const struct probe *probe, const char *chunk, unsigned nagain, struct err *err)
{
    if (suspects_knew(&probe->suspects, chunk) && nagain <= AGAIN_MAX)
        return 0;
    return err_set(err, ERR_PEER, "the encoder holds back what it was not told to");
}

const struct suspects *probe_suspects(const struct probe *probe)
{
    return &probe->suspects;
}

struct probe *probe_new(const struct probe_config *config, struct err *err)
{
    struct probe *probe = calloc(1, sizeof *probe);

    if (probe != NULL) {
        probe->config = *config;
        probe->turn = evtimer_new(config->link.base, on_turn, probe);
        probe->limit = evtimer_new(config->link.base, on_limit, probe);
    }
    if (probe == NULL || probe->turn == NULL || probe->limit == NULL) {
        err_nomem(err, "a probe");
        probe_free(probe);
        return NULL;
    }
    return probe;
}

void probe_free(struct probe *probe)
{
    if (probe == NULL)
        return;
    link_free(probe->link);
    if (probe->turn != NULL)
        event_free(probe->turn);
    if (probe->limit != NULL)
        event_free(probe->limit);
    free(probe);
}
