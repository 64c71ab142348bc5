/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cleanup.h"
#include "common/memfd.h"
#include "proto/conn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define GOT_MAX 4096

/* One end, and what happened to it. */
struct end {
    struct conn *conn;
    uint64_t got[GOT_MAX]; /* ids of the messages, in order */
    size_t ngot;
    size_t nclosed;
    struct err why;
    struct end *other; /* to be freed on message */
    bool free_on_message, fail_on_message, echo;
    char content[16]; /* of the last descriptor */
    bool close_on_exec;
};

struct fixture {
    struct event_base *base;
    int nfds_before;
    struct end a, b;
    int raw; /* instead of b's conn: the peer's bare socket, or -1 */
};

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static struct msg stats(uint64_t id)
{
    return (struct msg){MSG_STATS, {.stats = {.id = id}}};
}

static void take_content(struct end *end, const int *fds, size_t nfds)
{
    for (size_t i = 0; i < nfds; i++) {
        memset(end->content, 0, sizeof end->content);
        assert_true(pread(fds[i], end->content, sizeof end->content - 1, 0) >= 0);
        end->close_on_exec = (fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0;
        close(fds[i]);
    }
}

static void on_message(struct conn *conn, const struct msg *msg, const int *fds, void *arg)
{
    struct end *end = arg;
    char name[8] = "";

    assert_ptr_equal(conn, end->conn);
    assert_int_equal(end->nclosed, 0);
    take_content(end, fds, msg_nfds(msg));
    assert_true(end->ngot < GOT_MAX);
    end->got[end->ngot++] = msg->type == MSG_STATS ? msg->u.stats.id : 0;
    if (end->echo)
        conn_send(conn, msg, NULL, 0);
    if (end->fail_on_message)
        conn_fail(conn, ERR_PEER, "enough");
    if (end->other != NULL) {
        conn_free(end->other->conn);
        end->other->conn = NULL;
    }
    if (end->free_on_message) {
        conn_free(conn);
        end->conn = NULL;
    }
    /* The message outlives the connection until the handler returns. */
    if (msg->type == MSG_NOTICE)
        snprintf(name, sizeof name, "%s", msg->u.notice.text);
}

static void on_closed(struct conn *conn, const struct err *why, void *arg)
{
    struct end *end = arg;

    end->nclosed++;
    end->why = *why;
    conn_free(conn);
    end->conn = NULL;
}

static const struct conn_handlers handlers = {on_message, on_closed};

static struct conn *make_conn(struct fixture *fixture, int fd, struct end *end)
{
    struct err err;
    struct conn *conn = conn_new(fixture->base, fd, &handlers, end, &err);

    assert_non_null(conn);
    return conn;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int pair[2];

    if (fixture == NULL)
        return -1;
    fixture->nfds_before = count_fds();
    fixture->base = event_base_new();
    assert_non_null(fixture->base);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    fixture->a.conn = make_conn(fixture, pair[0], &fixture->a);
    fixture->b.conn = make_conn(fixture, pair[1], &fixture->b);
    fixture->raw = -1;
    *state = fixture;
    return 0;
}

/* The same with a bare socket for the peer. */
static int setup_raw(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int pair[2];

    if (fixture == NULL)
        return -1;
    fixture->nfds_before = count_fds();
    fixture->base = event_base_new();
    assert_non_null(fixture->base);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fixture->a.conn = make_conn(fixture, pair[0], &fixture->a);
    fixture->raw = pair[1];
    *state = fixture;
    return 0;
}

/* Every test ends with the descriptors that it began with. */
static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int before = fixture->nfds_before;

    conn_free(fixture->a.conn);
    conn_free(fixture->b.conn);
    if (fixture->raw >= 0)
        close(fixture->raw);
    event_base_free(fixture->base);
    free(fixture);
    if (count_fds() == before)
        return 0;
    print_error("%d descriptors before, %d after\n", before, count_fds());
    return -1;
}

