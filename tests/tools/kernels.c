/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels: what the genotype kernels cost, over one fixed row of calls.
 *
 * usage: kernels count [all]  instructions, stepped through one by one: the same on every run and
 *                             on a busy machine, also for those that valgrind does not know
 *        kernels time         cycles of the time stamp counter, the best of many runs
 *        kernels run NAME     that kernel alone, once: for callgrind
 *                             --toggle-collect=run_kernel, or perf
 *
 * Prints a line for each kernel that the machine can run: name, bytes of output, instructions or
 * cycles. memcpy moves as many bytes as a .bed row has, or a .bgen's; its instructions are counted
 * without "rep movsb", which is one.
 */
#include "encoderd/encode/extract.h"
#include "encoderd/format/bed.h"
#include "encoderd/format/bgen_calls.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* A row of the 1000 Genomes to count, for every step costs microseconds; a longer one to time. */
#define NCALLS_COUNT 2504
#define NCALLS       20000
#define PLANE_NBYTES (2 * NCALLS / 8 + 64)
#define BATCHES      50
#define BATCH        100

static int8_t alleles[2 * NCALLS];
static uint8_t plane_bytes[8 * PLANE_NBYTES + 64], from[3 * NCALLS], out[3 * NCALLS + 64];
static uint64_t mask[2 * NCALLS / 64];
static uint64_t ncalls = NCALLS;

/* Rare alternate alleles and rarer missing calls, from a fixed stream. */
static void make_input(void)
{
    uint64_t state = 88172645463325252u;

    for (size_t i = 0; i < 2 * NCALLS; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        alleles[i] = state % 1000 < 5 ? -1 : state % 1000 < 55;
        if (i % 2 == 1 && alleles[i - 1] < 0)
            alleles[i] = -1;
        for (unsigned p = 0; p < 8; p++)
            plane_bytes[p * PLANE_NBYTES + i / 8] |=
                (uint8_t)(((uint8_t)alleles[i] >> p & 1) << i % 8);
        mask[i / 64] |= (uint64_t)(i / 2 % 2) << i % 64;
    }
}

struct kernel {
    char name[48];
    size_t nbytes; /* of output */
    bed_planes_fn *bed;
    bgen_planes_fn *bgen;
    bgen_alleles_fn *bgen_alleles;
    uint64_t first;
    unsigned shift;
    bool phased;
    bool low; /* of planes 0 and 1 alone, as most blocks are; what they make of this row is no
                 genotype */
    void (*other)(void);
    bool plain; /* many instructions: counted only if all are wanted */
};

static void bed_alleles(void)
{
    bed_from_alleles(alleles, 2, ncalls, 0, true, out);
}

static void subset(void)
{
    extract_bits(plane_bytes, 0, mask, (size_t)ncalls / 32, out);
}

static void subset_plain(void)
{
    extract_bits_plain(plane_bytes, 0, mask, (size_t)ncalls / 32, out);
}

