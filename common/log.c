/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include "common/printable.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* Global, because the log belongs to the whole process. main sets it before other threads exist;
 * afterwards it is only read. */
static struct {
    const char *program;
    enum log_level level;
    int fd;
    atomic_uint nlost; /* lines that nobody took */
} log_to = {"vczfs", LOG_LEVEL_INFO, STDERR_FILENO, 0};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_init(const char *program, enum log_level level, int fd)
{
    log_to.program = program;
    log_to.level = level;
    log_to.fd = fd;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return level <= log_to.level;
}

bool log_is_stderr(void)
{
    return log_to.fd == STDERR_FILENO;
}

/* Each line is one write(2), so that lines of several threads and processes never mix. It does not
 * wait, because a terminal stopped with ^S, a pipe that nobody reads or a full disk must not stop a
 * mount. */
static bool put(const char *line, size_t n)
{
    struct pollfd out = {.fd = log_to.fd, .events = POLLOUT};

    return poll(&out, 1, 0) > 0 && (out.revents & POLLOUT) != 0 && write(log_to.fd, line, n) >= 0;
}

static void log_line(enum log_level level, const char *fmt, va_list ap)
{
    char line[2048], lost[64] = "";
    unsigned nlost;
    struct timespec now;
    struct tm tm;
    size_t at;
    int n;

    if (!log_enabled(level))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    at = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    nlost = atomic_exchange(&log_to.nlost, 0);
    if (nlost > 0)
        snprintf(lost, sizeof lost, "(%u lines before this one were lost) ", nlost);
    n = snprintf(line + at, sizeof line - at, ".%03ldZ %s[%d] %s: %s", now.tv_nsec / 1000000,
                 log_to.program, (int)getpid(), level_names[level], lost);
    at += (size_t)n;
    n = vsnprintf(line + at, sizeof line - at - 1, fmt, ap);
    if (n > 0)
        printable(line + at, strlen(line + at));
    at += n < 0 ? 0 : (size_t)n;
    if (at > sizeof line - 2)
        at = sizeof line - 2;
    line[at++] = '\n';
    if (!put(line, at))
        atomic_fetch_add(&log_to.nlost, nlost + 1);
}

#define DEFINE_LOG(name, level)                                                                    \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        log_line(level, fmt, ap);                                                                  \
        va_end(ap);                                                                                \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
