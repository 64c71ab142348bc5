/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: how much to make for a read.
 *
 * Only arithmetic on one handle's history; it uses no span and no thread.
 */
#ifndef VCZFS_SERVE_PLAN_H
#define VCZFS_SERVE_PLAN_H

#include "encoderd/format/format.h"

/* The longest span. Longer spans need fewer messages. Shorter spans are still in the processor's
 * cache when the front reads them, and take less of the arena. Measured: 2 MiB is as fast as 4 MiB
 * and takes half the memory. */
#define PLAN_SPAN_MAX UINT64_C(2097152)

/* The shortest span of a sequential reader, and the unit of the row grid: spans double from this to
 * PLAN_SPAN_MAX. */
#define PLAN_SPAN_MIN UINT64_C(262144)

/* The history of a handle's reads. Zero-initialised: no reads yet. */
struct reader {
    uint64_t
        next; /* one past the last byte that it has asked for or been given in its present run */
    unsigned streak; /* consecutive reads that continued the run */
    unsigned skips;  /* consecutive reads that left out a few rows */
};

struct plan_limits {
    uint64_t span_max; /* the most that a span may take, bytes */
    uint64_t skip_max; /* rows that a sequential reader may leave out */
};

struct extent_plan {
    uint64_t begin, end; /* bytes of the file; covers the read's first byte */
    bool sequential;     /* the reader is sequential: work ahead of it is worth doing */
};

/* True if the read continues the reader's run. */
bool plan_continues(const struct reader *reader, const struct stream_layout *layout,
                    const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* Plans for a read of [offset, offset + length) of a file of `size` bytes, and updates the reader's
 * history. A sequential plan ends on a grid of rows that is the same for every reader, so that
 * readers share spans. */
struct extent_plan plan_read(struct reader *reader, const struct stream_layout *layout,
                             uint64_t size, const struct plan_limits *limits, uint64_t offset,
                             uint64_t length);

/* Only what was asked for, in the smallest unit that the format can make. */
struct extent_plan plan_exact(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* The same, but only the first row's part, if parts of a row can be made and the read is in two
 * rows. The bytes of two rows may come from all chunks along the samples; those of one row come
 * only from the chunks of the samples in them. A read of three rows has one row completely, which
 * needs all the chunks anyway: answering row by row would only add tries. */
struct extent_plan plan_in_row(const struct stream_layout *layout, uint64_t size,
                               const struct plan_limits *limits, uint64_t offset, uint64_t length);

/* The span of full length that follows one that ended at `begin` (< size). */
struct extent_plan plan_ahead(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t begin);

#endif