/* Not to be made into moves of a known size. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static void copy_bed(void)
{
    copy(out, from, ncalls / 4);
}

static void copy_bgen(void)
{
    copy(out, from, 3 * ncalls);
}

static void nothing(void)
{
}

__attribute__((noinline)) void run_kernel(const struct kernel *kernel);
void run_kernel(const struct kernel *kernel)
{
    const struct bgen_out to = {out, out + ncalls, kernel->phased, false};
    struct bgen_sums sums = {0};
    const struct planes planes = {plane_bytes, PLANE_NBYTES, kernel->low ? PLANES_LOW : PLANES_ALL};
    const uint64_t n = ncalls - kernel->first / 2;

    if (kernel->bed != NULL)
        kernel->bed(&planes, kernel->first, 2, n, kernel->shift, true, out);
    else if (kernel->bgen != NULL)
        kernel->bgen(&planes, kernel->first, 2, n, &to, &sums);
    else if (kernel->bgen_alleles != NULL)
        kernel->bgen_alleles(alleles, 2, n, &to, &sums);
    else
        kernel->other();
}

static size_t add_bed(struct kernel *to)
{
    size_t n = 0;

    for (const char *const *name = bed_planes_names; *name != NULL; name++)
        for (unsigned kind = 0; kind < 3 && bed_planes_impl(*name) != NULL; kind++) {
            static const char *const kinds[] = {"", "-unaligned", "-low"};
            const unsigned shift = kind == 1;

            to[n] = (struct kernel){.nbytes = (size_t)ncalls / 4,
                                    .bed = bed_planes_impl(*name),
                                    .first = 6 * shift,
                                    .shift = shift,
                                    .low = kind == 2};
            snprintf(to[n++].name, sizeof to->name, "bed-planes-%s%s", *name, kinds[kind]);
        }
    return n;
}

static size_t add_bgen(struct kernel *to)
{
    size_t n = 0;

    for (const char *const *name = bgen_impl_names; *name != NULL; name++) {
        const struct bgen_impl *impl = bgen_impl(*name);

        if (impl == NULL)
            continue;
        for (unsigned kind = 0; kind < 3; kind++) {
            static const char *const kinds[] = {"", "-phased", "-low"};

            to[n] = (struct kernel){.nbytes = 3 * (size_t)ncalls,
                                    .bgen = impl->planes,
                                    .phased = kind == 1,
                                    .low = kind == 2};
            snprintf(to[n++].name, sizeof to->name, "bgen-planes-%s%s", *name, kinds[kind]);
        }
        to[n] = (struct kernel){.nbytes = 3 * (size_t)ncalls, .bgen_alleles = impl->alleles};
        snprintf(to[n++].name, sizeof to->name, "bgen-alleles-%s", *name);
    }
    return n;
}

static size_t add_others(struct kernel *to)
{
    const struct kernel others[] = {
        {.name = "bed-alleles", .nbytes = (size_t)ncalls / 4, .other = bed_alleles, .plain = true},
        {.name = "bgen-alleles-plain",
         .nbytes = 3 * (size_t)ncalls,
         .bgen_alleles = bgen_from_alleles_plain,
         .plain = true},
        {.name = "subset-plain",
         .nbytes = (size_t)ncalls / 8,
         .other = subset_plain,
         .plain = true},
        {.name = "memcpy-bed", .nbytes = (size_t)ncalls / 4, .other = copy_bed},
        {.name = "memcpy-bgen", .nbytes = 3 * (size_t)ncalls, .other = copy_bgen},
        {.name = "subset-bmi2", .nbytes = (size_t)ncalls / 8, .other = subset},
    };
    size_t n = sizeof others / sizeof others[0] - !extract_is_fast();

    memcpy(to, others, n * sizeof *to);
    return n;
}

static volatile uint64_t steps;

static void on_trap(int signal)
{
    (void)signal;
    steps++;
}

/* The processor's trap flag: a signal after every instruction. The red zone is left alone. */
static void trap(bool on)
{
#if defined(__x86_64__)
    if (on)
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; "
                         "lea 128(%%rsp), %%rsp" ::
                             : "memory", "cc");
    else
        __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; "
                         "lea 128(%%rsp), %%rsp" ::
                             : "memory", "cc");
#else
    (void)on;
    errx(3, "instructions are counted on x86-64 only");
#endif
}

static uint64_t count_steps(const struct kernel *kernel)
{
    signal(SIGTRAP, on_trap);
    run_kernel(kernel); /* pages are there, symbols are bound */
    steps = 0;
    trap(true);
    run_kernel(kernel);
    trap(false);
    return steps;
}

static uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
#endif
}

static double best_ticks(const struct kernel *kernel)
{
    uint64_t best = UINT64_MAX;

    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t begin = ticks(), took;

        for (int i = 0; i < BATCH; i++)
            run_kernel(kernel);
        took = ticks() - begin;
        best = took < best ? took : best;
    }
    return (double)best / BATCH;
}

/* What "rep movsb" repeats is stepped through one by one, so memcpy has to do without. */
static void without_rep(char **argv)
{
    static const char tunables[] = "glibc.cpu.x86_rep_movsb_threshold=1073741824";
    const char *set = getenv("GLIBC_TUNABLES");

    if (set != NULL && strcmp(set, tunables) == 0)
        return;
    setenv("GLIBC_TUNABLES", tunables, 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    const struct kernel empty = {.other = nothing};
    struct kernel kernels[32];
    size_t n;

    if (argc < 2 || argc > 3)
        errx(2, "usage: kernels count|time|run NAME");
    if (strcmp(argv[1], "count") == 0)
        without_rep(argv);
    if (strcmp(argv[1], "time") != 0)
        ncalls = NCALLS_COUNT;
    n = add_bed(kernels);
    n += add_bgen(kernels + n);
    n += add_others(kernels + n);
    make_input();
    for (size_t i = 0; i < n; i++) {
        const struct kernel *kernel = &kernels[i];

        if (strcmp(argv[1], "count") == 0 && (argc == 3 || !kernel->plain))
            printf("%s %zu %llu\n", kernel->name, kernel->nbytes,
                   (unsigned long long)(count_steps(kernel) - count_steps(&empty)));
        else if (strcmp(argv[1], "time") == 0)
            printf("%s %zu %.1f\n", kernel->name, kernel->nbytes, best_ticks(kernel));
        else if (argc == 3 && strcmp(argv[2], kernel->name) == 0)
            run_kernel(kernel);
        fflush(stdout);
    }
    return 0;
}
