/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that a store can have, in every way of storing it: the .bed and the .bgen in each of
 * its forms say what one plain definition says, and refuse the same variants.
 */
#include "encoderd/format/bed.h"
#include "tests/unit/bgen_data.h"
#include "tests/unit/made_store.h"
#include "tests/unit/rng.h"
#include "tests/unit/settings.h"
#include "tests/unit/view_fixture.h"

#define LEAST     (-3)
#define MOST      4
#define NVALUES   (MOST - LEAST + 1)
#define NPATTERNS (NVALUES * NVALUES)
#define NPHASES   3 /* no call is phased, all are, all but one are */
#define NVARIANTS (NPHASES * NPATTERNS)
#define NSAMPLES  408 /* so that a row has vectors of calls and some more; a multiple of 8 */

/* What a call is, whoever shows it. */
struct call {
    bool possible; /* in a record of two alleles */
    bool missing;
    unsigned ploidy;    /* as stored */
    unsigned allele[2]; /* of a haploid call twice the same */
};

static struct call call_of(const int64_t *stored, unsigned axis)
{
    const int64_t a = stored[0], b = axis == 2 ? stored[1] : -2;
    const bool haploid = b == -2;

    if (a < -2 || a > 1 || b < -2 || b > 1 || (a == -2 && !haploid))
        return (struct call){.possible = false};
    if (a < 0 || b == -1)
        return (struct call){.possible = true, .missing = true, .ploidy = haploid ? 1 : 2};
    return (struct call){.possible = true,
                         .ploidy = haploid ? 1 : 2,
                         .allele = {(unsigned)a, (unsigned)(haploid ? a : b)}};
}

/* A store and what is in it. */
struct made {
    struct made_store store;
    unsigned axis;
    int64_t *genotype, *phased;
};

/* Variant v has pattern v / NPHASES somewhere among calls that are common. */
static void make_calls(struct made *made)
{
    static const int64_t common[4][2] = {{0, 0}, {0, 1}, {1, 1}, {1, 0}};
    const unsigned axis = made->axis;

    made->genotype = calloc((size_t)NVARIANTS * NSAMPLES * axis, sizeof *made->genotype);
    made->phased = calloc((size_t)NVARIANTS * NSAMPLES, sizeof *made->phased);
    for (size_t v = 0; v < NVARIANTS; v++) {
        const int64_t pattern[2] = {LEAST + (int64_t)(v / NPHASES / NVALUES),
                                    LEAST + (int64_t)(v / NPHASES % NVALUES)};
        int64_t *row = made->genotype + v * NSAMPLES * axis;

        for (size_t s = 0; s < NSAMPLES; s++)
            memcpy(row + s * axis, common[rng() % 4], axis * sizeof *row);
        memcpy(row + rng() % NSAMPLES * axis, pattern, axis * sizeof *row);
        for (size_t s = 0; s < NSAMPLES; s++)
            made->phased[v * NSAMPLES + s] = v % NPHASES != 0;
        if (v % NPHASES == 2)
            made->phased[v * NSAMPLES + rng() % NSAMPLES] = 0;
    }
}

static void put_samples(struct made *made)
{
    static char names[NSAMPLES][8];
    static const char *ids[NSAMPLES];

    for (size_t s = 0; s < NSAMPLES; s++) {
        snprintf(names[s], sizeof names[s], "S%zu", s);
        ids[s] = names[s];
    }
    made_put(
        &made->store,
        &(struct made_array){
            .name = "sample_id", .dtype = "|O", .ndim = 1, .shape = {NSAMPLES}, .strings = ids});
}

static void put_sites(struct made *made)
{
    static int64_t contig[NVARIANTS], position[NVARIANTS];
    static const char *alleles[2 * NVARIANTS];
    static const char *const contigs[] = {"1"};

    for (size_t v = 0; v < NVARIANTS; v++) {
        position[v] = 1 + (int64_t)v;
        alleles[2 * v] = "A";
        alleles[2 * v + 1] = "C";
    }
    made_put(&made->store,
             &(struct made_array){"variant_contig", "|i1", 1, {NVARIANTS}, {0}, contig, NULL});
    made_put(&made->store,
             &(struct made_array){"variant_position", "<i4", 1, {NVARIANTS}, {0}, position, NULL});
    made_put(&made->store,
             &(struct made_array){"variant_allele", "|O", 2, {NVARIANTS, 2}, {0}, NULL, alleles});
    made_put(&made->store, &(struct made_array){"contig_id", "|O", 1, {1}, {0}, NULL, contigs});
}

static void make(struct made *made, unsigned axis, const char *dtype, bool planes)
{
    *made = (struct made){.axis = axis};
    made_group(&made->store);
    make_calls(made);
    put_samples(made);
    put_sites(made);
    made_put_as(&made->store,
                &(struct made_array){.name = "call_genotype",
                                     .dtype = dtype,
                                     .ndim = 3,
                                     .shape = {NVARIANTS, NSAMPLES, axis},
                                     .chunk = {50, 200, axis},
                                     .ints = made->genotype},
                planes);
    made_put(&made->store, &(struct made_array){.name = "call_genotype_phased",
                                                .dtype = "|b1",
                                                .ndim = 2,
                                                .shape = {NVARIANTS, NSAMPLES},
                                                .chunk = {64, 0},
                                                .ints = made->phased});
}

