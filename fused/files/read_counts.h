/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_counts: counts reads that were served or failed, and how long they took, and keeps the last
 * complaint. Times are milliseconds of any steady clock.
 */
#ifndef VCZFS_FUSED_FILES_READ_COUNTS_H
#define VCZFS_FUSED_FILES_READ_COUNTS_H

#include "common/err.h"
#include "fused/files/latency.h"

#include <stddef.h>

/* Zero-initialise. */
struct read_counts {
    struct latency latency; /* of served reads; its count is their number */
    uint64_t bytes;         /* of these */
    uint64_t nfailed;
    uint64_t failed_at;           /* last failure other than an interruption; 0: none */
    char last_error[ERR_MSG_MAX]; /* "": none */
    uint64_t last_error_at;
    char complaint[160]; /* its first bytes */
    uint64_t complained; /* when */
};

void read_counts_served(struct read_counts *counts, size_t nbytes, uint64_t us);
void read_counts_failed(struct read_counts *counts, int errnum, uint64_t now);

/* Logs an error, and keeps it for the status. */
void __attribute__((format(printf, 3, 4)))
read_counts_report(struct read_counts *counts, uint64_t now, const char *fmt, ...);

/* Logs what the encoder says about a file, but the same text at most once a second. */
void read_counts_complain(struct read_counts *counts, uint64_t now, const char *name,
                          const char *text);

#endif