/* Until nothing is left to do; bounded so that a busy loop is a failure and not a hang. */
static void run(struct fixture *fixture)
{
    int idle = 0;

    for (int i = 0; i < 100000 && idle < 3; i++) {
        size_t before = fixture->a.ngot + fixture->b.ngot + fixture->a.nclosed + fixture->b.nclosed;

        event_base_loop(fixture->base, EVLOOP_NONBLOCK);
        idle = before == fixture->a.ngot + fixture->b.ngot + fixture->a.nclosed + fixture->b.nclosed
                   ? idle + 1
                   : 0;
    }
    assert_int_equal(idle, 3);
}

static int memfd_with(const char *text)
{
    int fd = memfd_open("test", NULL);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void assert_closed(const struct end *end, const char *word)
{
    assert_int_equal(end->nclosed, 1);
    assert_int_equal(end->why.code, ERR_PEER);
    if (strstr(end->why.msg, word) == NULL)
        fail_msg("'%s' does not say '%s'", end->why.msg, word);
}

static void test_order(void **state)
{
    struct fixture *fixture = *state;

    fixture->b.echo = true;
    for (uint64_t id = 0; id < 100; id++) {
        struct msg msg = stats(id);

        conn_send(fixture->a.conn, &msg, NULL, 0);
    }
    run(fixture);
    assert_int_equal(fixture->b.ngot, 100);
    assert_int_equal(fixture->a.ngot, 100);
    for (uint64_t id = 0; id < 100; id++) {
        assert_int_equal(fixture->b.got[id], id);
        assert_int_equal(fixture->a.got[id], id);
    }
    assert_int_equal(fixture->a.nclosed + fixture->b.nclosed, 0);
}

/* More than the socket holds, some of it with descriptors that the sender closes at once. */
static void test_queue(void **state)
{
    struct fixture *fixture = *state;
    struct msg file = {MSG_FILE, {.file = {.name = "x", .kind = FILE_SIDECAR}}};

    for (uint64_t id = 0; id < 2000; id++) {
        struct msg msg = stats(id);

        conn_send(fixture->a.conn, &msg, NULL, 0);
    }
    assert_true(conn_queued(fixture->a.conn) > 0);
    {
        AUTO_CLOSE int fd = memfd_with("queued");

        conn_send(fixture->a.conn, &file, &fd, 1);
    }
    run(fixture);
    assert_int_equal(conn_queued(fixture->a.conn), 0);
    assert_int_equal(fixture->b.ngot, 2001);
    for (uint64_t id = 0; id < 2000; id++)
        assert_int_equal(fixture->b.got[id], id);
    assert_string_equal(fixture->b.content, "queued");
    assert_true(fixture->b.close_on_exec);
}

/* Sees message `id` on the bare socket. False if there is none within 0 ms. */
static bool raw_sees(int fd, uint64_t id, struct proto_scratch *scratch)
{
    int fds[PROTO_FDS_MAX];
    struct msg msg;

    if (proto_recv(fd, 0, scratch, &msg, fds, NULL) != 0)
        return false;
    assert_int_equal(msg.u.stats.id, id);
    return true;
}

/* The socket has room again before the loop has sent what is queued: what is new still waits. */
static void test_no_overtaking(void **state)
{
    struct fixture *fixture = *state;
    struct proto_scratch *scratch = proto_scratch_new();
    uint64_t nsent = 0, nseen = 0;

    while (conn_queued(fixture->a.conn) == 0) {
        struct msg msg = stats(nsent++);

        conn_send(fixture->a.conn, &msg, NULL, 0);
    }
    while (raw_sees(fixture->raw, nseen, scratch))
        nseen++;
    assert_int_equal(nseen, nsent - 1);
    for (int i = 0; i < 3; i++) {
        struct msg msg = stats(nsent++);

        conn_send(fixture->a.conn, &msg, NULL, 0);
    }
    run(fixture);
    while (raw_sees(fixture->raw, nseen, scratch))
        nseen++;
    assert_int_equal(nseen, nsent);
    proto_scratch_free(scratch);
}

static void test_queue_limit(void **state)
{
    struct fixture *fixture = *state;
    AUTO_CLOSE int fd = memfd_with("x");
    char text[PROTO_STRING_MAX + 1];
    struct msg notice = {MSG_NOTICE, {.notice = {.text = text}}};
    struct msg file = {MSG_FILE, {.file = {.name = "x", .kind = FILE_SIDECAR}}};
    size_t nsent = 0;

    memset(text, 'x', sizeof text);
    text[PROTO_STRING_MAX] = '\0';
    while (nsent < 10000 && (nsent < 200 || conn_queued(fixture->a.conn) > 0)) {
        conn_send(fixture->a.conn, &notice, NULL, 0);
        if (nsent % 100 == 0)
            conn_send(fixture->a.conn, &file, &fd, 1);
        nsent++;
        assert_true(conn_queued(fixture->a.conn) <= 4u << 20);
    }
    assert_true(nsent > 1000 && nsent < 10000);
    assert_int_equal(fixture->a.nclosed, 0);
    run(fixture);
    assert_closed(&fixture->a, "does not read");
    assert_closed(&fixture->b, "closed");
}

static void test_fds(void **state)
{
    struct fixture *fixture = *state;
    AUTO_CLOSE int one = memfd_with("one");
    AUTO_CLOSE int two = memfd_with("two");
    int fds[] = {one, two};
    struct msg opened = {MSG_OPENED, {.opened = {.has_state = true}}};

    conn_send(fixture->a.conn, &opened, fds, 2);
    run(fixture);
    assert_int_equal(fixture->b.ngot, 1);
    assert_string_equal(fixture->b.content, "two");
    assert_true(fixture->b.close_on_exec);
    assert_true(fcntl(one, F_GETFD) >= 0);
}

/* conn will not send what the peer would refuse. */
static void test_send_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct msg opened = {MSG_OPENED, {.opened = {.has_state = true}}};

    conn_send(fixture->a.conn, &opened, NULL, 0);
    assert_int_equal(fixture->a.nclosed, 0);
    run(fixture);
    assert_closed(&fixture->a, "descriptors");
    assert_int_equal(fixture->b.ngot, 0);
    assert_closed(&fixture->b, "closed");
}

