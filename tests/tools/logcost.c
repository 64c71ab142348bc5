/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logcost: what a line of the access log costs the front, in nanoseconds of computing, the kernel's
 * part of writing it included.
 *
 * usage: logcost FILE
 *
 * The least of several rounds of many lines: what else the machine does only adds to it.
 */
#include "fused/files/access_log.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20
#define LINES  20000

static uint64_t computed_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t round_of_lines(struct access_log *log)
{
    const uint64_t begun = computed_ns();

    for (uint64_t i = 0; i < LINES; i++) {
        const struct access_entry entry = {.kind = "read",
                                           .name = "cohort.bed",
                                           .handle = 12,
                                           .offset = i * 131072,
                                           .size = 131072,
                                           .t_start = access_log_now(log)};

        access_log_add(log, &entry);
    }
    return (computed_ns() - begun) / LINES;
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    uint64_t least = UINT64_MAX;
    struct access_log *log;
    struct err why = {0};
    int fd;

    if (argc != 2)
        errx(2, "usage: logcost FILE");
    fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
    if (fd < 0)
        err(2, "%s", argv[1]);
    log = base == NULL ? NULL : access_log_new(base, fd, &why);
    if (log == NULL)
        errx(2, "%s", why.msg);
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t ns = round_of_lines(log);

        least = ns < least ? ns : least;
    }
    access_log_free(log);
    event_base_free(base);
    printf("%" PRIu64 "\n", least);
    return 0;
}
