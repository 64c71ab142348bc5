/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manyreads: many random readers of one file, and a sequential one beside them if it is wanted. One
 * line of JSON: how fast each kind was while all of them were at it.
 *
 * Random readers read 4 KiB past the page cache (O_DIRECT), so that every read goes to the file
 * system. The sequential one reads through the page cache, 1 MiB at a time, to the end.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE        4096
#define PIECE       ((size_t)1 << 20)
#define THREADS_MAX 256
#define HEAD_START  200000 /* us for random readers to be at it */

static const char *path;
static uint64_t size;
static atomic_bool stop;
static atomic_ulong nreads;

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *read_randomly(void *arg)
{
    const int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    uint64_t rng = (uint64_t)(uintptr_t)arg * 104729 + 1;
    void *buf = aligned_alloc(PAGE, PAGE);

    if (fd < 0 || buf == NULL)
        err(1, "%s", path);
    while (!stop) {
        rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (pread(fd, buf, PAGE, (off_t)((rng >> 20) % (size / PAGE) * PAGE)) < 0)
            err(1, "%s", path);
        nreads++;
    }
    free(buf);
    close(fd);
    return NULL;
}

/* Bytes read until the end, or the time. */
static uint64_t read_through(double until)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *buf = malloc(PIECE);
    uint64_t at = 0;
    ssize_t n;

    if (fd < 0 || buf == NULL)
        err(1, "%s", path);
    while (now() < until && (n = pread(fd, buf, PIECE, (off_t)at)) > 0)
        at += (uint64_t)n;
    free(buf);
    close(fd);
    return at;
}

static void measure(bool sequential, double seconds)
{
    const unsigned long before = nreads;
    const double begin = now();
    uint64_t nbytes = 0;
    double took;

    if (sequential)
        nbytes = read_through(begin + seconds);
    else
        usleep((useconds_t)(seconds * 1e6));
    took = now() - begin;
    printf("{\"seconds\": %.4f, \"random_per_s\": %.1f, \"sequential_mb_s\": %.2f}\n", took,
           (double)(nreads - before) / took, (double)nbytes / took / 1e6);
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    unsigned nthreads = 0;
    bool sequential = false;
    double seconds = 10;
    struct stat st;
    int opt;

    while ((opt = getopt(argc, argv, "r:st:")) != -1) {
        if (opt == 'r')
            nthreads = (unsigned)strtoul(optarg, NULL, 10);
        else if (opt == 's')
            sequential = true;
        else if (opt == 't')
            seconds = strtod(optarg, NULL);
        else
            optind = argc;
    }
    if (optind + 1 != argc || nthreads > THREADS_MAX)
        errx(2, "usage: manyreads [-r RANDOM-READERS] [-s (sequential)] [-t SECONDS] FILE");
    path = argv[optind];
    if (stat(path, &st) != 0 || st.st_size < PAGE)
        err(1, "%s", path);
    size = (uint64_t)st.st_size;
    for (unsigned i = 0; i < nthreads; i++)
        if (pthread_create(&threads[i], NULL, read_randomly, (void *)(uintptr_t)(i + 1)) != 0)
            errx(1, "no thread");
    if (nthreads > 0)
        usleep(HEAD_START);
    measure(sequential, seconds);
    stop = true;
    for (unsigned i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
