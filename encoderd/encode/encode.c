/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode.h"

#include "encoderd/encode/cell_need.h"
#include "encoderd/encode/encode_genotype.h"
#include "encoderd/encode/encode_phase.h"

#include <stdlib.h>
#include <string.h>

void encode_begin(const struct format_view *format, const struct encode_target *target)
{
    if (!encode_chunks_meet_at_bytes(format))
        memset(target->out, 0, target->end - target->begin);
    if (target->begin < format->layout.header_nbytes)
        format->format->header(format, target->begin,
                               size_min(target->end, format->layout.header_nbytes), target->out);
}

static int finish_row(const struct format_view *format, const struct encode_target *target,
                      const struct row_facts *facts, struct encode_worker *worker, struct err *err)
{
    struct row_facts with_site = *facts;
    struct site site;

    if (format->wants_sites) {
        if (encode_worker_sites(worker, format->selection->vcz, err) == NULL ||
            sites_get(worker->sites, facts->variant, &site, err) != 0)
            return -1;
        with_site.site = &site;
    }
    return format->format->finish_row(
        format, &with_site, target->out + (encode_row_offset(format, facts->row) - target->begin),
        err);
}

/* Does what follows the last cell: the format finishes its whole rows. */
static int put_end(const struct format_view *format, const struct encode_target *target,
                   struct encode_worker *worker, struct err *err)
{
    const bool phase_known = format->wants_phase && format->selection->vcz->phased != NULL;
    struct encode_grid grid;
    struct row_cursor row;

    if (format->format->finish_row == NULL)
        return 0;
    encode_grid(format, target, &grid);
    row = row_map_from(&format->selection->rows, grid.row_begin);
    for (; row.at.index < grid.row_end; row_cursor_next(&row)) {
        const struct row_notes *notes =
            target->notes == NULL ? NULL : &target->notes[row.at.index - grid.row_begin];
        const struct row_facts facts = {
            .row = row.at.index,
            .variant = row.at.variant,
            .phased = phase_known && notes->phase_seen == PHASE_YES,
            .sums = notes == NULL ? NULL : &notes->sums,
        };

        if (phase_known && notes->phase_seen == (PHASE_YES | PHASE_NO)) {
            worker->nmixed++;
            worker->last_mixed = facts.variant;
        }

        if (finish_row(format, target, &facts, worker, err) != 0)
            return -1;
    }
    return 0;
}

enum need encode_end_need(const struct format_view *format, const struct encode_target *target,
                          struct encode_worker *worker, struct cell_need *need, struct err *err)
{
    struct sites_need sites = {.need = &need->chunks};
    struct encode_grid grid;
    struct row_cursor row;

    if (format->format->finish_row == NULL || !format->wants_sites)
        return NEED_THERE;
    sites.reader = encode_worker_sites(worker, format->selection->vcz, err);
    if (sites.reader == NULL)
        return NEED_FAILED;
    encode_grid(format, target, &grid);
    row = row_map_from(&format->selection->rows, grid.row_begin);
    for (; row.at.index < grid.row_end; row_cursor_next(&row))
        sites_need_add(&sites, row.at.variant, err);
    return sites.answer;
}

static int run_cell(const struct format_view *format, const struct encode_target *target,
                    const struct encode_cell *cell, struct encode_worker *worker, struct err *err)
{
    switch (cell->kind) {
    case CELL_PHASED:
        return encode_phased_cell(format, target, cell, worker, err);
    case CELL_END:
        return put_end(format, target, worker, err);
    default:
        return encode_genotype_cell(format, target, cell, worker, err);
    }
}

int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker,
                const struct cell_need *need, struct err *err)
{
    int failed;

    encode_worker_use(worker, need == NULL ? NULL : &need->chunks);
    failed = run_cell(format, target, cell, worker, err);
    encode_worker_use(worker, NULL);
    encode_worker_rest(worker);
    return failed;
}

static int encode_cells(const struct format_view *format, const struct encode_target *target,
                        const struct encode_grid *grid, struct encode_worker *worker,
                        struct err *err)
{
    encode_begin(format, target);
    for (uint64_t i = 0; i < encode_ncells(grid); i++) {
        const struct encode_cell cell = encode_cell_at(grid, i);

        if (encode_cell(format, target, &cell, worker, NULL, err) != 0)
            return -1;
    }
    return put_end(format, target, worker, err);
}

int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err)
{
    struct encode_target with_notes = *target;
    struct encode_grid grid;
    uint64_t nnotes;
    int result;

    encode_grid(format, target, &grid);
    nnotes = encode_nnotes(format, &grid);
    with_notes.notes = nnotes > 0 ? calloc(nnotes, sizeof *with_notes.notes) : NULL;
    if (nnotes > 0 && with_notes.notes == NULL)
        return err_nomem(err, "the notes on a span");
    result = encode_cells(format, &with_notes, &grid, worker, err);
    free(with_notes.notes);
    return result;
}
