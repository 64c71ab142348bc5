/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The .bed kernels: the plain form against a table written from the specification, every plane form
 * against the plain one.
 */
#include "encoderd/format/bed.h"

#include "tests/unit/rng.h"
#include "tests/unit/shuffling.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the three above it. */
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_CALLS    6000
#define MAX_ELEMENTS (2 * MAX_CALLS + 8192)
#define GUARD        4096ul
#define REGION       ((MAX_ELEMENTS + 8 + GUARD) & ~(GUARD - 1))

/* doc/FORMATS.md, "Out: PLINK 1". Every other pair is not a call. */
static const struct {
    int8_t a, b;
    uint8_t code;
} specification[] = {
    {0, 0, 3},  {0, 1, 2},  {1, 0, 2},  {1, 1, 0},  {-1, -1, 1}, {-1, 0, 1},  {-1, 1, 1},
    {0, -1, 1}, {1, -1, 1}, {0, -2, 3}, {1, -2, 0}, {-1, -2, 1}, {-2, -2, 1},
};
#define NSPEC (sizeof(specification) / sizeof(*specification))

static int spec_code(int8_t a, int8_t b)
{
    for (size_t i = 0; i < NSPEC; i++)
        if (specification[i].a == a && specification[i].b == b)
            return specification[i].code;
    return -1;
}

/* A haploid call is what a diploid one of the same allele and a fill is. */
static int spec_call(const int8_t *call, unsigned ploidy)
{
    return spec_code(call[0], ploidy == 2 ? call[1] : -2);
}

/* What the run does to `out`, from the specification. False if a call is not one. */
static bool expect(const int8_t *alleles, unsigned ploidy, uint64_t ncalls, unsigned shift,
                   bool last, uint8_t *out)
{
    bool ok = true;
    uint64_t end = shift + ncalls;

    if (last && end % 4 != 0 && end > 4)
        out[end / 4] = 0;
    else if (last && end % 4 != 0 && shift == 0)
        out[0] = 0;
    for (uint64_t i = 0; i < ncalls; i++) {
        int code = spec_call(alleles + i * ploidy, ploidy);
        unsigned at = (unsigned)((shift + i) % 4 * 2);
        bool starts_byte = at == 0 && ncalls - i >= 4;

        ok = ok && code >= 0;
        if (code < 0)
            continue;
        if (starts_byte)
            out[(shift + i) / 4] = 0;
        out[(shift + i) / 4] |= (uint8_t)(code << at);
    }
    return ok;
}

/* One region with no page before it and none after it. */
struct region {
    uint8_t *base;
};

static void region_init(struct region *region)
{
    uint8_t *at = mmap(NULL, REGION + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at + GUARD, REGION, PROT_READ | PROT_WRITE), 0);
    region->base = at + GUARD;
}

static void region_free(struct region *region)
{
    munmap(region->base - GUARD, REGION + 2 * GUARD);
}

/* Planes of nelements, either right at the region's start or with 8 bytes between them and its
 * end. */
static struct planes make_planes(const struct region *region, const int8_t *elements,
                                 uint64_t nelements)
{
    const bool low = elements_are_low(elements, nelements) && rng_chance(700);
    const unsigned n = low ? PLANES_LOW : PLANES_ALL;

    for (uint64_t i = 0; i < REGION; i += 8) {
        uint64_t garbage = rng();

        memcpy(region->base + i, &garbage, 8);
    }
    return shuffle(elements, nelements, n,
                   rng_chance(500) ? region->base : region->base + REGION - 8 - n * nelements / 8);
}

struct shape {
    unsigned ploidy, shift;
    uint64_t first, ncalls, nelements;
    bool last;
    bool low;                    /* no element has a bit above the lowest two */
    unsigned missing, fill, het; /* per mille */
};

static void random_shape(struct shape *s)
{
    static const unsigned density[] = {0, 0, 1, 50, 500, 1000};
    uint64_t end;

    s->ploidy = rng_chance(300) ? 1 : 2;
    s->shift = (unsigned)rng_below(4);
    s->first = rng_chance(300) ? rng_below(8) : rng_below(4096);
    s->ncalls = 1 + (rng_chance(500) ? rng_below(300) : rng_below(MAX_CALLS));
    s->last = rng_chance(500);
    end = s->first + s->ncalls * s->ploidy;
    s->nelements = (end + 7) / 8 * 8 + (rng_chance(500) ? 0 : 8 * rng_below(300));
    s->missing = density[rng_below(6)];
    s->fill = density[rng_below(6)];
    s->het = density[rng_below(6)];
    s->low = rng_chance(300);
    if (s->low)
        s->missing = s->fill = 0;
}

