/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readcheck: reads a file in one of several ways and holds every byte against a copy that is known
 * to be right. One line of JSON about what it saw; exit status 1 if a read failed or a byte was
 * wrong. SIGTERM ends it after the read that it is in.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ALIGN     4096
#define PIECE     (128 << 10) /* of a sequential reader */
#define NSAMPLES  (1 << 20)   /* latencies kept */
#define COMPLAINT 200

enum mode { MODE_SEQ, MODE_RAND, MODE_MMAP, MODE_DIRECT, MODE_MIX };

static const char *const mode_names[] = {"seq", "rand", "mmap", "direct", "mix"};

struct options {
    enum mode mode;
    uint64_t nops;  /* 0: no limit */
    double seconds; /* 0: no limit */
    uint64_t seed;
    size_t size_max;
    unsigned pause_us; /* after each read */
    const char *path, *oracle;
};

struct state {
    const struct options *opt;
    int fd, direct; /* direct: O_DIRECT, or -1 */
    const uint8_t *due, *map;
    uint64_t size;
    uint8_t *buf;
    uint64_t rng, at;
    uint64_t ops, bytes, errors, wrong;
    char complaint[COMPLAINT]; /* the first */
    uint32_t *us;              /* latencies */
};

static sigjmp_buf no_page;

/* SIGTERM is never delivered: a signal that is would interrupt the read that it meets. */
static void hold_term(void)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
}

static bool ended(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && sigismember(&waiting, SIGTERM) == 1;
}

static void on_bus(int sig)
{
    (void)sig;
    siglongjmp(no_page, 1);
}

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t draw(struct state *s, uint64_t below)
{
    s->rng ^= s->rng << 13;
    s->rng ^= s->rng >> 7;
    s->rng ^= s->rng << 17;
    return s->rng % below;
}

static void complain(struct state *s, uint64_t *counter, const char *what, uint64_t at, size_t n)
{
    if (s->complaint[0] == '\0')
        snprintf(s->complaint, sizeof s->complaint, "%s at %" PRIu64 "+%zu", what, at, n);
    ++*counter;
}

/* [at, at + n) came as `got`. */
static void judge(struct state *s, const uint8_t *got, uint64_t at, size_t n)
{
    if (memcmp(got, s->due + at, n) != 0) {
        char what[COMPLAINT / 2];
        size_t first = 0, nwrong = 0;

        for (size_t i = n; i-- > 0;) {
            if (got[i] != s->due[at + i]) {
                first = i;
                nwrong++;
            }
        }
        snprintf(what, sizeof what, "%zu wrong bytes, the first %" PRIu64 ": %02x for %02x,",
                 nwrong, at + first, got[first], s->due[at + first]);
        complain(s, &s->wrong, what, at, n);
    }
    s->bytes += n;
}

/* What lies in the file of n bytes asked for at `at`. */
static size_t clip(const struct state *s, uint64_t at, size_t n)
{
    return at >= s->size ? 0 : s->size - at < n ? (size_t)(s->size - at) : n;
}

/* A read that ends early is read on, as any program would: what it could not read says why. */
static void read_at(struct state *s, int fd, uint64_t at, size_t n)
{
    const uint64_t end = at + clip(s, at, n);

    do {
        const ssize_t got = pread(fd, s->buf, n, (off_t)at);

        if (got <= 0 && (got < 0 || at < end)) {
            complain(s, &s->errors, got < 0 ? strerrorname_np(errno) : "EOF", at, n);
            return;
        }
        if ((uint64_t)got > end - at && at < end) {
            complain(s, &s->wrong, "more than there is", at, n);
            return;
        }
        judge(s, s->buf, at, (size_t)got);
        at += (uint64_t)got;
        n -= (size_t)got;
    } while (at < end);
}

static void read_mapped(struct state *s, uint64_t at, size_t n)
{
    n = clip(s, at, n);
    if (sigsetjmp(no_page, 1) == 0)
        judge(s, s->map + at, at, n);
    else
        complain(s, &s->errors, "SIGBUS", at, n);
}

