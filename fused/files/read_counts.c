/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/read_counts.h"

#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUIET_MS 1000 /* ms between two log lines of the same complaint */

void read_counts_served(struct read_counts *counts, size_t nbytes, uint64_t us)
{
    counts->bytes += nbytes;
    latency_add(&counts->latency, us);
}

void read_counts_failed(struct read_counts *counts, int errnum, uint64_t now)
{
    counts->nfailed++;
    if (errnum != EINTR) /* an interrupted reader is no failure */
        counts->failed_at = now;
}

void read_counts_report(struct read_counts *counts, uint64_t now, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(counts->last_error, sizeof counts->last_error, fmt, ap);
    va_end(ap);
    counts->last_error_at = now;
    log_error("%s", counts->last_error);
}

void read_counts_complain(struct read_counts *counts, uint64_t now, const char *name,
                          const char *text)
{
    if (strncmp(text, counts->complaint, sizeof counts->complaint - 1) == 0 &&
        now - counts->complained < QUIET_MS)
        return;
    read_counts_report(counts, now, "%s: %s", name, text);
    strncpy(counts->complaint, text, sizeof counts->complaint - 1);
    counts->complained = now;
}