static void test_send_unpackable(void **state)
{
    struct fixture *fixture = *state;
    struct msg notice = {MSG_NOTICE, {.notice = {.text = NULL}}};

    conn_send(fixture->a.conn, &notice, NULL, 0);
    run(fixture);
    assert_closed(&fixture->a, "notice");
}

static void raw_send(int fd, const struct msg *msg, const int *fds, size_t nfds)
{
    CLEANUP(buf_free) struct buf packet = {0};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec iov;
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

    assert_int_equal(proto_pack(msg, &packet, NULL), 0);
    iov = (struct iovec){packet.data, packet.len};
    if (nfds > 0) {
        struct cmsghdr *cmsg;

        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&header);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
    }
    assert_int_equal(sendmsg(fd, &header, MSG_NOSIGNAL), packet.len);
}

static void test_bad_packet(void **state)
{
    struct fixture *fixture = *state;
    struct msg good = stats(1);

    raw_send(fixture->raw, &good, NULL, 0);
    assert_int_equal(send(fixture->raw,
                          "\x81\xa1t\xa3"
                          "bad",
                          7, 0),
                     7);
    raw_send(fixture->raw, &good, NULL, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_closed(&fixture->a, "name of a message");
    /* The rest of the world goes on: the loop has nothing left to call. */
    run(fixture);
    assert_int_equal(fixture->a.nclosed, 1);
}

/* A bad packet's descriptors are closed too; teardown counts. */
static void test_bad_packet_with_fds(void **state)
{
    struct fixture *fixture = *state;
    AUTO_CLOSE int fd = memfd_with("x");
    struct msg report = {MSG_REPORT, {.report = {.size = 1}}};
    int fds[] = {fd, fd};

    raw_send(fixture->raw, &report, fds, 2);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 0);
    assert_closed(&fixture->a, "brings 2 descriptors");
}

static void test_too_few_fds(void **state)
{
    struct fixture *fixture = *state;
    struct msg report = {MSG_REPORT, {.report = {.size = 1}}};

    raw_send(fixture->raw, &report, NULL, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 0);
    assert_closed(&fixture->a, "brings 0 descriptors");
}

