/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

uint8_t *buf_reserve(struct buf *buf, size_t more)
{
    size_t need, cap;
    uint8_t *data;

    if (buf->failed || __builtin_add_overflow(buf->len, more, &need) || need > SIZE_MAX / 2) {
        buf->failed = true;
        return NULL;
    }
    if (need <= buf->cap && buf->data != NULL)
        return buf->data + buf->len;
    cap = buf->cap < 256 ? 256 : buf->cap;
    while (cap < need)
        cap += cap / 2;
    data = realloc(buf->data, cap);
    if (data == NULL) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->cap = cap;
    return data + buf->len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    uint8_t *to = buf_reserve(buf, len);

    if (to == NULL || len == 0)
        return;
    memcpy(to, data, len);
    buf->len += len;
}

void buf_append_str(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_append_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_append(buf, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list ap, again;
    uint8_t *to;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        buf->failed = true;
    to = n < 0 ? NULL : buf_reserve(buf, (size_t)n + 1);
    if (to != NULL) {
        vsnprintf((char *)to, (size_t)n + 1, fmt, again);
        buf->len += (size_t)n;
    }
    va_end(again);
}
