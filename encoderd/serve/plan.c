/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/plan.h"

#include "common/size.h"

/* The kernel's read-ahead arrives slightly out of order. A read still continues the run if it
 * begins within RUN_LENGTHS times its own length of the run's end, but no further than
 * RUN_SLACK_MAX. Read-ahead consists of long reads. A short read nearby is a random reader's, for
 * which no more than it asks for should be made. */
#define RUN_LENGTHS   8
#define RUN_SLACK_MAX UINT64_C(1048576)
/* How far back a late read may begin, once the run is certain. */
#define RUN_BACK_MAX UINT64_C(5242880)
/* The streak from which a run is certain. */
#define RUN_SURE 3
/* A reader who reads the beginning of each variant, or of every third, reads little in distant
 * places. But making the rows between costs less than decoding the same blocks again for each row.
 * After this many such steps it is a run. */
#define SKIPS_SURE 4

static uint64_t row_begin(const struct stream_layout *layout, uint64_t row)
{
    return layout->header_nbytes + row * layout->row_nbytes;
}

/* The row that holds byte `offset`; header bytes belong to row 0. */
static uint64_t row_of(const struct stream_layout *layout, uint64_t offset)
{
    return offset < layout->header_nbytes ? 0
                                          : (offset - layout->header_nbytes) / layout->row_nbytes;
}

/* Rows between grid lines for spans of at most about `nbytes`. A grid of longer spans is part of
 * each grid of shorter ones. */
static uint64_t grid_rows(const struct stream_layout *layout, uint64_t nbytes)
{
    uint64_t rows = size_max(1, PLAN_SPAN_MIN / layout->row_nbytes);

    while (rows * 2 * layout->row_nbytes <= nbytes)
        rows *= 2;
    return rows;
}

/* From `begin` to the next grid line of spans of `nbytes`. */
static struct extent_plan to_grid(const struct stream_layout *layout, uint64_t size,
                                  const struct plan_limits *limits, uint64_t begin, uint64_t nbytes)
{
    const uint64_t rows = grid_rows(layout, size_min(nbytes, limits->span_max));
    const uint64_t line = (row_of(layout, begin) / rows + 1) * rows;
    uint64_t end = row_begin(layout, size_min(line, layout->nrows));

    if (end - begin > limits->span_max && layout->samples_per_byte != 0)
        end = begin + limits->span_max;
    else if (end - begin > limits->span_max && begin < layout->header_nbytes)
        end = size_min(begin + limits->span_max, layout->header_nbytes);
    return (struct extent_plan){begin, size_min(end, size), true};
}

struct extent_plan plan_exact(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t offset, uint64_t length)
{
    uint64_t end = offset + size_min(length, size_min(size - offset, limits->span_max));
    uint64_t begin = offset;

    if (layout->samples_per_byte == 0 && end > layout->header_nbytes) {
        const uint64_t most = size_max(1, limits->span_max / layout->row_nbytes);
        const uint64_t first = row_of(layout, begin);
        const uint64_t last = size_min(row_of(layout, end - 1), first + most - 1);

        /* Any part of a header can be made, but of a row that is made whole, only all. */
        begin = begin < layout->header_nbytes ? begin : row_begin(layout, first);
        end = row_begin(layout, last + 1);
    }
    return (struct extent_plan){begin, end, false};
}

struct extent_plan plan_in_row(const struct stream_layout *layout, uint64_t size,
                               const struct plan_limits *limits, uint64_t offset, uint64_t length)
{
    struct extent_plan plan = plan_exact(layout, size, limits, offset, length);
    const uint64_t next_row = row_of(layout, offset) + 1;

    if (layout->samples_per_byte != 0 && row_of(layout, plan.end - 1) == next_row)
        plan.end = row_begin(layout, next_row);
    return plan;
}

struct extent_plan plan_ahead(const struct stream_layout *layout, uint64_t size,
                              const struct plan_limits *limits, uint64_t begin)
{
    return to_grid(layout, size, limits, begin, PLAN_SPAN_MAX);
}

/* True if at least one byte, and at most a few rows, are left out between the run's end and the row
 * in which the read ends. */
static bool skips_rows(const struct reader *reader, const struct stream_layout *layout,
                       const struct plan_limits *limits, uint64_t offset, uint64_t length)
{
    /* If a part of a row can be made, random reads cost less. */
    const uint64_t most = layout->samples_per_byte == 0 ? limits->skip_max : limits->skip_max / 2;

    return reader->next != 0 && offset > reader->next &&
           row_of(layout, offset + length - 1) - row_of(layout, reader->next) <= most;
}

/* If the first bytes of a read were there already, the kernel may ask for the rest, however short,
 * after later reads. That still continues a certain run. */
bool plan_continues(const struct reader *reader, const struct stream_layout *layout,
                    const struct plan_limits *limits, uint64_t offset, uint64_t length)
{
    const uint64_t slack = length < RUN_SLACK_MAX / RUN_LENGTHS ? length * RUN_LENGTHS
                                                                : size_max(RUN_SLACK_MAX, length);
    const uint64_t back = reader->streak < RUN_SURE ? slack : size_max(slack, RUN_BACK_MAX);

    if (reader->next == 0)
        return false;
    if (reader->skips >= SKIPS_SURE && skips_rows(reader, layout, limits, offset, length))
        return true;
    return offset + back >= reader->next && offset <= reader->next + slack;
}

struct extent_plan plan_read(struct reader *reader, const struct stream_layout *layout,
                             uint64_t size, const struct plan_limits *limits, uint64_t offset,
                             uint64_t length)
{
    struct extent_plan plan = plan_exact(layout, size, limits, offset, length);
    const bool skips = skips_rows(reader, layout, limits, offset, length);

    if (skips)
        reader->skips += reader->skips < SKIPS_SURE;
    if (!plan_continues(reader, layout, limits, offset, length)) {
        if (!skips)
            reader->skips = 0;
        reader->streak = 0;
        reader->next = plan.end;
        return plan;
    }
    if (offset + length > reader->next)
        reader->streak++;
    if (reader->streak > 0) {
        const unsigned doublings = reader->streak > 4 ? 3 : reader->streak - 1;

        plan = to_grid(layout, size, limits, plan.begin, PLAN_SPAN_MIN << doublings);
    }
    reader->next = size_max(reader->next, plan.end);
    return plan;
}
