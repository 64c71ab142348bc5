/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *format_text(const char *fmt, va_list args)
{
    char *text;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

static void problem_clear(struct problem *problem)
{
    free(problem->array);
    free(problem->chunk);
    free(problem->message);
}

/* Takes what the problem owns. */
static void keep(struct problems *problems, struct problem problem)
{
    problems->total++;
    if (problems->n < PROBLEMS_MAX && problems->n == problems->cap) {
        const size_t cap = problems->cap > 0 ? problems->cap * 2 : 4;
        struct problem *more = reallocarray(problems->items, cap, sizeof *more);

        if (more != NULL) {
            problems->items = more;
            problems->cap = cap;
        }
    }
    if (problems->n < problems->cap && problems->n < PROBLEMS_MAX && problem.array != NULL &&
        problem.chunk != NULL && problem.message != NULL)
        problems->items[problems->n++] = problem;
    else
        problem_clear(&problem);
}

void problems_add(struct problems *problems, const char *array, const char *chunk, const char *fmt,
                  ...)
{
    struct problem problem = {.array = strdup(array), .chunk = strdup(chunk)};
    va_list args;

    va_start(args, fmt);
    problem.message = format_text(fmt, args);
    va_end(args);
    keep(problems, problem);
}

void problems_move(struct problems *from, struct problems *to)
{
    for (size_t i = 0; i < from->n; i++)
        keep(to, from->items[i]);
    to->total += from->total - from->n;
    from->n = 0;
    problems_clear(from);
}

void problems_clear(struct problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        problem_clear(&problems->items[i]);
    free(problems->items);
    *problems = (struct problems){0};
}
