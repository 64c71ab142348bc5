/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_counts: how many reads were served and failed, how long they took, and what was last said
 * about one. Times are milliseconds of any steady clock.
 */
#ifndef VCZFS_FUSED_FILES_READ_COUNTS_H
#define VCZFS_FUSED_FILES_READ_COUNTS_H

#include "common/err.h"
#include "fused/files/latency.h"

#include <stddef.h>

/* Zero-initialise. */
struct read_counts {
    struct latency latency; /* of reads that were served; counts them */
    uint64_t bytes;         /* of these */
    uint64_t nfailed;
    uint64_t failed_at;           /* the last that failed but for those interrupted; 0: none */
    char last_error[ERR_MSG_MAX]; /* "": none */
    uint64_t last_error_at;
    char complaint[160]; /* the beginning of the last one */
    uint64_t complained; /* when */
};

void read_counts_served(struct read_counts *counts, size_t nbytes, uint64_t us);
void read_counts_failed(struct read_counts *counts, int errnum, uint64_t now);

/* Logs it as an error, and remembers it for the status. */
void __attribute__((format(printf, 3, 4)))
read_counts_report(struct read_counts *counts, uint64_t now, const char *fmt, ...);

/* Reports what the encoder says about a file, but the same at most once a second. */
void read_counts_complain(struct read_counts *counts, uint64_t now, const char *name,
                          const char *text);

#endif
