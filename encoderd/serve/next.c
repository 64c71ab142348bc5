/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/next.h"

#define CREDIT_US 10000 /* of workers' time that readers may catch up on */

/* The oldest span that somebody waits for, of random or of sequential readers, whose spans are
 * those worth keeping. */
static struct span *demanded(const struct sched_core *core, bool sequential)
{
    struct span *span;

    TAILQ_FOREACH (span, &core->spans.places[SPAN_DEMAND], link)
        if (span->keep == sequential)
            return span;
    return NULL;
}

/* Is it worth beginning? It is when enough is queued to take what its blocks hold. */
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

/* To ask the store takes little, and what comes of it takes long: so far ahead cells are asked
 * before nearer ones are run that have been asked. */
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

/* Random readers, of whom there may be many, always wait for something; in order of arrival they
 * would leave sequential ones ever less. So where both want something, workers' time goes two to
 * one to sequential readers, who make the most of it; within each, it goes by age, and what
 * somebody waits for comes before work ahead. */
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
