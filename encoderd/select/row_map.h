/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_map: which output row is which: of which store, which variant, which of its alleles.
 *
 * Nobody else counts rows or turns rows into variants, so that a view of several stores, or one
 * that splits sites into a row an allele, is a matter of this file. Today a view has one store, and
 * a variant that is shown is one row.
 */
#ifndef VCZFS_SELECT_ROW_MAP_H
#define VCZFS_SELECT_ROW_MAP_H

#include "encoderd/select/rows.h"

/* Rows ascend by store, variant and allele. */
struct output_row {
    uint64_t index;   /* the row */
    uint64_t variant; /* of the store */
    uint32_t store;   /* of the view */
    uint32_t allele;  /* that stands as ALT: its number among the site's, where REF is 0 */
};

struct row_map {
    struct rows kept; /* of store 0 */
};

/* One store's rows: every variant, which owns nothing, or those kept, which are taken. */
void row_map_init_all(struct row_map *map, uint64_t nvariants);
void row_map_init(struct row_map *map, struct rows *kept);
void row_map_free(struct row_map *map);

static inline uint64_t row_map_nrows(const struct row_map *map)
{
    return map->kept.nrows;
}

/* Row `row` (< nrows). */
struct output_row row_map_at(const struct row_map *map, uint64_t row);

/* The first row of this variant or of what comes after it; nrows if there is none. */
uint64_t row_map_lower_bound(const struct row_map *map, uint32_t store, uint64_t variant);

/* Is there a row of this variant? */
bool row_map_shows(const struct row_map *map, uint32_t store, uint64_t variant);

/* Rows one after another. */
struct row_cursor {
    const struct row_map *map; /* borrowed */
    struct output_row at;      /* its index is nrows at the end, and the rest then means nothing */
};

/* At row `row` (<= nrows). */
struct row_cursor row_map_from(const struct row_map *map, uint64_t row);

static inline void row_cursor_next(struct row_cursor *cursor)
{
    cursor->at.index++;
    cursor->at.variant = rows_next(&cursor->map->kept, cursor->at.variant + 1);
}

/* What survives an encoder: see rows_save, rows_write and rows_read. */
int row_map_save(const struct row_map *map, int *fd, struct err *err);
int row_map_write(const struct row_map *map, int fd, struct err *err);
int row_map_read(struct row_map *map, uint64_t nvariants, const uint8_t *data, uint64_t size,
                 struct err *err);

#endif
