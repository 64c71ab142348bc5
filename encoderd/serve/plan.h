/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: how much to make for a read.
 *
 * Pure arithmetic on one handle's history; knows no span, no thread.
 */
#ifndef VCZFS_SERVE_PLAN_H
#define VCZFS_SERVE_PLAN_H

#include "encoderd/format/format.h"

/* The longest span. Longer ones cost fewer questions, shorter ones are still in the processor's
 * cache when the front reads them, and take less of the arena: measured, 2 MiB is as fast as 4 and
 * takes half the memory. */
#define PLAN_SPAN_MAX UINT64_C(2097152)

/* The shortest that a reader who reads on gets, and the unit of the row grid: spans double from
 * there to PLAN_SPAN_MAX. */
#define PLAN_SPAN_MIN UINT64_C(262144)

/* What a handle has been doing. Zero-initialised: nothing yet. */
struct reader {
    uint64_t
        next; /* one past the furthest byte it has asked for or been given in its present run */
    unsigned streak; /* reads in a row that went on from where the run was */
    unsigned skips;  /* reads in a row that left out a few rows, and no more */
};

struct plan_limits {
    uint64_t span_max; /* the most that a span may take, bytes */
    uint64_t skip_max; /* rows that a reader may leave out and still be reading on */
};

struct extent_plan {
    uint64_t begin, end; /* bytes of the file; covers the read's first byte */
    bool sequential;     /* the reader is reading on: work ahead of it is worth it */
};

/* Does a read go on from the reader's run? */
bool plan_continues(const struct reader *reader, const struct stream_layout *layout,
                    const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* Plans for a read of [offset, offset + length) of a file of `size` bytes and updates the reader's
 * history. A sequential plan ends on a grid of rows that is the same for every reader, so that
 * readers share spans. */
struct extent_plan plan_read(struct reader *reader, const struct stream_layout *layout,
                             uint64_t size, const struct plan_limits *limits, uint64_t offset,
                             uint64_t length);

/* Exactly what was asked for, in the least unit that the format can make. */
struct extent_plan plan_exact(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* Of that what lies in the first row, where parts of a row can be made and there are two rows:
 * their bytes are made of chunks all along the samples, those of one row need no chunk but their
 * own. Of three rows one is asked for whole, and needs them all: to answer row by row would only
 * take as many tries as there are rows. */
struct extent_plan plan_in_row(const struct stream_layout *layout, uint64_t size,
                               const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* The span that follows one that ended at `begin` (< size), at full length. */
struct extent_plan plan_ahead(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t begin);

#endif