static void forget_pages(struct state *s)
{
    madvise((void *)(uintptr_t)s->map, s->size, MADV_DONTNEED);
    posix_fadvise(s->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void read_next(struct state *s)
{
    if (s->at >= s->size) {
        s->at = 0;
        forget_pages(s);
    }
    read_at(s, s->fd, s->at, PIECE);
    s->at += PIECE;
}

static void read_direct(struct state *s)
{
    const uint64_t at = draw(s, s->size) / ALIGN * ALIGN;

    read_at(s, s->direct, at, (1 + draw(s, s->opt->size_max / ALIGN)) * ALIGN);
}

/* Sizes from 1 byte to size_max, small ones as likely as large ones. */
static size_t any_size(struct state *s)
{
    unsigned bits = 0;

    while (s->opt->size_max >> bits > 1)
        bits++;
    return (size_t)(1 + draw(s, UINT64_C(1) << draw(s, bits + 1)));
}

static void read_mixed(struct state *s)
{
    const uint64_t at = draw(s, s->size + ALIGN); /* beyond the end, too */
    struct stat st;

    switch (draw(s, 8)) {
    case 0:
        forget_pages(s);
        break;
    case 1:
        if (fstat(s->fd, &st) != 0 || (uint64_t)st.st_size != s->size)
            complain(s, &s->errors, "wrong size", 0, 0);
        break;
    case 2:
    case 3:
        read_mapped(s, draw(s, s->size), any_size(s));
        break;
    case 4:
        read_direct(s);
        break;
    default:
        read_at(s, s->fd, at, any_size(s));
    }
}

static void read_once(struct state *s)
{
    switch (s->opt->mode) {
    case MODE_SEQ:
        read_next(s);
        break;
    case MODE_RAND:
        forget_pages(s);
        read_at(s, s->fd, draw(s, s->size), any_size(s));
        break;
    case MODE_MMAP:
        forget_pages(s);
        read_mapped(s, draw(s, s->size), any_size(s));
        break;
    case MODE_DIRECT:
        read_direct(s);
        break;
    case MODE_MIX:
        read_mixed(s);
        break;
    }
}

static void work(struct state *s)
{
    const uint64_t begun = now_us();

    while (!ended() && (s->opt->nops == 0 || s->ops < s->opt->nops)) {
        const uint64_t before = now_us();
        uint64_t took;

        if (s->opt->seconds > 0 && (double)(before - begun) > s->opt->seconds * 1e6)
            break;
        read_once(s);
        took = now_us() - before;
        s->us[s->ops++ % NSAMPLES] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        if (s->opt->pause_us > 0)
            usleep(s->opt->pause_us);
    }
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void report(struct state *s)
{
    const size_t n = s->ops < NSAMPLES ? (size_t)s->ops : NSAMPLES;

    qsort(s->us, n, sizeof *s->us, compare);
    printf("{\"mode\": \"%s\", \"ops\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"errors\": %" PRIu64
           ", \"wrong\": %" PRIu64 ", \"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u, "
           "\"complaint\": \"%s\"}\n",
           mode_names[s->opt->mode], s->ops, s->bytes, s->errors, s->wrong, n ? s->us[n / 2] : 0,
           n ? s->us[n - 1 - n / 100] : 0, n ? s->us[n - 1] : 0, s->complaint);
}

static const uint8_t *map_file(int fd, uint64_t *size, const char *path)
{
    struct stat st;
    void *map;

    if (fd < 0 || fstat(fd, &st) != 0)
        err(2, "%s", path);
    *size = (uint64_t)st.st_size;
    map = mmap(NULL, (size_t)*size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        err(2, "cannot map %s", path);
    return map;
}

static void open_files(struct state *s)
{
    uint64_t due_size;

    s->fd = open(s->opt->path, O_RDONLY);
    s->map = map_file(s->fd, &s->size, s->opt->path);
    s->due = map_file(open(s->opt->oracle, O_RDONLY), &due_size, s->opt->oracle);
    if (due_size != s->size)
        errx(2, "%s has %" PRIu64 " bytes, %s %" PRIu64, s->opt->path, s->size, s->opt->oracle,
             due_size);
    s->direct = open(s->opt->path, O_RDONLY | O_DIRECT);
    if (s->direct < 0)
        err(2, "%s: O_DIRECT", s->opt->path);
    s->buf = aligned_alloc(ALIGN, (s->opt->size_max + PIECE + 2 * ALIGN) / ALIGN * ALIGN);
    s->us = calloc(NSAMPLES, sizeof *s->us);
    if (s->buf == NULL || s->us == NULL)
        errx(2, "out of memory");
}

static enum mode parse_mode(const char *text)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++)
        if (strcmp(text, mode_names[i]) == 0)
            return (enum mode)i;
    errx(2, "there is no mode %s", text);
}

static void parse(int argc, char **argv, struct options *opt)
{
    int id;

    while ((id = getopt(argc, argv, "m:n:t:s:b:p:")) != -1) {
        switch (id) {
        case 'm':
            opt->mode = parse_mode(optarg);
            break;
        case 'n':
            opt->nops = strtoull(optarg, NULL, 10);
            break;
        case 't':
            opt->seconds = strtod(optarg, NULL);
            break;
        case 's':
            opt->seed = strtoull(optarg, NULL, 10);
            break;
        case 'b':
            opt->size_max = strtoull(optarg, NULL, 10);
            break;
        case 'p':
            opt->pause_us = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    if (argc - optind != 2 || opt->size_max < ALIGN)
        errx(2,
             "usage: readcheck [-m MODE] [-n OPS] [-t SECONDS] [-s SEED] [-b BYTES] [-p PAUSE_US] "
             "FILE ORACLE");
    opt->path = argv[optind];
    opt->oracle = argv[optind + 1];
}

int main(int argc, char **argv)
{
    struct options opt = {.seed = 1, .size_max = 256 << 10};
    struct state s = {.opt = &opt};

    parse(argc, argv, &opt);
    s.rng = opt.seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    hold_term();
    signal(SIGBUS, on_bus);
    open_files(&s);
    work(&s);
    report(&s);
    free(s.buf);
    free(s.us);
    return s.errors + s.wrong > 0 ? 1 : 0;
}
