/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: which variants of one store a view shows, and how many of them precede a given one.
 *
 * Only row_map and the choice of variants use this. Store order is kept. "All variants" takes no
 * memory; otherwise there is one bit a stored variant and one count per 512 of them.
 */
#ifndef VCZFS_SELECT_ROWS_H
#define VCZFS_SELECT_ROWS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_WORD_BITS 64

struct rows {
    uint64_t nvariants; /* in the store */
    uint64_t nrows;     /* kept */
    uint64_t *bits;     /* owned; NULL when all are kept */
    uint64_t *before;   /* owned; before[i]: rows kept in the words [0, 8 i) of `bits` */
};

/* All kept. */
void rows_init_all(struct rows *rows, uint64_t nvariants);

/* Begins with none kept: mark with rows_keep, then call rows_finish once. */
int rows_init_none(struct rows *rows, uint64_t nvariants, struct err *err);
void rows_keep(struct rows *rows, uint64_t variant);
/* Counts the rows; turns into "all" if every variant is kept. */
int rows_finish(struct rows *rows, struct err *err);
void rows_free(struct rows *rows);

/* The stored variant shown at `row` (< nrows). */
uint64_t rows_variant(const struct rows *rows, uint64_t row);

/* The first variant kept in the words from `word` on, or nvariants. */
uint64_t rows_next_word(const struct rows *rows, uint64_t word);

/* The first variant kept that is >= `variant`; nvariants if there is none. */
static inline uint64_t rows_next(const struct rows *rows, uint64_t variant)
{
    uint64_t at = variant / ROWS_WORD_BITS, word;

    if (rows->bits == NULL || variant >= rows->nvariants)
        return variant;
    word = rows->bits[at] >> variant % ROWS_WORD_BITS;
    if (word != 0)
        return variant + (uint64_t)__builtin_ctzll(word);
    return rows_next_word(rows, at + 1);
}

/* The first row whose variant is >= `variant` (nrows if there is none). */
uint64_t rows_lower_bound(const struct rows *rows, uint64_t variant);

/* Saves the rows for an encoder that is started again (sealed memfd; -1 without an error if all are
 * kept: nothing to save). */
int rows_save(const struct rows *rows, int *fd, struct err *err);

/* The same as part of a larger file: appends to fd (nothing if all are kept), and reads `size`
 * bytes at `data`, which may change meanwhile. */
int rows_write(const struct rows *rows, int fd, struct err *err);
int rows_read(struct rows *rows, uint64_t nvariants, const uint8_t *data, uint64_t size,
              struct err *err);

#endif
