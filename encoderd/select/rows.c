/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/rows.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/memfd.h"
#include "common/size.h"

#include <inttypes.h>
#include <string.h>

#define WORDS_PER_COUNT 8

static uint64_t nwords(uint64_t nvariants)
{
    return size_div_up(nvariants, ROWS_WORD_BITS);
}

void rows_init_all(struct rows *rows, uint64_t nvariants)
{
    *rows = (struct rows){.nvariants = nvariants, .nrows = nvariants};
}

int rows_init_none(struct rows *rows, uint64_t nvariants, struct err *err)
{
    *rows = (struct rows){.nvariants = nvariants};
    rows->bits = calloc(nwords(nvariants) + 1, sizeof *rows->bits);
    if (rows->bits == NULL)
        return err_nomem(err, "the choice of %" PRIu64 " variants", nvariants);
    return 0;
}

void rows_keep(struct rows *rows, uint64_t variant)
{
    rows->bits[variant / ROWS_WORD_BITS] |= UINT64_C(1) << (variant % ROWS_WORD_BITS);
}

static unsigned popcount(uint64_t word)
{
    return (unsigned)__builtin_popcountll(word);
}

int rows_finish(struct rows *rows, struct err *err)
{
    uint64_t words = nwords(rows->nvariants), count = 0;
    uint64_t *before = calloc(size_div_up(words, WORDS_PER_COUNT) + 1, sizeof *before);

    if (before == NULL)
        return err_nomem(err, "the choice of %" PRIu64 " variants", rows->nvariants);
    for (uint64_t i = 0; i < words; i++) {
        if (i % WORDS_PER_COUNT == 0)
            before[i / WORDS_PER_COUNT] = count;
        count += popcount(rows->bits[i]);
    }
    rows->before = before;
    rows->nrows = count;
    if (count == rows->nvariants) {
        rows_free(rows);
        rows_init_all(rows, count);
    }
    return 0;
}

void rows_free(struct rows *rows)
{
    free(rows->bits);
    free(rows->before);
    *rows = (struct rows){0};
}

/* The position of the set bit that has `rank` set bits below it. */
static unsigned word_select(uint64_t word, uint64_t rank)
{
    while (rank-- > 0)
        word &= word - 1;
    return (unsigned)__builtin_ctzll(word);
}

uint64_t rows_variant(const struct rows *rows, uint64_t row)
{
    uint64_t low = 0, high, word;

    if (rows->bits == NULL)
        return row;
    high = size_div_up(nwords(rows->nvariants), WORDS_PER_COUNT);
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (rows->before[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    row -= rows->before[low];
    for (word = low * WORDS_PER_COUNT; row >= popcount(rows->bits[word]); word++)
        row -= popcount(rows->bits[word]);
    return word * ROWS_WORD_BITS + word_select(rows->bits[word], row);
}

uint64_t rows_next_word(const struct rows *rows, uint64_t word)
{
    const uint64_t end = nwords(rows->nvariants);

    while (word < end && rows->bits[word] == 0)
        word++;
    return word < end ? word * ROWS_WORD_BITS + word_select(rows->bits[word], 0) : rows->nvariants;
}

uint64_t rows_lower_bound(const struct rows *rows, uint64_t variant)
{
    uint64_t last, count;

    if (variant >= rows->nvariants)
        return rows->nrows;
    if (rows->bits == NULL)
        return variant;
    last = variant / ROWS_WORD_BITS;
    count = rows->before[last / WORDS_PER_COUNT];
    for (uint64_t i = last - last % WORDS_PER_COUNT; i < last; i++)
        count += popcount(rows->bits[i]);
    return count + popcount(rows->bits[last] & ((UINT64_C(1) << (variant % ROWS_WORD_BITS)) - 1));
}

/* Precedes the bits in a saved choice. It is written and read by the same program on the same
 * machine. */
struct saved_rows_header {
    char magic[8];
    uint64_t nvariants, nrows;
};

static const char saved_magic[8] = {'v', 'c', 'z', 'r', 'o', 'w', 's', '1'};

int rows_write(const struct rows *rows, int fd, struct err *err)
{
    struct saved_rows_header header = {.nvariants = rows->nvariants, .nrows = rows->nrows};

    if (rows->bits == NULL)
        return 0;
    memcpy(header.magic, saved_magic, sizeof header.magic);
    if (io_write_all(fd, &header, sizeof header, "the choice of variants", err) != 0)
        return -1;
    return io_write_all(fd, rows->bits, nwords(rows->nvariants) * sizeof *rows->bits,
                        "the choice of variants", err);
}

int rows_save(const struct rows *rows, int *fd, struct err *err)
{
    AUTO_CLOSE int memfd = -1;

    *fd = -1;
    if (rows->bits == NULL)
        return 0;
    memfd = memfd_open("vczfs-rows", err);
    if (memfd < 0 || rows_write(rows, memfd, err) != 0 || memfd_seal(memfd, err) != 0)
        return -1;
    *fd = steal_fd(&memfd);
    return 0;
}

/* Copies first and checks the copy: the owner of `data` may still change it. */
static int read_bits(struct rows *rows, const uint8_t *data, uint64_t size, struct err *err)
{
    const uint64_t nvariants = rows->nvariants;
    struct saved_rows_header header;
    uint64_t spare;

    memcpy(&header, data, sizeof header);
    if (memcmp(header.magic, saved_magic, sizeof saved_magic) != 0 || header.nvariants != nvariants)
        return err_set(err, ERR_PEER, "the saved choice of variants belongs to another store");
    memcpy(rows->bits, data + sizeof header, size - sizeof header);
    spare = nvariants % ROWS_WORD_BITS != 0
                ? rows->bits[nvariants / ROWS_WORD_BITS] >> (nvariants % ROWS_WORD_BITS)
                : 0;
    if (rows_finish(rows, err) != 0)
        return -1;
    if (spare != 0 || rows->nrows != header.nrows)
        return err_set(err, ERR_PEER, "the saved choice of variants contradicts itself");
    return 0;
}

int rows_read(struct rows *rows, uint64_t nvariants, const uint8_t *data, uint64_t size,
              struct err *err)
{
    const uint64_t due = sizeof(struct saved_rows_header) + nwords(nvariants) * sizeof(uint64_t);

    if (size != due)
        return err_set(err, ERR_PEER,
                       "the saved choice of variants has %" PRIu64 " bytes, not the %" PRIu64
                       " that %" PRIu64 " variants need",
                       size, due, nvariants);
    if (rows_init_none(rows, nvariants, err) != 0)
        return -1;
    if (read_bits(rows, data, size, err) == 0)
        return 0;
    rows_free(rows);
    return -1;
}
