/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"

#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
    [ERR_NONE] = "none",       [ERR_NOT_FOUND] = "not-found",
    [ERR_CORRUPT] = "corrupt", [ERR_UNSUPPORTED] = "unsupported",
    [ERR_DATA] = "data",       [ERR_IO] = "io",
    [ERR_MEMORY] = "memory",   [ERR_BUDGET] = "budget",
    [ERR_HELD] = "held",       [ERR_USAGE] = "usage",
    [ERR_FORM] = "form",       [ERR_CHANGED] = "changed",
    [ERR_PEER] = "peer",       [ERR_SYSTEM] = "system",
};

#define NCODES (sizeof code_names / sizeof code_names[0])

int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
    if (err == NULL)
        return -1;
    err->code = code;
    err->subject[0] = '\0';
    err->what = 0;
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    return -1;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, code, fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
    va_list ap;
    size_t used;

    if (err == NULL)
        return -1;
    va_start(ap, fmt);
    err_vset(err, code, fmt, ap);
    va_end(ap);
    used = strlen(err->msg);
    snprintf(err->msg + used, sizeof err->msg - used, ": %s", strerror(errnum));
    return -1;
}

int err_nomem(struct err *err, const char *what, ...)
{
    char text[ERR_MSG_MAX];
    va_list ap;

    va_start(ap, what);
    vsnprintf(text, sizeof text, what, ap);
    va_end(ap);
    return err_set(err, ERR_MEMORY, "out of memory for %s", text);
}

/* Returns how many bytes were put before the message. */
static size_t put_before(struct err *err, const char *fmt, va_list ap)
{
    char old[ERR_MSG_MAX];
    size_t used;

    memcpy(old, err->msg, sizeof old);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    used = strlen(err->msg);
    snprintf(err->msg + used, sizeof err->msg - used, ": %.*s", (int)sizeof old - 1, old);
    return used + strlen(": ");
}

int err_name(struct err *err, const char *subject, ...)
{
    va_list ap;

    if (err == NULL || err->code == ERR_HELD || err->subject[0] != '\0')
        return -1;
    va_start(ap, subject);
    err->what = put_before(err, subject, ap);
    va_end(ap);
    va_start(ap, subject);
    vsnprintf(err->subject, sizeof err->subject, subject, ap);
    va_end(ap);
    return -1;
}

bool err_is_about(const struct err *err, const char *subject, ...)
{
    char text[ERR_SUBJECT_MAX];
    va_list ap;

    va_start(ap, subject);
    vsnprintf(text, sizeof text, subject, ap);
    va_end(ap);
    return strcmp(err->subject, text) == 0;
}

const char *err_what(const struct err *err)
{
    return err->msg + (err->what < strlen(err->msg) ? err->what : 0);
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    size_t used;
    va_list ap;

    if (err == NULL || err->code == ERR_HELD)
        return -1;
    va_start(ap, fmt);
    used = put_before(err, fmt, ap);
    va_end(ap);
    err->what += err->subject[0] != '\0' ? used : 0;
    return -1;
}

bool err_is_of_store(const struct err *err)
{
    return err->code == ERR_DATA || err->code == ERR_UNSUPPORTED || err->code == ERR_CORRUPT ||
           err->code == ERR_NOT_FOUND;
}

const char *err_code_name(enum err_code code)
{
    return (size_t)code < NCODES ? code_names[code] : "system";
}
