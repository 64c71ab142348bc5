/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_order: brings elements from any order of axes into C order, in the temporary file.
 *
 * It works in boxes of elements that fit the windows and are long along the fastest axes of both
 * orders, so that both sides are read and written in runs and not element by element.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"

#include <string.h>

/* The bytes of an element count as one more axis, the fastest in both orders. */
#define AXES_MAX (ZARR_DIMS_MAX + 1)

/* One of the two orders: its axes from the fastest on, and for each axis the step in bytes, in the
 * whole chunk and in the present box. */
struct axes_order {
    unsigned axes[AXES_MAX];
    uint64_t step[AXES_MAX], box_step[AXES_MAX];
};

struct box_walk {
    struct unfold *u;
    unsigned n;
    uint64_t shape[AXES_MAX];
    struct axes_order stored, plain;
    uint64_t box[AXES_MAX];                      /* the largest extent */
    uint64_t origin[AXES_MAX], extent[AXES_MAX]; /* of the box at hand */
};

static void set_steps(const struct box_walk *walk, const struct axes_order *order,
                      const uint64_t *extent, uint64_t *step)
{
    uint64_t product = 1;

    for (unsigned i = 0; i < walk->n; i++) {
        step[order->axes[i]] = product;
        product *= extent[order->axes[i]];
    }
}

/* Makes the box longer along the order's fastest axes, until its runs have `target` bytes or it has
 * no more room. */
static void grow(struct box_walk *walk, const struct axes_order *order, uint64_t target)
{
    uint64_t volume = 1, run = 1;

    for (unsigned a = 0; a < walk->n; a++)
        volume *= walk->box[a];
    for (unsigned i = 0; i < walk->n && run < target; i++) {
        const unsigned a = order->axes[i];
        const uint64_t others = volume / walk->box[a];
        const uint64_t most = size_min(walk->u->room / others, walk->shape[a]);

        walk->box[a] = size_max(walk->box[a], size_min(most, size_div_up(target, run)));
        volume = others * walk->box[a];
        run *= walk->box[a];
        if (walk->box[a] < walk->shape[a])
            return;
    }
}

static void choose_box(struct box_walk *walk)
{
    const uint64_t room = walk->u->room;
    uint64_t side = 1;

    while (side * side < room)
        side *= 2;
    for (unsigned a = 0; a < walk->n; a++)
        walk->box[a] = 1;
    grow(walk, &walk->stored, side);
    grow(walk, &walk->plain, side);
    grow(walk, &walk->stored, room);
    grow(walk, &walk->plain, room);
}

/* One step of a counter over the axes order->axes[first ...]; false when it is back at the
 * beginning. */
static bool advance(const struct box_walk *walk, const struct axes_order *order, unsigned first,
                    uint64_t *index)
{
    for (unsigned i = first; i < walk->n; i++) {
        const unsigned a = order->axes[i];

        if (++index[a] < walk->extent[a])
            return true;
        index[a] = 0;
    }
    return false;
}

/* Reads the box into `in`, or writes it from `out`, run by run. */
static int move_runs(const struct box_walk *walk, const struct axes_order *order, bool reading,
                     struct err *err)
{
    struct unfold *u = walk->u;
    uint8_t *at = reading ? u->in : u->out;
    uint64_t index[AXES_MAX] = {0}, run = 1;
    unsigned first = 0, a;

    do {
        a = order->axes[first++];
        run *= walk->extent[a];
    } while (first < walk->n && walk->extent[a] == walk->shape[a]);
    do {
        uint64_t offset = 0;

        for (a = 0; a < walk->n; a++)
            offset += (walk->origin[a] + index[a]) * order->step[a];
        if ((reading ? unfold_read(u, offset, at, (size_t)run, err)
                     : spill_write(u->entry, UNFOLD_NEXT, offset, at, (size_t)run, err)) != 0)
            return -1;
        at += run;
    } while (advance(walk, order, first, index));
    return 0;
}

/* From `in` to `out`. */
static void turn_box(const struct box_walk *walk)
{
    const uint64_t size = walk->extent[walk->n - 1];
    const unsigned fast = walk->plain.axes[1];
    const uint64_t n = walk->extent[fast], step = walk->stored.box_step[fast];
    uint64_t index[AXES_MAX] = {0};
    uint8_t *to = walk->u->out;

    do {
        const uint8_t *from = walk->u->in;

        for (unsigned a = 0; a < walk->n; a++)
            from += index[a] * walk->stored.box_step[a];
        if (size == 1)
            for (uint64_t k = 0; k < n; k++)
                *to++ = from[k * step];
        else
            for (uint64_t k = 0; k < n; k++, to += size)
                memcpy(to, from + k * step, size);
    } while (advance(walk, &walk->plain, 2, index));
}

static int move_box(struct box_walk *walk, struct err *err)
{
    for (unsigned a = 0; a < walk->n; a++)
        walk->extent[a] = size_min(walk->box[a], walk->shape[a] - walk->origin[a]);
    set_steps(walk, &walk->stored, walk->extent, walk->stored.box_step);
    if (move_runs(walk, &walk->stored, true, err) != 0)
        return -1;
    turn_box(walk);
    return move_runs(walk, &walk->plain, false, err);
}

static bool next_box(struct box_walk *walk)
{
    for (unsigned a = walk->n; a > 0; a--) {
        walk->origin[a - 1] += walk->box[a - 1];
        if (walk->origin[a - 1] < walk->shape[a - 1])
            return true;
        walk->origin[a - 1] = 0;
    }
    return false;
}

int unfold_order(struct unfold *u, unsigned ndim, const uint64_t *shape, const uint8_t *axes,
                 uint64_t size, struct err *err)
{
    struct box_walk walk = {.u = u, .n = ndim + 1};

    walk.stored.axes[0] = walk.plain.axes[0] = ndim;
    walk.shape[ndim] = size;
    for (unsigned d = 0; d < ndim; d++) {
        walk.shape[d] = shape[d];
        walk.stored.axes[ndim - d] = axes[d];
        walk.plain.axes[ndim - d] = d;
    }
    set_steps(&walk, &walk.stored, walk.shape, walk.stored.step);
    set_steps(&walk, &walk.plain, walk.shape, walk.plain.step);
    choose_box(&walk);
    if (unfold_begin(u, u->length, err) != 0)
        return -1;
    do {
        if (move_box(&walk, err) != 0)
            return -1;
    } while (next_box(&walk));
    return unfold_end(u);
}
