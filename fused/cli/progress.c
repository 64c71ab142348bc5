/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/progress.h"

#include "common/log.h"
#include "common/printable.h"
#include "fused/process/clock.h"
#include "proto/proto.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 300 /* shorter opens show nothing */
#define REFRESH_MS  100
#define PACE_MS     500 /* before that the speed is not known */

void progress_init(struct progress *progress)
{
    memset(progress, 0, sizeof *progress);
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->begun = clock_ms();
}

/* ", 5 min left", or "" while the speed is not known. */
static const char *time_left(const struct progress *progress, uint64_t now, uint64_t done,
                             char *buf, size_t buf_size)
{
    const uint64_t elapsed = now - progress->since;
    double seconds;

    buf[0] = '\0';
    if (done == 0 || done >= progress->total || elapsed < PACE_MS)
        return buf;
    seconds = (double)elapsed / 1000 * (double)(progress->total - done) / (double)done;
    if (seconds < 90)
        snprintf(buf, buf_size, ", %.0f s left", seconds);
    else if (seconds < 90 * 60.0)
        snprintf(buf, buf_size, ", %.0f min left", seconds / 60);
    else
        snprintf(buf, buf_size, ", %.0f h left", seconds / 3600);
    return buf;
}

void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t total)
{
    uint64_t now = clock_ms();
    char safe[64], left[48];

    if (total != progress->total) {
        progress->total = total;
        progress->since = now;
    }
    if (!progress->terminal || now - progress->begun < PATIENCE_MS ||
        (progress->shown && now - progress->last < REFRESH_MS))
        return;
    snprintf(safe, sizeof safe, "%s", what);
    printable(safe, strlen(safe));
    fprintf(stderr, "\rvczfs: %s: %3.0f%%%s\033[K", safe,
            total > 0 ? 100.0 * (double)done / (double)total : 100.0,
            time_left(progress, now, done, left, sizeof left));
    progress->shown = true;
    progress->last = now;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

void progress_warn(struct progress *progress, const char *text)
{
    char safe[PROTO_STRING_MAX + 1];

    snprintf(safe, sizeof safe, "%s", text);
    printable(safe, strlen(safe));
    progress_clear(progress);
    fprintf(stderr, "vczfs: warning: %s\n", safe);
    if (!log_is_stderr())
        log_warning("%s", safe);
}
