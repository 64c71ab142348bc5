/* SPDX-License-Identifier: Apache-2.0 */
#include "common/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void notices_add(struct notices *notices, const char *fmt, ...)
{
    va_list ap;
    char *text;
    int n;

    if (notices->n == NOTICES_MAX)
        return;
    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n >= 0)
        notices->text[notices->n++] = text;
}

void notices_clear(struct notices *notices)
{
    for (size_t i = 0; i < notices->n; i++)
        free(notices->text[i]);
    *notices = (struct notices){0};
}