static void random_call(const struct shape *s, int8_t *call)
{
    int8_t a = (int8_t)rng_below(2);

    call[0] = a;
    if (s->ploidy == 2)
        call[1] = rng_chance(s->het) ? (int8_t)!a : a;
    if (rng_chance(s->missing))
        call[rng_below(s->ploidy)] = -1;
    if (rng_chance(s->fill)) {
        call[s->ploidy - 1] = -2;
        if (rng_chance(100))
            call[0] = -2;
    }
}

/* Good calls in the run, anything at all around it. */
static void random_elements(const struct shape *s, int8_t *elements)
{
    for (uint64_t i = 0; i < s->nelements; i++)
        elements[i] = (int8_t)(s->low ? rng_below(4) : rng());
    for (uint64_t i = 0; i < s->ncalls; i++)
        random_call(s, elements + s->first + i * s->ploidy);
}

#define OUT_MAX (MAX_CALLS / 4 + 32)
#define MARGIN  8

/* Everything around the run is random and must stay; bits that the run ors into are zero. */
static void random_out(const struct shape *s, uint8_t *out)
{
    uint64_t end = s->shift + s->ncalls;

    for (uint64_t i = 0; i < OUT_MAX; i++)
        out[i] = (uint8_t)rng();
    out += MARGIN;
    for (uint64_t k = s->shift; k < end; k++)
        out[k / 4] &= (uint8_t) ~(3u << k % 4 * 2);
}

static void check_one(const struct shape *s, const int8_t *elements, const struct planes planes)
{
    static uint8_t before[OUT_MAX], due[OUT_MAX], got[OUT_MAX];
    const int8_t *calls = elements + s->first;
    bool ok;

    random_out(s, before);
    memcpy(due, before, OUT_MAX);
    ok = expect(calls, s->ploidy, s->ncalls, s->shift, s->last, due + MARGIN);

    memcpy(got, before, OUT_MAX);
    assert_int_equal(bed_from_alleles(calls, s->ploidy, s->ncalls, s->shift, s->last, got + MARGIN),
                     ok);
    if (ok)
        assert_memory_equal(got, due, OUT_MAX);

    for (const char *const *name = bed_planes_names; *name; name++) {
        bed_planes_fn *fn = bed_planes_impl(*name);

        if (!fn)
            continue;
        memcpy(got, before, OUT_MAX);
        assert_int_equal(
            fn(&planes, s->first, s->ploidy, s->ncalls, s->shift, s->last, got + MARGIN), ok);
        if (ok)
            assert_memory_equal(got, due, OUT_MAX);
        /* Also of a run with bad calls, nothing outside may have changed. */
        assert_memory_equal(got, due, MARGIN);
        assert_memory_equal(got + MARGIN + (s->shift + s->ncalls + 3) / 4,
                            due + MARGIN + (s->shift + s->ncalls + 3) / 4,
                            OUT_MAX - MARGIN - (s->shift + s->ncalls + 3) / 4);
    }
}

static void every_pair(void **state)
{
    (void)state;
    for (int a = -128; a < 128; a++)
        for (int b = -128; b < 128; b++) {
            const int8_t calls[8] = {0, 1, (int8_t)a, (int8_t)b, 1, 1, 0, 0};
            int code = spec_code((int8_t)a, (int8_t)b);
            uint8_t out = 0;

            /* Alone (the table) and among four (the word). */
            assert_int_equal(bed_from_alleles(calls + 2, 2, 1, 0, true, &out), code >= 0);
            assert_true(code < 0 || out == code);
            assert_int_equal(bed_from_alleles(calls, 2, 4, 0, true, &out), code >= 0);
            assert_true(code < 0 || out == (2 | code << 2 | 0 << 4 | 3 << 6));
        }
}

static void random_runs(void **state)
{
    static int8_t elements[MAX_ELEMENTS];
    struct region region;

    (void)state;
    rng_state = 20240607;
    region_init(&region);
    for (int round = 0; round < 3000; round++) {
        struct shape s;

        random_shape(&s);
        random_elements(&s, elements);
        check_one(&s, elements, make_planes(&region, elements, s.nelements));
    }
    region_free(&region);
}

/* Diploid calls are where each bad value can come in four ways: too large, too small, out of
 * order. */
static void spoil(const struct shape *s, int8_t *elements, uint64_t call)
{
    static const int8_t bad[] = {2, 3, 4, 8, 16, 32, 64, 127, -3, -5, -128};
    int8_t *at = elements + s->first + call * s->ploidy;

    if (s->low) {
        at[rng_below(s->ploidy)] = (int8_t)(2 + rng_below(2));
    } else if (s->ploidy == 2 && rng_chance(300)) {
        at[0] = -2;
        at[1] = (int8_t)((int)rng_below(3) - 1);
    } else {
        at[rng_below(s->ploidy)] = bad[rng_below(sizeof(bad))];
    }
}