static void test_too_many_fds(void **state)
{
    struct fixture *fixture = *state;
    AUTO_CLOSE int fd = memfd_with("x");
    struct msg report = {MSG_REPORT, {.report = {.size = 1}}};
    int fds[] = {fd, fd, fd, fd, fd};

    raw_send(fixture->raw, &report, fds, 5);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 0);
    assert_closed(&fixture->a, "must not bring");
}

static void test_too_long(void **state)
{
    struct fixture *fixture = *state;
    AUTO_FREE char *packet = calloc(1, PROTO_PACKET_MAX + 1);

    assert_int_equal(send(fixture->raw, packet, PROTO_PACKET_MAX + 1, 0), PROTO_PACKET_MAX + 1);
    run(fixture);
    assert_closed(&fixture->a, "too long");
}

static void test_peer_close(void **state)
{
    struct fixture *fixture = *state;
    struct msg last = stats(7);

    raw_send(fixture->raw, &last, NULL, 0);
    close(fixture->raw);
    fixture->raw = -1;
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_closed(&fixture->a, "closed the connection");
}

/* A peer that says why and goes is heard, although what we send at that moment fails, and although
 * it left packets unread (for which the kernel reports a reset ahead of its last words). */
static void last_words(struct fixture *fixture, bool unread)
{
    struct msg msg = stats(1), last = stats(7);

    if (unread)
        conn_send(fixture->a.conn, &msg, NULL, 0);
    raw_send(fixture->raw, &last, NULL, 0);
    close(fixture->raw);
    fixture->raw = -1;
    conn_send(fixture->a.conn, &msg, NULL, 0);
    conn_send(fixture->a.conn, &msg, NULL, 0);
    assert_int_equal(fixture->a.nclosed, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_int_equal(fixture->a.got[0], 7);
    assert_closed(&fixture->a, "closed the connection");
}

static void test_last_words(void **state)
{
    last_words(*state, false);
}

static void test_last_words_unread(void **state)
{
    last_words(*state, true);
}

/* The reset is met by the reader first. */
static void test_reset_on_read(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg = stats(1), last = stats(7);

    conn_send(fixture->a.conn, &msg, NULL, 0);
    raw_send(fixture->raw, &last, NULL, 0);
    close(fixture->raw);
    fixture->raw = -1;
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_closed(&fixture->a, "closed the connection");
}

/* Half closed: it would still talk, but it does not listen. */
static void test_peer_deaf(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg = stats(1);

    assert_int_equal(shutdown(fixture->raw, SHUT_RD), 0);
    run(fixture);
    conn_send(fixture->a.conn, &msg, NULL, 0);
    run(fixture);
    assert_closed(&fixture->a, "takes no more");
}

static void test_peer_closes_on_queue(void **state)
{
    struct fixture *fixture = *state;

    while (conn_queued(fixture->a.conn) == 0) {
        struct msg msg = stats(1);

        conn_send(fixture->a.conn, &msg, NULL, 0);
    }
    close(fixture->raw);
    fixture->raw = -1;
    run(fixture);
    assert_closed(&fixture->a, "closed the connection");
}

static void test_free_in_message(void **state)
{
    struct fixture *fixture = *state;
    struct msg notice = {MSG_NOTICE, {.notice = {.text = "still here"}}};

    fixture->a.free_on_message = true;
    for (int i = 0; i < 3; i++)
        raw_send(fixture->raw, &notice, NULL, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_int_equal(fixture->a.nclosed, 0);
}

/* Both ends have packets waiting; whichever is read first frees the other, whose event is due. */
static void test_free_other(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg = stats(1);

    fixture->a.other = &fixture->b;
    fixture->b.other = &fixture->a;
    conn_send(fixture->a.conn, &msg, NULL, 0);
    conn_send(fixture->b.conn, &msg, NULL, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot + fixture->b.ngot, 1);
    assert_int_equal(fixture->a.nclosed + fixture->b.nclosed, 1);
}

/* Nothing is delivered after the failure, though more has come. */
static void test_fail_in_message(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg = stats(1);

    fixture->a.fail_on_message = true;
    for (int i = 0; i < 3; i++)
        raw_send(fixture->raw, &msg, NULL, 0);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 1);
    assert_closed(&fixture->a, "enough");
}

static void test_fail_once(void **state)
{
    struct fixture *fixture = *state;

    conn_fail(fixture->a.conn, ERR_PEER, "first %d", 1);
    conn_fail(fixture->a.conn, ERR_PEER, "second");
    assert_int_equal(fixture->a.nclosed, 0);
    run(fixture);
    assert_closed(&fixture->a, "first 1");
}

static void test_free_before_closed(void **state)
{
    struct fixture *fixture = *state;

    conn_fail(fixture->a.conn, ERR_PEER, "never heard");
    conn_free(fixture->a.conn);
    fixture->a.conn = NULL;
    run(fixture);
    assert_int_equal(fixture->a.nclosed, 0);
}

/* A peer that never stops does not keep other events from their turn. */
static void test_fair(void **state)
{
    struct fixture *fixture = *state;
    struct msg msg = stats(1);

    for (int i = 0; i < 100; i++)
        raw_send(fixture->raw, &msg, NULL, 0);
    event_base_loop(fixture->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    assert_true(fixture->a.ngot > 0 && fixture->a.ngot < 100);
    run(fixture);
    assert_int_equal(fixture->a.ngot, 100);
}

static void test_blocking(void **state)
{
    struct fixture *fixture = *state;
    struct proto_scratch *scratch = proto_scratch_new();
    AUTO_CLOSE int fd = memfd_with("sealed");
    struct msg hello = {MSG_HELLO, {.hello = {1, "vczfs", 1}}}, out;
    struct msg report = {MSG_REPORT, {.report = {.size = 6}}};
    int pair[2], fds[PROTO_FDS_MAX];
    struct err err;

    (void)fixture;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(proto_recv(pair[1], 10, scratch, &out, fds, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(proto_send(pair[0], &hello, NULL, 0, &err), 0);
    assert_int_equal(proto_send(pair[0], &report, &fd, 1, &err), 0);
    assert_int_equal(proto_recv(pair[1], 1000, scratch, &out, fds, &err), 0);
    assert_string_equal(out.u.hello.program, "vczfs");
    assert_int_equal(fds[0], -1);
    assert_int_equal(proto_recv(pair[1], -1, scratch, &out, fds, &err), 0);
    assert_int_equal(out.type, MSG_REPORT);
    assert_true(fds[0] >= 0);
    assert_int_equal(fds[1], -1);
    close(fds[0]);
    raw_send(pair[0], &report, NULL, 0);
    assert_int_equal(proto_recv(pair[1], 1000, scratch, &out, fds, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(proto_send(pair[0], &report, NULL, 0, &err), -1);
    close(pair[0]);
    assert_int_equal(proto_recv(pair[1], 1000, scratch, &out, fds, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(proto_send(pair[1], &hello, NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    close(pair[1]);
    proto_scratch_free(scratch);
}

#define TWO(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define RAW(test) cmocka_unit_test_setup_teardown(test, setup_raw, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO(test_order),
        TWO(test_queue),
        RAW(test_no_overtaking),
        TWO(test_queue_limit),
        TWO(test_fds),
        TWO(test_send_wrong),
        TWO(test_send_unpackable),
        RAW(test_bad_packet),
        RAW(test_bad_packet_with_fds),
        RAW(test_too_few_fds),
        RAW(test_too_many_fds),
        RAW(test_too_long),
        RAW(test_peer_close),
        RAW(test_last_words),
        RAW(test_last_words_unread),
        RAW(test_reset_on_read),
        RAW(test_peer_deaf),
        RAW(test_peer_closes_on_queue),
        RAW(test_free_in_message),
        TWO(test_free_other),
        RAW(test_fail_in_message),
        RAW(test_fail_once),
        RAW(test_free_before_closed),
        RAW(test_fair),
        RAW(test_blocking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
