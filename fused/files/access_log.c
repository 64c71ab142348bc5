/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/access_log.h"

#include "common/json_text.h"
#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_BYTES   65536
#define WAITING_BYTES (1 << 20) /* the most that may wait for a slow reader of a pipe */

struct access_log {
    int fd; /* owned */
    struct buf lines;
    struct event *flush; /* pending while lines wait */
    bool broken;         /* a write failed; said once */
};

static void give_up(struct access_log *log, const char *why)
{
    log_error("cannot write the access log: %s; it is not kept any more", why);
    log->broken = true;
}

static const struct timeval flush_after = {.tv_sec = 1};

/* Keeps the bytes that could not be written for the next write. */
static void keep_from(struct access_log *log, size_t done)
{
    const size_t rest = log->lines.len - done;

    if (done > 0)
        memmove(log->lines.data, log->lines.data + done, rest);
    log->lines.len = rest;
    if (rest >= WAITING_BYTES)
        give_up(log, "whoever reads it does not keep up");
    else
        event_add(log->flush, &flush_after);
}

/* How many of the first `done` bytes belong to a line that does not end within them. */
static size_t unfinished(const struct buf *lines, size_t done)
{
    size_t end = done;

    while (end > 0 && lines->data[end - 1] != '\n')
        end--;
    return done - end;
}

/* If the disk was full in the middle of a line, removes the beginning of that line from the file.
 * It stays if the file is a pipe, or if another process has appended since. */
static void take_back(const struct access_log *log, size_t done)
{
    const size_t n = unfinished(&log->lines, done);
    const off_t at = lseek(log->fd, 0, SEEK_CUR);
    struct stat st;

    if (n > 0 && at >= (off_t)n && fstat(log->fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size == at && ftruncate(log->fd, at - (off_t)n) != 0)
        log_debug("the access log ends with half a line: %s", strerror(errno));
}

static void flush_lines(struct access_log *log)
{
    size_t done = 0;

    if (log->lines.failed)
        give_up(log, "out of memory");
    while (!log->broken && done < log->lines.len) {
        ssize_t n = write(log->fd, log->lines.data + done, log->lines.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            keep_from(log, done);
            if (!log->broken)
                return;
            break;
        }
        if (n < 0) {
            const int why = errno;

            take_back(log, done);
            give_up(log, strerror(why));
        } else {
            done += (size_t)n;
        }
    }
    buf_reset(&log->lines);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    flush_lines(arg);
}

struct access_log *access_log_new(struct event_base *base, int fd, struct err *err)
{
    struct access_log *log = calloc(1, sizeof *log);

    if (log != NULL)
        log->flush = evtimer_new(base, on_flush, log);
    if (log == NULL || log->flush == NULL) {
        err_nomem(err, "the access log");
        free(log);
        close(fd);
        return NULL;
    }
    log->fd = fd;
    return log;
}

void access_log_free(struct access_log *log)
{
    if (log == NULL)
        return;
    flush_lines(log);
    event_free(log->flush);
    buf_free(&log->lines);
    close(log->fd);
    free(log);
}

static int64_t clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t access_log_now(const struct access_log *log)
{
    return log != NULL ? clock_us() : 0;
}

/* Written by hand, because each read of a program makes a line and printf would cost more than the
 * rest of answering from a lease. */
static void append_number(struct buf *out, const char *key, uint64_t value)
{
    buf_append_str(out, key);
    buf_append_u64(out, value);
}

/* Appends seconds with six digits after the point. */
static void append_time(struct buf *out, const char *key, int64_t us)
{
    char digits[] = ".000000";
    int64_t rest = us % 1000000;

    for (int i = 6; i > 0; i--, rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    append_number(out, key, (uint64_t)(us / 1000000));
    buf_append(out, digits, sizeof digits - 1);
}

void access_log_format(struct buf *out, const struct access_entry *entry, int64_t t_end)
{
    buf_append_str(out, "{\"path\":\"/");
    if (entry->name != NULL)
        json_append_text(out, entry->name);
    append_number(out, "\",\"fh\":", entry->handle);
    append_number(out, ",\"offset\":", entry->offset);
    append_number(out, ",\"size\":", entry->size);
    append_time(out, ",\"t_start\":", entry->t_start);
    append_time(out, ",\"t_end\":", t_end);
    buf_append_str(out, ",\"kind\":\"");
    buf_append_str(out, entry->kind);
    buf_append_char(out, '"');
    if (entry->errnum != 0)
        append_number(out, ",\"errno\":", (uint64_t)entry->errnum);
    buf_append_str(out, "}\n");
}

void access_log_add(struct access_log *log, const struct access_entry *entry)
{
    if (log == NULL || log->broken)
        return;
    if (log->lines.len == 0)
        event_add(log->flush, &flush_after);
    access_log_format(&log->lines, entry, clock_us());
    if (log->lines.len >= FLUSH_BYTES || log->lines.failed)
        flush_lines(log);
}
