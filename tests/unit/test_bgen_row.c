/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole rows of a BGEN, put in pieces by the kernels in any order: zlib inflates them, checksum
 * included, to what the specification says.
 */
#include "encoderd/format/bgen_row.h"

#include "tests/unit/bgen_data.h"

#include <string.h>

#define MARGIN 64
#define FILL   0xa5

struct row {
    struct bgen_shape shape;
    struct site site;
    struct str alleles[2];
    bool phased;
    unsigned axis; /* of ploidy */
    int8_t *calls;
    uint8_t *bytes; /* MARGIN, the row, MARGIN */
    uint64_t sums[BGEN_NSUMS];
};

static bool chance(int per_mille)
{
    return rand() % 1000 < per_mille;
}

static void make_calls(struct row *row, int missing, int haploid)
{
    const unsigned ploidy = row->axis;
    const uint64_t n = row->shape.nsamples;

    row->calls = malloc(n * ploidy);
    for (uint64_t i = 0; i < n; i++) {
        int8_t *call = row->calls + i * ploidy;

        for (unsigned p = 0; p < ploidy; p++)
            call[p] = (int8_t)(rand() % 2);
        if (chance(missing))
            call[(unsigned)rand() % ploidy] = -1;
        if (ploidy == 2 && chance(haploid))
            call[1] = -2;
        if (call[ploidy - 1] == -2 && chance(100))
            call[0] = -2;
    }
}

static void make_row(struct row *row, uint64_t nsamples, unsigned axis, int missing, int haploid)
{
    const bool as_stored = chance(500);

    *row = (struct row){
        .axis = axis,
        .shape = {.nsamples = nsamples,
                  .ploidy = bgen_nvalues(axis, as_stored),
                  .strings = 20 + (uint64_t)rand() % 100,
                  .pad = '.',
                  .phased = chance(600),
                  .haploid = as_stored},
        .alleles = {{.at = "A", .len = 1}, {.at = "CT", .len = 2}},
        .site = {.contig = {.at = "chr1", .len = 4}, .id = {.at = "rs1", .len = 3}, .position = 7},
    };
    row->phased = row->shape.phased && chance(500);
    row->site.alleles = row->alleles;
    row->site.nalleles = 2;
    make_calls(row, missing, haploid);
    row->bytes = malloc(bgen_row_nbytes(&row->shape) + 2 * MARGIN);
    memset(row->bytes, FILL, bgen_row_nbytes(&row->shape) + 2 * MARGIN);
}

static void free_row(struct row *row)
{
    free(row->calls);
    free(row->bytes);
}

/* Calls [begin, end). */
static void put_calls(struct row *row, uint64_t begin, uint64_t end)
{
    for (uint64_t sample = begin, n; sample < end; sample += n) {
        const struct bgen_piece piece =
            bgen_row_piece(&row->shape, row->bytes + MARGIN, sample, end - sample);
        uint8_t pair[2];
        const struct bgen_out out = {piece.ploidies, piece.second != NULL ? pair : piece.values,
                                     row->shape.phased, row->shape.haploid};
        struct bgen_sums sums = {0};

        n = piece.ncalls;
        assert_in_range(n, 1, end - sample);
        assert_true(bgen_from_alleles(row->calls + sample * row->axis, row->axis, n, &out, &sums));
        if (piece.second != NULL) {
            assert_int_equal(n, 1);
            *piece.values = pair[0];
            *piece.second = pair[1];
        }
        bgen_row_add(&row->shape, sample, &sums, row->sums);
    }
}

/* A call's two alleles as they are shown: both, or one and −2. */
static void shown_call(const struct row *row, uint64_t i, int *a, int *b)
{
    *a = row->calls[i * row->axis];
    *b = row->axis == 2 ? row->calls[i * 2 + 1] : -2;
    if (*a == -2)
        *a = -1;
    if (*b == -2 && !row->shape.haploid)
        *b = *a;
}