/* Every position of a run in turn; what lies next to it is bad all the time. */
static void a_bad_call_anywhere(void **state)
{
    static int8_t elements[MAX_ELEMENTS];
    struct region region;

    (void)state;
    rng_state = 77;
    region_init(&region);
    for (int round = 0; round < 16; round++) {
        struct shape s;

        random_shape(&s);
        s.ncalls = 200 + rng_below(500);
        s.ploidy = round % 4 == 0 ? 1 : 2;
        s.nelements = (s.first + s.ncalls * s.ploidy + 7) / 8 * 8;
        random_elements(&s, elements);
        for (uint64_t call = 0; call < s.ncalls; call++) {
            int8_t saved[2];
            int8_t *at = elements + s.first + call * s.ploidy;

            memcpy(saved, at, s.ploidy);
            spoil(&s, elements, call);
            assert_int_equal(spec_call(at, s.ploidy), -1);
            check_one(&s, elements, make_planes(&region, elements, s.nelements));
            memcpy(at, saved, s.ploidy);
        }
        check_one(&s, elements, make_planes(&region, elements, s.nelements));
    }
    region_free(&region);
}

/* A row made by two threads, one run each, cut at every place of a byte. */
#define HALVES_CALLS 700

struct half {
    struct planes planes;
    uint64_t begin, end;
    uint8_t *row;
    pthread_barrier_t *barrier;
    bool ok;
};

static void *make_half(void *arg)
{
    struct half *h = arg;

    pthread_barrier_wait(h->barrier);
    h->ok = bed_from_planes(&h->planes, h->begin * 2, 2, h->end - h->begin, h->begin % 4,
                            h->end == HALVES_CALLS, h->row + h->begin / 4);
    return NULL;
}

static void two_threads_share_a_byte(void **state)
{
    static int8_t elements[HALVES_CALLS * 2];
    const struct shape s = {.ploidy = 2,
                            .ncalls = HALVES_CALLS,
                            .nelements = HALVES_CALLS * 2,
                            .missing = 50,
                            .fill = 50,
                            .het = 500};
    struct region region;
    pthread_barrier_t barrier;

    (void)state;
    rng_state = 5;
    region_init(&region);
    pthread_barrier_init(&barrier, NULL, 2);
    for (uint64_t cut = 1; cut < HALVES_CALLS; cut += 3) {
        uint8_t row[HALVES_CALLS / 4 + 1] = {0}, due[HALVES_CALLS / 4 + 1] = {0};
        struct half halves[2] = {{.begin = 0, .end = cut}, {.begin = cut, .end = HALVES_CALLS}};
        pthread_t thread;

        random_elements(&s, elements);
        halves[0].planes = halves[1].planes = make_planes(&region, elements, s.nelements);
        halves[0].row = halves[1].row = row;
        halves[0].barrier = halves[1].barrier = &barrier;
        assert_true(expect(elements, 2, HALVES_CALLS, 0, true, due));
        assert_int_equal(pthread_create(&thread, NULL, make_half, &halves[0]), 0);
        make_half(&halves[1]);
        pthread_join(thread, NULL);
        assert_true(halves[0].ok && halves[1].ok);
        assert_memory_equal(row, due, sizeof(row));
    }
    pthread_barrier_destroy(&barrier);
    region_free(&region);
}

static void portable_is_always_there(void **state)
{
    (void)state;
    assert_non_null(bed_planes_impl("portable"));
    assert_null(bed_planes_impl("abacus"));
}

static void empty_runs_write_nothing(void **state)
{
    const uint8_t bytes[16] = {0};
    const struct planes planes = {bytes, 1, PLANES_ALL};
    uint8_t out = 0xa5;
    const int8_t none[2] = {0};

    (void)state;
    for (unsigned shift = 0; shift < 4; shift++) {
        assert_true(bed_from_planes(&planes, 0, 2, 0, shift, true, &out));
        assert_true(bed_from_alleles(none, 2, 0, shift, true, &out));
        assert_int_equal(out, 0xa5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair),
        cmocka_unit_test(random_runs),
        cmocka_unit_test(a_bad_call_anywhere),
        cmocka_unit_test(two_threads_share_a_byte),
        cmocka_unit_test(portable_is_always_there),
        cmocka_unit_test(empty_runs_write_nothing),
    };

    return cmocka_run_group_tests_name("bed", tests, NULL, NULL);
}
