/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_map: which store, variant and allele each output row shows.
 *
 * Only this file counts rows and turns rows into variants, so that a view of several stores, or one
 * with a row for each allele of a site, needs a change only here. Today a view has one store, and
 * each variant that is shown has one row.
 */
#ifndef VCZFS_SELECT_ROW_MAP_H
#define VCZFS_SELECT_ROW_MAP_H

#include "encoderd/select/rows.h"

/* Rows ascend by store, variant and allele. */
struct output_row {
    uint64_t index;   /* the row */
    uint64_t variant; /* of the store */
    uint32_t store;   /* of the view */
    uint32_t allele;  /* the number of the allele that is shown as ALT; REF is 0 */
};

struct row_map {
    struct rows kept; /* of store 0 */
};

/* The rows of one store: all variants (owns nothing), or those kept (takes ownership of `kept`). */
void row_map_init_all(struct row_map *map, uint64_t nvariants);
void row_map_init(struct row_map *map, struct rows *kept);
void row_map_free(struct row_map *map);

static inline uint64_t row_map_nrows(const struct row_map *map)
{
    return map->kept.nrows;
}

/* Row `row` (< nrows). */
struct output_row row_map_at(const struct row_map *map, uint64_t row);

/* The first row of this variant or of a later one; nrows if there is none. */
uint64_t row_map_lower_bound(const struct row_map *map, uint32_t store, uint64_t variant);

/* Is there a row of this variant? */
bool row_map_shows(const struct row_map *map, uint32_t store, uint64_t variant);

/* Rows one after another. */
struct row_cursor {
    const struct row_map *map; /* borrowed */
    /* at.index is nrows at the end; the other fields are then not valid */
    struct output_row at;
};

/* At row `row` (<= nrows). */
struct row_cursor row_map_from(const struct row_map *map, uint64_t row);

static inline void row_cursor_next(struct row_cursor *cursor)
{
    cursor->at.index++;
    cursor->at.variant = rows_next(&cursor->map->kept, cursor->at.variant + 1);
}

/* Saves the rows for an encoder that is started again: see rows_save, rows_write and rows_read. */
int row_map_save(const struct row_map *map, int *fd, struct err *err);
int row_map_write(const struct row_map *map, int fd, struct err *err);
int row_map_read(struct row_map *map, uint64_t nvariants, const uint8_t *data, uint64_t size,
                 struct err *err);

#endif