/* The data as doc/FORMATS.md has it. */
static uint8_t *due_data(const struct row *row, uint64_t *nbytes)
{
    const uint64_t n = row->shape.nsamples;
    uint8_t *data = malloc(10 + 3 * n), *to = data + 8;
    unsigned least = 2, most = 1;
    int a, b;

    for (uint64_t i = 0; i < n; i++) {
        unsigned own;

        shown_call(row, i, &a, &b);
        own = b == -2 ? 1 : 2;
        least = own < least ? own : least;
        most = own > most ? own : most;
        *to++ = (uint8_t)(own | (a == -1 || b == -1 ? 0x80 : 0));
    }
    *to++ = row->phased;
    *to++ = 8;
    for (uint64_t i = 0; i < n; i++) {
        bool missing;

        shown_call(row, i, &a, &b);
        missing = a == -1 || b == -1;
        if (b == -2) {
            *to++ = !missing && a == 0 ? 255 : 0;
        } else if (row->phased) {
            *to++ = !missing && a == 0 ? 255 : 0;
            *to++ = !missing && b == 0 ? 255 : 0;
        } else {
            *to++ = !missing && a + b == 0 ? 255 : 0;
            *to++ = !missing && a + b == 1 ? 255 : 0;
        }
    }
    for (unsigned i = 0; i < 4; i++)
        data[i] = (uint8_t)(n >> 8 * i);
    data[4] = 2;
    data[5] = 0;
    data[6] = (uint8_t)least;
    data[7] = (uint8_t)most;
    *nbytes = (uint64_t)(to - data);
    return data;
}

static void check_row(const struct row *row)
{
    const uint8_t *begin = row->bytes + MARGIN;
    const uint64_t size = bgen_row_nbytes(&row->shape);
    uint64_t nbytes, ngot;
    uint8_t *due = due_data(row, &nbytes), *got = bgen_data_of(begin, size, &ngot);

    assert_int_equal(ngot, nbytes);
    assert_memory_equal(got, due, nbytes);
    for (unsigned i = 0; i < MARGIN; i++) {
        assert_int_equal(row->bytes[i], FILL);
        assert_int_equal(begin[size + i], FILL);
    }
    free(due);
    free(got);
}

static void check(uint64_t nsamples, unsigned ploidy, int missing, int haploid)
{
    struct row row;
    uint64_t middle;

    make_row(&row, nsamples, ploidy, missing, haploid);
    middle = (uint64_t)rand() % nsamples;
    put_calls(&row, middle, nsamples);
    if (middle > 0)
        put_calls(&row, 0, middle);
    bgen_row_finish(&row.shape, &row.site, row.phased, row.sums, row.bytes + MARGIN);
    check_row(&row);
    free_row(&row);
}

static void narrow_rows(void **state)
{
    static const int densities[] = {0, 0, 1, 100, 1000};

    (void)state;
    srand(1);
    for (int i = 0; i < 2000; i++)
        check(1 + (uint64_t)rand() % 300, 1 + (unsigned)rand() % 2, densities[rand() % 5],
              densities[rand() % 5]);
}

/* Where stored blocks meet: in the ploidies, between the values of a call and between calls. */
static void rows_of_several_blocks(void **state)
{
    static const int densities[] = {0, 0, 20, 1000};

    (void)state;
    srand(2);
    for (uint64_t edge = 1; edge <= 3; edge++)
        for (uint64_t off = 0; off <= 24; off++) {
            const uint64_t bytes = edge * 65535 - 12 + off;

            check((bytes - 10) / 3, 2, densities[rand() % 4], 0);
            check((bytes - 10) / 2, 1, densities[rand() % 4], 0);
        }
    for (int i = 0; i < 60; i++)
        check(20000 + (uint64_t)rand() % 80000, 1 + (unsigned)rand() % 2, densities[rand() % 4],
              densities[rand() % 4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_rows),
        cmocka_unit_test(rows_of_several_blocks),
    };

    return cmocka_run_group_tests_name("bgen_row", tests, NULL, NULL);
}
