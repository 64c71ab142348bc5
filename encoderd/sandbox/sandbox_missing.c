/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_missing: the text about what the sandbox lacks.
 */
#include "encoderd/sandbox/sandbox_impl.h"

#include <stdarg.h>
#include <stdio.h>

void sandbox_lacks(struct buf *missing, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (missing->len > 0)
        buf_append_str(missing, "; ");
    buf_append_str(missing, text);
}
