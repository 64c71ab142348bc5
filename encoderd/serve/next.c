/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/next.h"

#define CREDIT_US 10000 /* the most workers' time that a kind of readers can be owed */

/* The oldest span in demand, either of random or of sequential readers; a span of a sequential
 * reader has `keep` set. */
static struct span *demanded(const struct sched_core *core, bool sequential)
{
    struct span *span;

    TAILQ_FOREACH (span, &core->spans.places[SPAN_DEMAND], link)
        if (span->keep == sequential)
            return span;
    return NULL;
}

/* True if the span may be begun: enough bytes are queued to use all rows of its blocks. */
static bool is_worth_it(const struct sched_core *core, const struct span *span,
                        const struct span *last)
{
    return !span_is_untouched(span) || core->spans.nbytes_ahead >= span->gather ||
           last->target.end == core->view->files[last->file].size;
}

static struct span *ahead(const struct sched_core *core)
{
    const struct span *last = TAILQ_LAST(&core->spans.places[SPAN_AHEAD], spans);
    struct span *span;

    TAILQ_FOREACH (span, &core->spans.places[SPAN_AHEAD], link)
        if (is_worth_it(core, span, last))
            return span;
    return NULL;
}

/* A span far ahead whose cells can be asked what they need. Asking takes little time, but the
 * store's answer takes long. So these are asked before nearer cells that have been asked are
 * run. */
static struct span *far(const struct sched_core *core)
{
    struct span *span;

    if (core->spans.nfar == 0)
        return NULL;
    TAILQ_FOREACH (span, &core->spans.places[SPAN_AHEAD], link)
        if (span->at == ARENA_NONE)
            return span;
    return NULL;
}

static struct span *sequential(const struct sched_core *core)
{
    struct span *span = demanded(core, true), *other;

    if (span != NULL && span_has_new_cells(span))
        return span;
    if ((other = far(core)) != NULL)
        return other;
    return span != NULL ? span : ahead(core);
}

/* Random readers may be many, and then always wait for something: in order of arrival, they would
 * leave sequential readers less and less time. So if both have work, sequential readers, who use
 * the work better, get two thirds of the workers' time. Among the spans of one kind, the order is
 * by age, and spans in demand come before work ahead. */
struct span *next_span(struct sched_core *core)
{
    struct span *of[2] = {demanded(core, false), sequential(core)};

    for (unsigned i = 0; i < 2; i++)
        if (of[i] == NULL) {
            if (core->served[i] + CREDIT_US < core->served[1 - i])
                core->served[i] = core->served[1 - i] - CREDIT_US;
            return of[1 - i];
        }
    return of[core->served[1] <= core->served[0]];
}

struct cell *next_slow_cell(struct sched_core *core)
{
    const enum span_place places[] = {SPAN_DEMAND, SPAN_FETCH, SPAN_AHEAD};
    struct span *span;
    struct cell *cell;

    if (core->spans.nslow == 0)
        return NULL;
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
        TAILQ_FOREACH (span, &core->spans.places[places[i]], link)
            if ((cell = span_take_slow(&core->spans, span)) != NULL)
                return cell;
    return NULL;
}
