/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/row_map.h"

/* No site that is shown has more than one ALT. */
#define ONLY_STORE 0
#define ONLY_ALT   1

void row_map_init_all(struct row_map *map, uint64_t nvariants)
{
    rows_init_all(&map->kept, nvariants);
}

void row_map_init(struct row_map *map, struct rows *kept)
{
    map->kept = *kept;
    *kept = (struct rows){0};
}

void row_map_free(struct row_map *map)
{
    rows_free(&map->kept);
}

struct output_row row_map_at(const struct row_map *map, uint64_t row)
{
    return (struct output_row){.index = row,
                               .variant = rows_variant(&map->kept, row),
                               .store = ONLY_STORE,
                               .allele = ONLY_ALT};
}

uint64_t row_map_lower_bound(const struct row_map *map, uint32_t store, uint64_t variant)
{
    return store > ONLY_STORE ? map->kept.nrows : rows_lower_bound(&map->kept, variant);
}

bool row_map_shows(const struct row_map *map, uint32_t store, uint64_t variant)
{
    const uint64_t row = row_map_lower_bound(map, store, variant);

    return row < map->kept.nrows && rows_variant(&map->kept, row) == variant;
}

struct row_cursor row_map_from(const struct row_map *map, uint64_t row)
{
    struct row_cursor cursor = {.map = map, .at = {.index = row, .variant = map->kept.nvariants}};

    if (row < map->kept.nrows)
        cursor.at = row_map_at(map, row);
    return cursor;
}

int row_map_save(const struct row_map *map, int *fd, struct err *err)
{
    return rows_save(&map->kept, fd, err);
}

int row_map_write(const struct row_map *map, int fd, struct err *err)
{
    return rows_write(&map->kept, fd, err);
}

int row_map_read(struct row_map *map, uint64_t nvariants, const uint8_t *data, uint64_t size,
                 struct err *err)
{
    return rows_read(&map->kept, nvariants, data, size, err);
}
