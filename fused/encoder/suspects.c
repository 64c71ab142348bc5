/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/suspects.h"

#include "common/size.h"

#include <string.h>

static bool is_entry(const struct suspect *suspect)
{
    return suspect->chunk[0] != '\0';
}

struct suspect *suspects_find(struct suspects *suspects, const char *chunk)
{
    for (size_t i = 0; i < SUSPECTS_MAX; i++)
        if (is_entry(&suspects->items[i]) && strcmp(suspects->items[i].chunk, chunk) == 0)
            return &suspects->items[i];
    return NULL;
}

static void release(struct suspects *suspects, struct suspect *suspect)
{
    if (is_entry(suspect))
        memcpy(suspects->released[suspects->nreleased++ % RELEASED_MAX], suspect->chunk,
               sizeof suspect->chunk);
    *suspect = (struct suspect){0};
}

struct suspect *suspects_add(struct suspects *suspects, const char *chunk)
{
    struct suspect *found = suspects_find(suspects, chunk), *first = &suspects->items[0];

    if (found != NULL)
        return found;
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        struct suspect *here = &suspects->items[i];

        if (!is_entry(here)) {
            first = here;
            break;
        }
        if (here->until < first->until)
            first = here;
    }
    release(suspects, first);
    strncpy(first->chunk, chunk, sizeof first->chunk - 1);
    return first;
}

void suspects_clear(struct suspects *suspects, struct suspect *suspect)
{
    release(suspects, suspect);
}

bool suspects_knew(const struct suspects *suspects, const char *chunk)
{
    if (chunk[0] == '\0')
        return false;
    for (size_t i = 0; i < SUSPECTS_MAX; i++)
        if (strcmp(suspects->items[i].chunk, chunk) == 0)
            return true;
    for (size_t i = 0; i < RELEASED_MAX; i++)
        if (strcmp(suspects->released[i], chunk) == 0)
            return true;
    return false;
}

void suspect_condemn(struct suspect *suspect, uint64_t now, uint64_t least)
{
    suspect->condemned_ms = size_min(size_max(suspect->condemned_ms * 2, least), CONDEMNED_MAX_MS);
    suspect->until = now + suspect->condemned_ms;
    suspect->nquestions = size_min(suspect->nquestions, 1);
    suspect->wanted = false;
}

bool suspect_is_condemned(const struct suspect *suspect, uint64_t now)
{
    return now < suspect->until;
}

static bool is_same(const struct question *a, const struct question *b)
{
    return a->fetch == b->fetch && a->read.file == b->read.file &&
           a->read.offset == b->read.offset && a->read.length == b->read.length;
}

void suspect_ask(struct suspect *suspect, const struct question *question)
{
    suspect->wanted = true;
    for (size_t i = 0; i < suspect->nquestions; i++)
        if (is_same(&suspect->questions[i], question))
            return;
    if (suspect->nquestions < QUESTIONS_MAX)
        suspect->questions[suspect->nquestions++] = *question;
}

void suspect_answered(struct suspect *suspect)
{
    suspect->nquestions--;
    memmove(&suspect->questions[0], &suspect->questions[1],
            suspect->nquestions * sizeof suspect->questions[0]);
}

struct suspect *suspects_next(struct suspects *suspects, uint64_t now)
{
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        struct suspect *here = &suspects->items[i];

        if (is_entry(here) && here->wanted && !suspect_is_condemned(here, now))
            return here;
    }
    return NULL;
}

void suspects_hold(const struct suspects *suspects, const struct suspect *but, struct msg_hold *out)
{
    out->nchunks = 0;
    for (size_t i = 0; i < SUSPECTS_MAX; i++)
        if (is_entry(&suspects->items[i]) && &suspects->items[i] != but)
            out->chunks[out->nchunks++] = suspects->items[i].chunk;
}