static void clear(struct made *made)
{
    made_remove(&made->store);
    free(made->genotype);
    free(made->phased);
}

static void get_calls(const struct made *made, size_t v, struct call *out, bool *possible)
{
    *possible = true;
    for (size_t s = 0; s < NSAMPLES; s++) {
        out[s] = call_of(made->genotype + (v * NSAMPLES + s) * made->axis, made->axis);
        *possible &= out[s].possible;
    }
}

static bool all_phased(const struct made *made, size_t v)
{
    for (size_t s = 0; s < NSAMPLES; s++)
        if (!made->phased[v * NSAMPLES + s])
            return false;
    return true;
}

static void check_bed(const struct call *calls, const uint8_t *row)
{
    for (size_t s = 0; s < NSAMPLES; s++) {
        static const unsigned codes[] = {3, 2, 0}; /* by the number of ALT alleles */
        const unsigned code = row[s / 4] >> 2 * (s % 4) & 3;

        assert_int_equal(code,
                         calls[s].missing ? 1 : codes[calls[s].allele[0] + calls[s].allele[1]]);
    }
}

static void due_values(const struct call *call, unsigned ploidy, bool phased, uint8_t out[2])
{
    const bool first = call->allele[0] == 0, second = call->allele[1] == 0;

    out[0] = out[1] = 0;
    if (call->missing)
        return;
    out[0] = (phased || ploidy == 1 ? first : first && second) ? 255 : 0;
    out[1] = (phased ? second : first != second) ? 255 : 0;
}

static void check_bgen(const struct call *calls, bool phased, bool haploid, const uint8_t *row,
                       uint64_t size)
{
    uint8_t due[10 + 3 * NSAMPLES] = {NSAMPLES & 0xff, NSAMPLES >> 8, 0, 0, 2, 0, 2, 1};
    uint8_t *got, *to = due + 8 + NSAMPLES;
    uint64_t nbytes;

    *to++ = phased;
    *to++ = 8;
    for (size_t s = 0; s < NSAMPLES; s++) {
        const unsigned ploidy = haploid ? calls[s].ploidy : 2;
        uint8_t values[2];

        due[6] = ploidy < due[6] ? (uint8_t)ploidy : due[6];
        due[7] = ploidy > due[7] ? (uint8_t)ploidy : due[7];
        due[8 + s] = (uint8_t)(ploidy | (calls[s].missing ? 0x80 : 0));
        due_values(&calls[s], ploidy, phased, values);
        memcpy(to, values, ploidy);
        to += ploidy;
    }
    got = bgen_data_of(row, size, &nbytes);
    assert_int_equal(nbytes, to - due);
    assert_memory_equal(got, due, nbytes);
    free(got);
}

/* Row v of a view, or NULL where the view refuses it, as it must in so many words. */
static uint8_t *row_of(const struct view *view, size_t v)
{
    const struct stream_layout *layout = &view->files[0].stream->layout;
    const uint64_t at = layout->header_nbytes + v * layout->row_nbytes;
    char variant[32];
    struct err err = {0};
    uint8_t *row = encode_range(view, at, at + layout->row_nbytes, &err);

    if (row != NULL)
        return row;
    snprintf(variant, sizeof variant, "variant %zu ", v);
    assert_int_equal(err.code, ERR_DATA);
    assert_non_null(strstr(err.msg, variant));
    return NULL;
}

static struct view *open_view(const struct made *made, const char *format, bool phased,
                              bool haploid)
{
    const struct pass_means means = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};
    struct view_options options = {.formats = {format}, .nformats = 1, .basename = "x"};
    struct view *view = NULL;
    struct err err = {0};

    if (phased)
        set(&options, format, "phased", "");
    if (haploid)
        set(&options, format, "haploid", "");
    if (view_open(made->store.path, &options, -1, &means, NULL, &view, &err) != 0)
        fail_msg("%s", err.msg);
    return view;
}

/* form: 0, the .bed; else 1 + one bit each for phase and for ploidy. */
static void check_form(const struct made *made, unsigned form)
{
    const bool phased = form > 0 && ((form - 1) & 1) != 0,
               haploid = form > 0 && ((form - 1) & 2) != 0;
    struct view *view = open_view(made, form == 0 ? "plink" : "bgen", phased, haploid);
    const uint64_t size = view->files[0].stream->layout.row_nbytes;

    for (size_t v = 0; v < NVARIANTS; v++) {
        struct call calls[NSAMPLES];
        bool possible;
        uint8_t *row = row_of(view, v);

        get_calls(made, v, calls, &possible);
        assert_int_equal(row != NULL, possible);
        if (row != NULL && form == 0)
            check_bed(calls, row);
        else if (row != NULL)
            check_bgen(calls, phased && all_phased(made, v), haploid, row, size);
        free(row);
    }
    view_free(view);
}

static void every_call_in_every_format(void **state)
{
    static const struct {
        const char *dtype;
        bool planes;
    } storage[] = {{"|i1", false}, {"|i1", true}, {"<i2", false}, {">i4", false}};

    (void)state;
    rng_state = 20261129;
    for (unsigned axis = 1; axis <= 2; axis++)
        for (size_t i = 0; i < sizeof storage / sizeof storage[0]; i++) {
            struct made made;

            make(&made, axis, storage[i].dtype, storage[i].planes);
            for (unsigned form = 0; form <= 4; form++)
                check_form(&made, form);
            clear(&made);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_in_every_format),
    };

    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
