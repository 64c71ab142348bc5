/* SPDX-License-Identifier: Apache-2.0 */
/* The row map against a plain list of rows. */
#include "encoderd/select/row_map.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

struct list {
    struct output_row *rows; /* owned */
    uint64_t n;
};

static void same_row(const struct output_row *row, const struct output_row *due)
{
    assert_int_equal(row->index, due->index);
    assert_int_equal(row->variant, due->variant);
    assert_int_equal(row->store, due->store);
    assert_int_equal(row->allele, due->allele);
}

static void check_rows(const struct row_map *map, const struct list *list)
{
    assert_int_equal(row_map_nrows(map), list->n);
    for (uint64_t i = 0; i < list->n; i++) {
        const struct output_row row = row_map_at(map, i);

        same_row(&row, &list->rows[i]);
    }
}

/* From `first` on to the end, or as far as 200 rows. */
static void check_cursor(const struct row_map *map, const struct list *list, uint64_t first)
{
    struct row_cursor cursor = row_map_from(map, first);

    for (uint64_t i = first; i < list->n && i < first + 200; i++, row_cursor_next(&cursor))
        same_row(&cursor.at, &list->rows[i]);
    assert_int_equal(cursor.at.index, first + 200 < list->n ? first + 200 : list->n);
}

static void check_variants(const struct row_map *map, const struct list *list, uint64_t nvariants)
{
    uint64_t row = 0;

    for (uint64_t variant = 0; variant <= nvariants + 2; variant++) {
        while (row < list->n && list->rows[row].variant < variant)
            row++;
        assert_int_equal(row_map_lower_bound(map, 0, variant), row);
        assert_int_equal(row_map_shows(map, 0, variant),
                         row < list->n && list->rows[row].variant == variant);
        assert_false(row_map_shows(map, 1, variant));
    }
    assert_int_equal(row_map_lower_bound(map, 1, 0), list->n);
}

static void check_all(const struct row_map *map, const struct list *list, uint64_t nvariants)
{
    check_rows(map, list);
    check_variants(map, list, nvariants);
    for (uint64_t first = 0; first < list->n; first += 1 + rng_below(150))
        check_cursor(map, list, first);
    check_cursor(map, list, list->n);
}

/* What comes back after an encoder's death. */
static void check_saved(const struct row_map *map, const struct list *list, uint64_t nvariants)
{
    struct row_map back;
    struct err err = {0};
    const uint8_t *data;
    off_t size;
    int fd;

    assert_int_equal(row_map_save(map, &fd, &err), 0);
    assert_int_equal(fd < 0, list->n == nvariants);
    if (fd < 0)
        return;
    size = lseek(fd, 0, SEEK_END);
    data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(data != MAP_FAILED);
    assert_int_equal(row_map_read(&back, nvariants, data, (uint64_t)size, &err), 0);
    check_all(&back, list, nvariants);
    row_map_free(&back);
    munmap((void *)(uintptr_t)data, (size_t)size);
    close(fd);
}

/* Runs of variants kept and left out, of about `kept` and `left` each. */
static void choose(struct rows *rows, struct list *list, uint64_t nvariants, uint64_t kept,
                   uint64_t left)
{
    uint64_t variant = rng_below(left + 1);

    for (; variant < nvariants; variant += rng_below(left + 1)) {
        for (uint64_t n = rng_below(kept + 1); n > 0 && variant < nvariants; n--, variant++) {
            rows_keep(rows, variant);
            list->rows[list->n] =
                (struct output_row){.index = list->n, .variant = variant, .allele = 1};
            list->n++;
        }
        variant++;
    }
}

static void trial(uint64_t nvariants, uint64_t kept, uint64_t left)
{
    struct list list = {.rows = calloc(nvariants + 1, sizeof *list.rows)};
    struct err err = {0};
    struct row_map map;
    struct rows rows;

    assert_int_equal(rows_init_none(&rows, nvariants, &err), 0);
    choose(&rows, &list, nvariants, kept, left);
    assert_int_equal(rows_finish(&rows, &err), 0);
    row_map_init(&map, &rows);
    assert_null(rows.bits);
    check_all(&map, &list, nvariants);
    check_saved(&map, &list, nvariants);
    row_map_free(&map);
    free(list.rows);
}

static void test_chosen(void **state)
{
    static const uint64_t sizes[] = {0, 1, 2, 63, 64, 65, 511, 512, 513, 1000, 4096, 20001};
    static const uint64_t lengths[] = {0, 1, 3, 70, 1200};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++)
            for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
                trial(sizes[s], lengths[k], lengths[l]);
}

static void test_every(void **state)
{
    struct list list = {.rows = calloc(1000, sizeof *list.rows), .n = 1000};
    struct row_map map;
    struct rows rows;

    (void)state;
    for (uint64_t i = 0; i < list.n; i++)
        list.rows[i] = (struct output_row){.index = i, .variant = i, .allele = 1};
    rows_init_all(&rows, list.n);
    row_map_init(&map, &rows);
    check_all(&map, &list, list.n);
    check_saved(&map, &list, list.n);
    row_map_free(&map);
    free(list.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen),
        cmocka_unit_test(test_every),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
