/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BGEN kernels: the plain form against a table written from the specification, every plane form
 * against the same, and what is done to whole rows.
 */
#include "encoderd/format/bgen_calls.h"

#include "tests/unit/rng.h"
#include "tests/unit/shuffling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_CALLS    3000
#define MAX_ELEMENTS (2 * MAX_CALLS + 4096)
#define GUARD        4096ul
#define REGION       ((MAX_ELEMENTS + 8 + GUARD) & ~(GUARD - 1))
#define MARGIN       8

/* doc/FORMATS.md, "Out: BGEN", as stored and as a diploid; (a, −2) is also a call on a ploidy axis
 * of 1. Every other pair is not a call. */
static const struct spec {
    int8_t a, b;
    struct code {
        uint8_t ploidy, phased[2], unphased[2];
    } stored, diploid;
} specification[] = {
    {0, 0, {2, {255, 255}, {255, 0}}, {2, {255, 255}, {255, 0}}},
    {0, 1, {2, {255, 0}, {0, 255}}, {2, {255, 0}, {0, 255}}},
    {1, 0, {2, {0, 255}, {0, 255}}, {2, {0, 255}, {0, 255}}},
    {1, 1, {2, {0, 0}, {0, 0}}, {2, {0, 0}, {0, 0}}},
    {-1, -1, {0x82, {0}, {0}}, {0x82, {0}, {0}}},
    {-1, 0, {0x82, {0}, {0}}, {0x82, {0}, {0}}},
    {-1, 1, {0x82, {0}, {0}}, {0x82, {0}, {0}}},
    {0, -1, {0x82, {0}, {0}}, {0x82, {0}, {0}}},
    {1, -1, {0x82, {0}, {0}}, {0x82, {0}, {0}}},
    {0, -2, {1, {255, 0}, {0, 255}}, {2, {255, 255}, {255, 0}}},
    {1, -2, {1, {0, 0}, {0, 0}}, {2, {0, 0}, {0, 0}}},
    {-1, -2, {0x81, {0}, {0}}, {0x82, {0}, {0}}},
    {-2, -2, {0x81, {0}, {0}}, {0x82, {0}, {0}}},
};
#define NSPEC (sizeof specification / sizeof *specification)

static const struct code *code_of(int a, int b, bool haploid)
{
    for (size_t i = 0; i < NSPEC; i++)
        if (specification[i].a == a && specification[i].b == b)
            return haploid ? &specification[i].stored : &specification[i].diploid;
    return NULL;
}

static const struct code *code_of_call(const int8_t *call, unsigned ploidy, bool haploid)
{
    return code_of(call[0], ploidy == 2 ? call[1] : -2, haploid);
}

struct shape {
    unsigned ploidy;  /* of the axis */
    unsigned nvalues; /* of a call */
    uint64_t first, ncalls, nelements;
    bool phased, haploid;
    bool low;               /* no element has a bit above the lowest two */
    unsigned missing, fill; /* per mille */
};

static bool expect(const struct shape *s, const int8_t *calls, uint8_t *ploidies, uint8_t *values)
{
    bool ok = true;

    for (uint64_t i = 0; i < s->ncalls; i++) {
        const struct code *code = code_of_call(calls + i * s->ploidy, s->ploidy, s->haploid);

        if (code == NULL) {
            ok = false;
            continue;
        }
        ploidies[i] = code->ploidy;
        if (s->nvalues == 1)
            values[i] = code->phased[0];
        else
            memcpy(values + 2 * i, s->phased ? code->phased : code->unphased, 2);
    }
    return ok;
}

