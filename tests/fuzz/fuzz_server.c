/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol as the encoder hears it: a front that says anything, in any order, to a real server
 * with real stores (the vectors, if VCZFS_VECTORS names them). What the server answers is always
 * well-formed, its spans lie in its arena, and it ends when the front hangs up.
 */
#include "common/log.h"
#include "encoderd/serve/server.h"
#include "tests/fuzz/fuzz_talk.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#define LAST_ID     UINT64_C(0x6c617374)
#define ANSWER_WAIT 20 /* seconds */

struct front {
    int fd;
    struct proto_scratch *scratch;
    uint64_t arena_size;
    bool over; /* the server hung up, or answered the last question */
};

/* Seeds name stores by their last component; libFuzzer needs the working directory to stay, so that
 * only this thread and those it starts go elsewhere. */
static void go_to_stores(void)
{
    const char *vectors = getenv("VCZFS_VECTORS");

    REQUIRE(unshare(CLONE_FS) == 0);
    if (vectors != NULL && (chdir(vectors) != 0 || chdir("stores") != 0))
        fprintf(stderr, "no stores in %s: the server will find none\n", vectors);
}

static void *serve(void *arg)
{
    const struct server_config config = {
        .memory = (uint64_t)16 << 20, .nthreads = 2, .no_sandbox = true};
    struct err err = {0};

    go_to_stores();
    server_run(*(int *)arg, &config, &err);
    return NULL;
}

static void take_answer(struct front *front, struct wire_packet *packet)
{
    struct msg msg;
    struct err err = {0};

    REQUIRE(wire_unpack(packet, front->scratch, &msg, &err) == 0);
    wire_close_fds(packet->fds, packet->nfds);
    if (msg.type == MSG_OPENED)
        front->arena_size = msg.u.opened.arena_size;
    if (msg.type == MSG_SPAN)
        REQUIRE(msg.u.span.at <= front->arena_size &&
                msg.u.span.length <= front->arena_size - msg.u.span.at);
    if (msg.type == MSG_COUNTERS && msg.u.counters.id == LAST_ID)
        front->over = true;
    REQUIRE(msg.type == MSG_HELLO || msg.type >= MSG_PROGRESS);
}

/* Hears what there is to hear. */
static void listen_now(struct front *front)
{
    static struct wire_packet packet;

    for (;;) {
        struct err err = {0};
        bool reset = false;

        switch (wire_recv(front->fd, &packet, &reset, &err)) {
        case WIRE_OK:
            take_answer(front, &packet);
            break;
        case WIRE_AGAIN:
            return;
        case WIRE_GONE:
        case WIRE_ERROR:
            if (reset)
                break;
            front->over = true;
            return;
        }
    }
}

/* Asks for counters, which are answered at once and in order, and waits for them. */
static void finish(struct front *front)
{
    const struct msg last = {.type = MSG_STATS, .u.stats = {LAST_ID}};
    const time_t begin = time(NULL);
    struct buf packet = {0};
    struct err err = {0};
    bool sent = false;

    REQUIRE(proto_pack(&last, &packet, &err) == 0);
    while (!front->over) {
        struct pollfd poll_fd = {front->fd, (short)(sent ? POLLIN : POLLIN | POLLOUT), 0};

        REQUIRE(time(NULL) - begin < ANSWER_WAIT);
        poll(&poll_fd, 1, 1000);
        if (!sent)
            sent = wire_send(front->fd, packet.data, packet.len, NULL, 0, &err) != WIRE_AGAIN;
        listen_now(front);
    }
    buf_free(&packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct front front = {.scratch = proto_scratch_new()};
    pthread_t thread;
    int pair[2];

    log_init("fuzz", LOG_LEVEL_ERROR, STDERR_FILENO);
    REQUIRE(front.scratch != NULL);
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    front.fd = pair[0];
    REQUIRE(pthread_create(&thread, NULL, serve, &pair[1]) == 0);
    while (talk_send(front.fd, &data, &size))
        listen_now(&front);
    finish(&front);
    close(front.fd);
    REQUIRE(pthread_join(thread, NULL) == 0);
    proto_scratch_free(front.scratch);
    return 0;
}
