/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/holes_grid.h"

#include "common/size.h"
#include "encoderd/vcz/holes_state.h"

#include <string.h>

static int look_cell(const struct vcz *vcz, struct chunk_table *table, uint64_t v, uint64_t s,
                     struct hole_cell *cell, struct err *err)
{
    uint64_t index[ZARR_DIMS_MAX] = {v, s};
    bool stored;

    for (; index[2] < vcz->genotype->meta.nchunks[2]; index[2]++) {
        if (chunk_is_stored(table, vcz->genotype, index, &stored, err) != 0)
            return -1;
        if (stored)
            cell->nstored++;
        else
            cell->nabsent++;
    }
    return 0;
}

int holes_look_row(const struct vcz *vcz, struct chunk_table *table, uint64_t v,
                   struct hole_cell *row, struct err *err)
{
    *row = (struct hole_cell){0};
    for (uint64_t s = 0; s < vcz->genotype->meta.nchunks[1]; s++)
        if (look_cell(vcz, table, v, s, row, err) != 0)
            return -1;
    return 0;
}

int holes_look_column(const struct vcz *vcz, uint64_t s, uint64_t *left, bool *stored,
                      struct err *err)
{
    AUTO_TABLE struct chunk_table *table = chunk_table_new(err);
    struct hole_cell cell = {0};

    for (uint64_t v = 0; v < vcz->genotype->meta.nchunks[0] && cell.nstored == 0; v++) {
        if (*left == 0) {
            *stored = true;
            return 0;
        }
        --*left;
        if (look_cell(vcz, table, v, s, &cell, err) != 0)
            return -1;
    }
    *stored = cell.nstored > 0;
    return 0;
}

const char *holes_fill_text(const struct zarr_meta *meta)
{
    uint64_t value = 0;

    memcpy(&value, meta->fill, size_min(meta->dtype.size, sizeof value));
    if (value == 0)
        return "homozygous for the reference";
    return (meta->fill[meta->dtype.size - 1] & 0x80) != 0 ? "missing" : "of the fill value";
}