static uint8_t *region_new(void)
{
    uint8_t *at = mmap(NULL, REGION + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(at != MAP_FAILED);
    assert_int_equal(mprotect(at + GUARD, REGION, PROT_READ | PROT_WRITE), 0);
    return at + GUARD;
}

static void region_free(uint8_t *region)
{
    munmap(region - GUARD, REGION + 2 * GUARD);
}

/* Planes of nelements, either right at the region's start or with 8 bytes between them and its
 * end. */
static struct planes make_planes(uint8_t *region, const int8_t *elements, uint64_t nelements)
{
    const bool low = elements_are_low(elements, nelements) && rng_chance(700);
    const unsigned n = low ? PLANES_LOW : PLANES_ALL;

    for (uint64_t i = 0; i < REGION; i++)
        region[i] = (uint8_t)rng();
    return shuffle(elements, nelements, n,
                   rng_chance(500) ? region : region + REGION - 8 - n * nelements / 8);
}

static void random_shape(struct shape *s)
{
    static const unsigned density[] = {0, 0, 1, 50, 500, 1000};

    s->ploidy = rng_chance(300) ? 1 : 2;
    s->first = rng_chance(300) ? rng() % 8 : rng() % 2048;
    s->ncalls = 1 + rng() % (rng_chance(500) ? 300 : MAX_CALLS);
    s->nelements = (s->first + s->ncalls * s->ploidy + 7) / 8 * 8 + 8 * (rng() % 100);
    s->phased = rng_chance(500);
    s->haploid = rng_chance(500);
    s->nvalues = s->ploidy == 1 && s->haploid ? 1 : 2;
    s->missing = density[rng() % 6];
    s->fill = density[rng() % 6];
    s->low = rng_chance(300);
    if (s->low)
        s->missing = s->fill = 0;
}

/* Good calls in the run, anything at all around it. */
static void random_elements(const struct shape *s, int8_t *elements)
{
    for (uint64_t i = 0; i < s->nelements; i++)
        elements[i] = (int8_t)(s->low ? rng() % 4 : rng());
    for (uint64_t i = 0; i < s->ncalls; i++) {
        int8_t *call = elements + s->first + i * s->ploidy;

        for (unsigned p = 0; p < s->ploidy; p++)
            call[p] = (int8_t)(rng() % 2);
        if (rng_chance(s->missing))
            call[rng() % s->ploidy] = -1;
        if (rng_chance(s->fill))
            call[s->ploidy - 1] = -2;
        if (call[s->ploidy - 1] == -2 && rng_chance(100))
            call[0] = -2;
    }
}

struct result {
    uint8_t ploidies[MAX_CALLS + 2 * MARGIN], values[2 * MAX_CALLS + 2 * MARGIN];
};

/* The sums against the bytes that they are of. */
static void check_sums(const struct shape *s, const uint8_t *ploidies, const uint8_t *values,
                       const struct bgen_sums *sums)
{
    struct bgen_sums due = {0};

    for (uint64_t i = 0; i < s->ncalls; i++) {
        if ((ploidies[i] & BGEN_MISSING) != 0) {
            due.missing++;
            due.missing_weighted += i;
        }
        due.haploid += s->nvalues == 2 && (ploidies[i] & 1) != 0;
    }
    for (uint64_t i = 0; i < s->ncalls * s->nvalues; i++)
        if (values[i] == 255) {
            due.set++;
            due.set_weighted += i;
        }
    assert_memory_equal(sums, &due, sizeof due);
}

static void check_result(const struct shape *s, bool ok, bool due_ok, const struct result *got,
                         const struct result *due, const struct result *before,
                         const struct bgen_sums *sums)
{
    const uint64_t np = MARGIN + s->ncalls, nv = MARGIN + s->ncalls * s->nvalues;

    assert_int_equal(ok, due_ok);
    if (ok)
        check_sums(s, due->ploidies + MARGIN, due->values + MARGIN, sums);
    if (ok)
        assert_memory_equal(got, due, sizeof *got);
    assert_memory_equal(got->ploidies, before->ploidies, MARGIN);
    assert_memory_equal(got->values, before->values, MARGIN);
    assert_memory_equal(got->ploidies + np, before->ploidies + np, sizeof got->ploidies - np);
    assert_memory_equal(got->values + nv, before->values + nv, sizeof got->values - nv);
}

static void check_one(const struct shape *s, const int8_t *elements, const struct planes planes)
{
    static struct result before, due, got;
    const struct bgen_out out = {got.ploidies + MARGIN, got.values + MARGIN, s->phased, s->haploid};
    const int8_t *calls = elements + s->first;
    struct bgen_sums sums = {0};
    bool ok, due_ok;

    for (size_t i = 0; i < sizeof before; i++)
        ((uint8_t *)&before)[i] = (uint8_t)rng();
    due = got = before;
    due_ok = expect(s, calls, due.ploidies + MARGIN, due.values + MARGIN);
    ok = bgen_from_alleles_plain(calls, s->ploidy, s->ncalls, &out, &sums);
    check_result(s, ok, due_ok, &got, &due, &before, &sums);
    for (const char *const *name = bgen_impl_names; *name != NULL; name++) {
        const struct bgen_impl *impl = bgen_impl(*name);

        if (impl == NULL)
            continue;
        got = before;
        sums = (struct bgen_sums){0};
        ok = impl->planes(&planes, s->first, s->ploidy, s->ncalls, &out, &sums);
        check_result(s, ok, due_ok, &got, &due, &before, &sums);
        got = before;
        sums = (struct bgen_sums){0};
        ok = impl->alleles(calls, s->ploidy, s->ncalls, &out, &sums);
        check_result(s, ok, due_ok, &got, &due, &before, &sums);
    }
}

/* One call in one of the four forms, against the specification. */
static void check_call(int a, int b, unsigned axis, bool phased, bool haploid)
{
    const int8_t call[2] = {(int8_t)a, (int8_t)b};
    const struct code *due = code_of_call(call, axis, haploid);
    const size_t nvalues = axis == 1 && haploid ? 1 : 2;
    uint8_t ploidy, values[2];
    const struct bgen_out out = {&ploidy, values, phased, haploid};
    struct bgen_sums sums = {0};

    assert_int_equal(bgen_from_alleles_plain(call, axis, 1, &out, &sums), due != NULL);
    if (due == NULL)
        return;
    assert_int_equal(ploidy, due->ploidy);
    assert_memory_equal(values, nvalues == 1 || phased ? due->phased : due->unphased, nvalues);
}

static void every_call(void **state)
{
    (void)state;
    for (unsigned form = 0; form < 4; form++)
        for (int a = -128; a < 128; a++) {
            check_call(a, 0, 1, form & 1, form & 2);
            for (int b = -128; b < 128; b++)
                check_call(a, b, 2, form & 1, form & 2);
        }
}

static void random_runs(void **state)
{
    static int8_t elements[MAX_ELEMENTS];
    uint8_t *region = region_new();

    (void)state;
    rng_state = 20261120;
    for (int round = 0; round < 2000; round++) {
        struct shape s;

        random_shape(&s);
        random_elements(&s, elements);
        check_one(&s, elements, make_planes(region, elements, s.nelements));
    }
    region_free(region);
}

/* Every position of a run in turn; what lies next to it is bad all the time. */
static void a_bad_call_anywhere(void **state)
{
    static const int8_t bad[] = {2, 3, 4, 8, 16, 32, 64, 127, -3, -5, -128};
    static int8_t elements[MAX_ELEMENTS];
    uint8_t *region = region_new();

    (void)state;
    rng_state = 77;
    for (int round = 0; round < 12; round++) {
        struct shape s;

        random_shape(&s);
        s.ncalls = 100 + rng() % 200;
        s.nelements = (s.first + s.ncalls * s.ploidy + 7) / 8 * 8;
        random_elements(&s, elements);
        for (uint64_t call = 0; call < s.ncalls; call++) {
            int8_t *at = elements + s.first + call * s.ploidy;
            const int8_t saved[2] = {at[0], at[1]};

            at[rng() % s.ploidy] = bad[rng() % (s.low ? 2 : sizeof bad)];
            if (s.ploidy == 2 && !s.low && rng_chance(300)) {
                at[0] = -2;
                at[1] = (int8_t)((int)(rng() % 3) - 1);
            }
            assert_null(code_of_call(at, s.ploidy, false));
            check_one(&s, elements, make_planes(region, elements, s.nelements));
            memcpy(at, saved, s.ploidy);
        }
    }
    region_free(region);
}

/* What is made phased and turned afterwards is what is made unphased; compacting drops what haploid
 * calls do not use. */
static void whole_rows(void **state)
{
    static int8_t elements[MAX_ELEMENTS];
    static uint8_t ploidies[MAX_CALLS], phased[2 * MAX_CALLS], unphased[2 * MAX_CALLS];

    (void)state;
    rng_state = 4711;
    for (int round = 0; round < 500; round++) {
        struct shape s;
        uint64_t nhaploid = 0, at = 0;
        const bool haploid = rng_chance(700);
        const struct bgen_out out = {ploidies, phased, true, haploid};
        const struct bgen_out turned = {ploidies, unphased, false, haploid};
        struct bgen_sums sums = {0};
        static uint8_t due[2 * MAX_CALLS];

        random_shape(&s);
        s.ploidy = 2;
        s.first = 0;
        random_elements(&s, elements);
        assert_true(bgen_from_alleles(elements, 2, s.ncalls, &out, &sums));
        assert_true(bgen_from_alleles(elements, 2, s.ncalls, &turned, &sums));
        for (uint64_t i = 0; i < s.ncalls; i++) {
            const bool one = haploid && elements[2 * i + 1] == -2;

            nhaploid += one;
            due[at++] = one ? (elements[2 * i] == 0 ? 255 : 0) : unphased[2 * i];
            if (!one)
                due[at++] = unphased[2 * i + 1];
        }
        assert_int_equal(sums.haploid, 2 * nhaploid);
        bgen_unphase(phased, s.ncalls);
        assert_memory_equal(phased, unphased, 2 * s.ncalls);
        bgen_compact(ploidies, phased, s.ncalls);
        assert_memory_equal(phased + 2 * s.ncalls - at, due, at);
    }
}

static void portable_is_always_there(void **state)
{
    (void)state;
    assert_non_null(bgen_impl("portable"));
    assert_null(bgen_impl("abacus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call),
        cmocka_unit_test(random_runs),
        cmocka_unit_test(a_bad_call_anywhere),
        cmocka_unit_test(whole_rows),
        cmocka_unit_test(portable_is_always_there),
    };

    return cmocka_run_group_tests_name("bgen_calls", tests, NULL, NULL);
}
