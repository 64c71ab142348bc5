/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol as the front hears it: an encoder that says anything, in any order, with any
 * descriptors, to a real link. The first byte says how many reads are asked for once the view is
 * open. Every byte that the link lets through as a span is read.
 */
#include "fused/encoder/link.h"
#include "fused/files/fs.h"
#include "fused/files/leases.h"
#include "tests/fuzz/fuzz_talk.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ROUNDS_MAX 64

struct front {
    struct event_base *base;
    struct link *link;
    struct fs fs;
    const uint8_t *arena;
    uint64_t arena_size;
    unsigned nreads;
    bool over;
};

static int on_file(const struct msg_file *file, int fd, void *arg, struct err *err)
{
    return fs_add(&((struct front *)arg)->fs, file, fd, err);
}

static void on_opened(const struct link_view *view, void *arg)
{
    (void)view;
    (void)arg;
}

static void on_failed(const struct err *why, void *arg)
{
    struct front *front = arg;

    REQUIRE(why->code != ERR_NONE);
    front->over = true;
}

static void on_progress(const struct msg_progress *progress, void *arg)
{
    (void)arg;
    REQUIRE(progress->done <= progress->total);
}

static void on_notice(const char *text, void *arg)
{
    (void)arg;
    REQUIRE(text != NULL);
}

static void on_up(const uint8_t *arena, uint64_t arena_size, void *arg)
{
    struct front *front = arg;

    front->arena = arena;
    front->arena_size = arena_size;
    for (unsigned i = 0; i < front->nreads; i++) {
        const struct msg_read read = {.file = 0, .handle = i, .offset = i, .length = 4096};

        REQUIRE(link_read(front->link, &read) != 0);
    }
}

static void on_down(void *arg)
{
    struct front *front = arg;

    front->arena = NULL;
    front->over = true;
}

static void on_stale(void *arg)
{
    struct front *front = arg;

    front->over = true;
}

static int on_span(const struct msg_span *span, void *arg, struct err *err)
{
    const struct front *front = arg;
    unsigned sum = 0;

    REQUIRE(front->arena != NULL && front->fs.nfiles > 0);
    if (leases_check_span(span, span->offset, front->fs.files[0].size, front->arena_size, err) != 0)
        return -1;
    for (uint64_t i = 0; i < span->length; i += 512)
        sum += front->arena[span->at + i];
    REQUIRE(sum + front->arena[span->at + span->length - 1] < UINT32_MAX);
    return 0;
}

static int on_error(const struct msg_error *error, void *arg, struct err *err)
{
    (void)arg;
    (void)err;
    REQUIRE(error->errnum > 0);
    return 0;
}

static int on_sidecar(const struct msg_sidecar *sidecar, int fd, void *arg, struct err *err)
{
    (void)sidecar;
    (void)fd;
    (void)arg;
    return err_set(err, ERR_PEER, "nothing was fetched");
}

static int on_no_sidecar(uint64_t file, const struct msg_error *error, void *arg, struct err *err)
{
    (void)file;
    (void)error;
    (void)arg;
    (void)err;
    return 0;
}

static const struct link_handlers handlers = {
    .file = on_file,
    .opened = on_opened,
    .failed = on_failed,
    .progress = on_progress,
    .notice = on_notice,
    .up = on_up,
    .down = on_down,
    .stale = on_stale,
    .span = on_span,
    .error = on_error,
    .sidecar = on_sidecar,
    .no_sidecar = on_no_sidecar,
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void remove_socket(void)
{
    unlink(address.sun_path);
}

/* Where the encoder listens, the same for all inputs. */
static int listener(void)
{
    static int fd = -1;

    if (fd >= 0)
        return fd;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/vczfs-fuzz-link-%d", (int)getpid());
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    remove_socket();
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(fd, 8) == 0);
    atexit(remove_socket);
    log_init("fuzz", LOG_LEVEL_ERROR, open("/dev/null", O_WRONLY | O_CLOEXEC));
    return fd;
}

static void turn(struct front *front)
{
    for (int i = 0; i < 4 && !front->over; i++)
        event_base_loop(front->base, EVLOOP_NONBLOCK);
}

/* The encoder's part: says it all, packet by packet, and hangs up. */
static void talk(struct front *front, int listen_fd, const uint8_t *data, size_t size)
{
    int fd;

    link_start(front->link);
    turn(front);
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    REQUIRE(fd >= 0);
    while (!front->over && talk_send(fd, &data, &size))
        turn(front);
    close(fd);
    for (int i = 0; i < ROUNDS_MAX && !front->over; i++)
        turn(front);
    REQUIRE(front->over);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct encoder_command command = {.stderr_fd = STDERR_FILENO};
    struct front front = {.nreads = take_byte(&data, &size) % 8};
    const struct encoder_socket socket = {address.sun_path, ENCODER_USER_NONE};
    struct supervisor *supervisor;
    struct link_config config = {.store = "/s",
                                 .view = {.formats = {"plink"}, .nformats = 1, .basename = "x"},
                                 .silence_ms = 5000};
    struct err err = {0};
    int listen_fd = listener();

    front.base = event_base_new();
    REQUIRE(front.base != NULL);
    supervisor = supervisor_new(front.base, &command, &socket, &err);
    REQUIRE(supervisor != NULL);
    fs_init(&front.fs);
    config.base = front.base;
    config.supervisor = supervisor;
    front.link = link_new(&config, &handlers, &front, &err);
    REQUIRE(front.link != NULL);
    talk(&front, listen_fd, data, size);
    link_free(front.link);
    supervisor_free(supervisor);
    fs_free(&front.fs);
    event_base_free(front.base);
    return 0;
}
