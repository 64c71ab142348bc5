/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fakeenc: an encoder that makes its bytes up and, if asked to, lies about them. For tests of the
 * front: it speaks the protocol, links only common/ and proto/, and reads no store.
 *
 *   vczfs mount-plink --encoder fakeenc STORE DIR     (STORE: any path that exists)
 *   fakeenc --listen PATH                             (then --encoder-socket PATH)
 *
 * The view: BASENAME.bed, a stream; BASENAME.bim and BASENAME.fam, sidecars of 1000 lines of
 * "fakeenc sidecar LINE\n" (LINE from 0). The stream's 8-byte word number w (byte w * 8 on) is
 * (w + 1) * 0x9E3779B97F4A7C15 mod 2^64, little-endian.
 *
 * The front passes no options of ours, so these are in the environment:
 *   FAKEENC_SIZE=BYTES   of the stream (default 8M)
 *   FAKEENC_SPAN=BYTES   in one span, a whole multiple of 8 (default 256K); spans lie on multiples
 *   FAKEENC_LIE=KIND[:N] what to do wrong, at the N-th read of this process (default 1) if it is
 *                        about reads; --lie KIND[:N] on the command line does the same
 *   FAKEENC_ONCE=FILE    lie only if FILE does not exist yet, and create it: the next one is honest
 *   FAKEENC_DELAY=MS     before each answer to a read
 *
 * KIND, before the mount:
 *   hello-silent hello-version hello-garbage hello-exit
 *   file-index file-slash file-dot file-twice file-kind file-unsealed file-short
 *   file-huge (the stream is 2^63 - 1 bytes: no lie that could be seen, and no harm)
 *   opened-count opened-id open-error open-notice open-progress open-exit
 *   arena-unsealed arena-short arena-tiny arena-null
 *
 * at a read:
 *   span-id span-before span-after span-eof span-at span-overflow span-twice lease-twice
 *   wrong-type silent garbage empty-map extra-fd close exit crash stop error estale held
 *
 *   read-kill: abort at every read that starts in the span number N (from 0: its chunk), always
 *
 *   read-fail: an error for every such read
 *
 * at a resume (the first process is honest until it is killed):
 *   resume-changed resume-files resume-fingerprint resume-exit resume-error
 */
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/evidence.h"
#include "common/memfd.h"
#include "common/size.h"
#include "proto/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SLOTS     16
#define QUEUE_MAX 4096
/* What no terminal and no log should see. */
#define ESCAPES     "\x1b[2J\x7f\nvczfs: forged"
#define ERR_UNUSUAL 3 /* exit status when the front broke the protocol */

struct fake {
    int sock;
    struct proto_scratch *scratch;
    const char *lie; /* NULL: honest */
    uint64_t lie_n;
    uint64_t size, span;
    unsigned delay_ms;

    int arena_fd;
    uint8_t *arena;
    uint64_t arena_size;
    uint64_t lease_of[SLOTS]; /* 0: free */
    uint64_t last_lease;
    uint64_t nreads;
    struct msg_read queue[QUEUE_MAX];
    size_t nqueued;
    char held[16][32]; /* spans */
    size_t nheld;
    size_t twin; /* slot whose lease has the id of another one's: SLOTS if there is none */
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "fakeenc: %s\n", what);
    exit(ERR_UNUSUAL);
}

static bool lies(const struct fake *fake, const char *kind)
{
    return fake->lie != NULL && strcmp(fake->lie, kind) == 0;
}

static void say(struct fake *fake, const struct msg *msg, const int *fds, size_t nfds)
{
    struct err err;

    if (proto_send(fake->sock, msg, fds, nfds, &err) != 0)
        exit(EXIT_SUCCESS); /* the front is gone */
}

/* What proto_send would refuse to send. */
static void say_raw(struct fake *fake, const void *data, size_t len, int fd)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(fake->sock, &header, MSG_NOSIGNAL) < 0)
        exit(EXIT_SUCCESS);
}

/* A message that proto_pack takes, with one string in it turned into another as long. */
static void say_patched(struct fake *fake, const struct msg *msg, int fd, const char *from,
                        const char *to)
{
    struct buf packet = {0};
    struct err err;
    void *at;

    if (proto_pack(msg, &packet, &err) != 0)
        die(err.msg);
    at = memmem(packet.data, packet.len, from, strlen(from));
    if (at == NULL || strlen(from) != strlen(to))
        die("nothing to patch");
    memcpy(at, to, strlen(to));
    say_raw(fake, packet.data, packet.len, fd);
    buf_free(&packet);
}

/* ---- hello ---- */

static void say_hello(struct fake *fake)
{
    struct msg msg = {.type = MSG_HELLO};

    if (lies(fake, "hello-silent"))
        for (;;)
            pause();
    if (lies(fake, "hello-exit"))
        exit(7);
    if (lies(fake, "hello-garbage"))
        say_raw(fake, "\x81\xa1t\xc1garbage", 11, -1);
    msg.u.hello.version = lies(fake, "hello-version") ? PROTO_VERSION + 1 : PROTO_VERSION;
    msg.u.hello.program = "fakeenc";
    msg.u.hello.pid = (uint64_t)getpid();
    say(fake, &msg, NULL, 0);
}

/* ---- open ---- */

static int sidecar_fd(uint64_t *size, bool sealed)
{
    struct err err;
    struct buf text = {0};
    int fd = memfd_open("fakeenc-sidecar", &err);

    for (uint64_t i = 0; i < 1000; i++) {
        buf_append_str(&text, "fakeenc sidecar ");
        buf_append_u64(&text, i);
        buf_append_char(&text, '\n');
    }
    if (fd < 0 || text.failed || write(fd, text.data, text.len) != (ssize_t)text.len ||
        (sealed && memfd_seal(fd, &err) != 0))
        die("cannot make a sidecar");
    *size = text.len;
    buf_free(&text);
    return fd;
}

static void say_stream(struct fake *fake, uint64_t id, const char *name)
{
    struct msg msg = {.type = MSG_FILE};

    msg.u.file = (struct msg_file){.id = id, .file = 0, .name = name, .kind = FILE_STREAM};
    msg.u.file.size = fake->size;
    if (lies(fake, "file-index"))
        msg.u.file.file = 5;
    if (lies(fake, "file-huge"))
        msg.u.file.size = INT64_MAX;
    if (lies(fake, "file-slash") || lies(fake, "file-dot"))
        msg.u.file.name = "##";
    if (lies(fake, "file-slash"))
        say_patched(fake, &msg, -1, "##", "a/");
    else if (lies(fake, "file-dot"))
        say_patched(fake, &msg, -1, "##", "..");
    else
        say(fake, &msg, NULL, 0);
}

static void say_sidecar(struct fake *fake, uint64_t id, uint64_t index, const char *name)
{
    struct msg msg = {.type = MSG_FILE};
    uint64_t size;
    AUTO_CLOSE int fd = sidecar_fd(&size, !lies(fake, "file-unsealed"));

    msg.u.file = (struct msg_file){.id = id, .file = index, .name = name, .kind = FILE_SIDECAR};
    msg.u.file.size = lies(fake, "file-short") ? size + 100000 : size;
    if (lies(fake, "file-kind"))
        say_patched(fake, &msg, fd, "sidecar", "sideway");
    else
        say(fake, &msg, &fd, 1);
}

static void say_files(struct fake *fake, const struct msg_open *open)
{
    AUTO_FREE char *bed = NULL, *bim = NULL, *fam = NULL;

    if (asprintf(&bed, "%s.bed", open->view.basename) < 0 ||
        asprintf(&bim, "%s.bim", open->view.basename) < 0 ||
        asprintf(&fam, "%s.fam", open->view.basename) < 0)
        die("out of memory");
    say_stream(fake, open->id, bed);
    say_sidecar(fake, open->id, 1, lies(fake, "file-twice") ? bed : bim);
    say_sidecar(fake, open->id, 2, fam);
}

static void make_arena(struct fake *fake)
{
    struct err err;

    fake->arena_size = fake->span * SLOTS;
    fake->arena_fd = lies(fake, "arena-unsealed")
                         ? memfd_open("fakeenc-arena", &err)
                         : memfd_arena("fakeenc-arena", fake->arena_size, &err);
    if (fake->arena_fd < 0 ||
        (lies(fake, "arena-unsealed") && ftruncate(fake->arena_fd, (off_t)fake->arena_size) != 0))
        die("cannot make an arena");
    fake->arena =
        mmap(NULL, (size_t)fake->arena_size, PROT_READ | PROT_WRITE, MAP_SHARED, fake->arena_fd, 0);
    if (fake->arena == MAP_FAILED)
        die("cannot map the arena");
}

static int state_fd(void)
{
    struct err err;
    int fd = memfd_open("fakeenc-state", &err);

    if (fd < 0 || write(fd, "fakeenc state", 13) != 13 || memfd_seal(fd, &err) != 0)
        die("cannot make a state");
    return fd;
}

static void check_state(int fd)
{
    char text[14] = "";

    if (pread(fd, text, 13, 0) != 13 || strcmp(text, "fakeenc state") != 0)
        die("the state came back changed");
}

static void say_opened(struct fake *fake, const struct msg_open *open)
{
    struct msg msg = {.type = MSG_OPENED};
    int fds[2];

    make_arena(fake);
    msg.u.opened = (struct msg_opened){
        .id = open->id, .nvariants = fake->size / 8, .nsamples = 32, .nfiles = 3};
    memcpy(msg.u.opened.fingerprint, &fake->size, sizeof fake->size);
    msg.u.opened.arena_size = fake->arena_size;
    msg.u.opened.has_state = true;
    if (lies(fake, "arena-short"))
        msg.u.opened.arena_size *= 2;
    if (lies(fake, "arena-tiny"))
        msg.u.opened.arena_size = 4096;
    if (lies(fake, "opened-count"))
        msg.u.opened.nfiles = 4;
    if (lies(fake, "opened-id"))
        msg.u.opened.id += 1000;
    if (open->resume && lies(fake, "resume-fingerprint"))
        msg.u.opened.fingerprint[31] ^= 1;
    fds[0] = lies(fake, "arena-null") ? open64("/dev/null", O_RDWR) : fake->arena_fd;
    fds[1] = state_fd();
    say(fake, &msg, fds, 2);
    close(fds[1]);
}

static void say_error(struct fake *fake, uint64_t id, enum err_code code, uint64_t errnum,
                      const char *text)
{
    struct msg msg = {.type = MSG_ERROR};

    msg.u.error = (struct msg_error){.id = id, .code = code, .errnum = errnum, .text = text};
    say(fake, &msg, NULL, 0);
}

static void say_news(struct fake *fake, uint64_t id)
{
    struct msg msg = {.type = MSG_NOTICE};

    msg.u.notice = (struct msg_notice){.id = id, .text = "all of this is made up" ESCAPES};
    if (lies(fake, "open-notice"))
        say(fake, &msg, NULL, 0);
    if (!lies(fake, "open-progress"))
        return;
    msg.type = MSG_PROGRESS;
    for (uint64_t i = 0; i <= 20; i++) {
        msg.u.progress = (struct msg_progress){.id = id, .what = "pretending", .done = i};
        msg.u.progress.total = 20;
        say(fake, &msg, NULL, 0);
        usleep(50000);
    }
}

static void take_open(struct fake *fake, const struct msg_open *open, const int *fds)
{
    if (lies(fake, "open-exit") || (open->resume && lies(fake, "resume-exit")))
        exit(8);
    if (open->resume && lies(fake, "resume-changed")) {
        say_error(fake, open->id, ERR_CHANGED, ESTALE, "the made-up store changed");
        return;
    }
    if (lies(fake, "open-error") || (open->resume && lies(fake, "resume-error"))) {
        say_error(fake, open->id, ERR_DATA, EIO, "this store is not to fakeenc's taste" ESCAPES);
        return;
    }
    if (open->resume && open->has_state)
        check_state(fds[0]);
    say_news(fake, open->id);
    if (!open->resume || lies(fake, "resume-files"))
        say_files(fake, open);
    say_opened(fake, open);
}

/* ---- reads ---- */

static void fill(const struct fake *fake, uint8_t *at, uint64_t offset)
{
    for (uint64_t i = 0; i < fake->span; i += 8) {
        uint64_t word = ((offset + i) / 8 + 1) * 0x9E3779B97F4A7C15u;

        memcpy(at + i, &word, 8);
    }
}

static void bend(struct fake *fake, struct msg_span *span, uint64_t asked)
{
    if (lies(fake, "span-id"))
        span->id += 1000;
    if (lies(fake, "span-before"))
        span->length = asked > span->offset ? asked - span->offset : 1;
    if (lies(fake, "span-before") && asked == span->offset)
        span->offset = asked > 0 ? asked - 1 : 1;
    if (lies(fake, "span-after"))
        span->offset = asked + 1;
    if (lies(fake, "span-eof"))
        span->length = fake->size - span->offset + 1;
    if (lies(fake, "span-at"))
        span->at = fake->arena_size - span->length + 1;
    if (lies(fake, "span-overflow"))
        span->at = INT64_MAX - 1;
}

/* Grants a lease that is held already, as soon as there is one. */
static void grant_twice(struct fake *fake, struct msg_span *span, size_t slot)
{
    for (size_t i = 0; i < SLOTS && fake->twin == SLOTS; i++) {
        if (i == slot || fake->lease_of[i] == 0)
            continue;
        fake->twin = slot;
        fake->lease_of[slot] = span->lease = fake->lease_of[i];
    }
}

/* true if the lie was told instead of an answer. */
static bool tell_lie(struct fake *fake, const struct msg_read *read)
{
    struct msg msg = {.type = MSG_READ, .u.read = *read};
    struct msg counters = {.type = MSG_COUNTERS};

    if (lies(fake, "silent"))
        return true;
    if (lies(fake, "close"))
        exit(EXIT_SUCCESS);
    if (lies(fake, "exit"))
        exit(9);
    if (lies(fake, "crash"))
        abort();
    if (lies(fake, "stop"))
        return raise(SIGSTOP) == 0;
    if (lies(fake, "garbage"))
        say_raw(fake, "\xff\x00 this is no packet", 20, -1);
    else if (lies(fake, "empty-map"))
        say_raw(fake, "\x80", 1, -1);
    else if (lies(fake, "extra-fd"))
        say_patched(fake, &counters, STDIN_FILENO, "counters", "counters");
    else if (lies(fake, "wrong-type"))
        say(fake, &msg, NULL, 0);
    else if (lies(fake, "error"))
        say_error(fake, read->id, ERR_IO, EIO, "made-up trouble");
    else if (lies(fake, "held"))
        say_error(fake, read->id, ERR_HELD, EIO, "span/0");
    else if (lies(fake, "estale"))
        say_error(fake, read->id, ERR_CHANGED, ESTALE, "made-up change");
    else
        return false;
    return true;
}

static void name_span(uint64_t number, char name[32])
{
    snprintf(name, 32, "span/%llu", (unsigned long long)number);
}

static void die_of(uint64_t number)
{
    char name[32];

    name_span(number, name);
    evidence_note(evidence_take_slot(), name, 0);
    abort();
}

static bool hold_back(struct fake *fake, const struct msg_read *read)
{
    char name[32];

    name_span(read->offset / fake->span, name);
    for (size_t i = 0; i < fake->nheld; i++)
        if (strcmp(fake->held[i], name) == 0) {
            say_error(fake, read->id, ERR_HELD, EIO, name);
            return true;
        }
    return false;
}

static void answer(struct fake *fake, const struct msg_read *read, size_t slot)
{
    struct msg msg = {.type = MSG_SPAN};
    struct msg_span *span = &msg.u.span;
    bool due = ++fake->nreads == fake->lie_n;

    if (hold_back(fake, read))
        return;
    if (lies(fake, "read-kill") && read->offset / fake->span == fake->lie_n)
        die_of(read->offset / fake->span);
    if (fake->delay_ms > 0)
        usleep(fake->delay_ms * 1000);
    if (lies(fake, "read-fail") && read->offset / fake->span == fake->lie_n) {
        say_error(fake, read->id, ERR_IO, EIO, "made-up damage" ESCAPES);
        return;
    }
    if (due && tell_lie(fake, read))
        return;
    span->id = read->id;
    span->lease = ++fake->last_lease;
    span->offset = read->offset / fake->span * fake->span;
    span->length = size_min(fake->span, fake->size - span->offset);
    span->at = slot * fake->span;
    fake->lease_of[slot] = span->lease;
    fill(fake, fake->arena + span->at, span->offset);
    if (due)
        bend(fake, span, read->offset);
    if (lies(fake, "lease-twice") && fake->nreads >= fake->lie_n)
        grant_twice(fake, span, slot);
    say(fake, &msg, NULL, 0);
    if (due && lies(fake, "span-twice"))
        say(fake, &msg, NULL, 0);
}

static void answer_queued(struct fake *fake)
{
    for (size_t slot = 0; slot < SLOTS && fake->nqueued > 0; slot++) {
        struct msg_read read = fake->queue[0];

        if (fake->lease_of[slot] != 0)
            continue;
        fake->nqueued--;
        memmove(fake->queue, fake->queue + 1, fake->nqueued * sizeof fake->queue[0]);
        answer(fake, &read, slot);
    }
}

static void take_read(struct fake *fake, const struct msg_read *read)
{
    if (read->file != 0 || read->offset >= fake->size)
        die("a read that no file has bytes for");
    if (fake->nqueued == QUEUE_MAX)
        die("too many reads");
    fake->queue[fake->nqueued++] = *read;
}

/* The front may have sent a lease back just before its id was granted again: the first return is
 * then about the older of the two. */
static size_t returned_slot(const struct fake *fake, uint64_t lease)
{
    size_t found = SLOTS;

    for (size_t slot = 0; slot < SLOTS; slot++)
        if (fake->lease_of[slot] == lease && (found == SLOTS || found == fake->twin))
            found = slot;
    return found;
}

static void take_return(struct fake *fake, const struct msg_return *ret)
{
    for (size_t i = 0; i < ret->nleases; i++) {
        size_t slot = returned_slot(fake, ret->leases[i]);

        if (slot == SLOTS)
            die("the front returned a lease that it does not hold");
        fake->lease_of[slot] = 0;
        /* Whoever still reads it now sees that it was too late. */
        memset(fake->arena + slot * fake->span, 0xEE, (size_t)fake->span);
    }
}

static void take_hold(struct fake *fake, const struct msg_hold *hold)
{
    fake->nheld = size_min(hold->nchunks, sizeof fake->held / sizeof fake->held[0]);
    for (size_t i = 0; i < fake->nheld; i++)
        snprintf(fake->held[i], sizeof fake->held[i], "%s", hold->chunks[i]);
}

static void take_evidence(int fd)
{
    struct err err;

    if (evidence_give(fd, &err) != 0)
        die(err.msg);
}

static void say_counters(struct fake *fake, uint64_t id)
{
    struct msg msg = {.type = MSG_COUNTERS, .u.counters = {.id = id, .reads = fake->nreads}};

    say(fake, &msg, NULL, 0);
}

static void say_report(struct fake *fake, uint64_t id)
{
    struct msg msg = {.type = MSG_REPORT};
    uint64_t size;
    AUTO_CLOSE int fd = sidecar_fd(&size, true);

    msg.u.report = (struct msg_report){.id = id, .size = size};
    say(fake, &msg, &fd, 1);
}

/* ---- the conversation ---- */

static void take(struct fake *fake, const struct msg *msg, const int *fds)
{
    switch (msg->type) {
    case MSG_HELLO:
        return;
    case MSG_OPEN:
        take_open(fake, &msg->u.open, fds);
        return;
    case MSG_INFO:
        say_report(fake, msg->u.info.id);
        return;
    case MSG_READ:
        take_read(fake, &msg->u.read);
        break;
    case MSG_RETURN:
        take_return(fake, &msg->u.ret);
        break;
    case MSG_RELEASE:
        return;
    case MSG_EVIDENCE:
        take_evidence(fds[0]);
        return;
    case MSG_HOLD:
        take_hold(fake, &msg->u.hold);
        return;
    case MSG_STATS:
        if (!lies(fake, "silent") || fake->nreads < fake->lie_n)
            say_counters(fake, msg->u.stats.id);
        return;
    default:
        die("the front sent what only an encoder sends");
    }
    answer_queued(fake);
}

static void converse(struct fake *fake)
{
    struct msg msg;
    struct err err;
    int fds[PROTO_FDS_MAX];

    say_hello(fake);
    while (proto_recv(fake->sock, -1, fake->scratch, &msg, fds, &err) == 0) {
        take(fake, &msg, fds);
        for (size_t i = 0; i < PROTO_FDS_MAX; i++)
            if (fds[i] >= 0)
                close(fds[i]);
    }
}

/* ---- start ---- */

static uint64_t env_size(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = otherwise;

    if (text != NULL && !size_parse(text, &value))
        die(name);
    return value;
}

static bool may_lie(void)
{
    const char *once = getenv("FAKEENC_ONCE");
    int fd;

    if (once == NULL)
        return true;
    fd = open64(once, O_CREAT | O_EXCL | O_WRONLY, 0644);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void choose_lie(struct fake *fake, char *text)
{
    char *colon;

    fake->lie_n = 1;
    if (text == NULL || text[0] == '\0' || !may_lie())
        return;
    colon = strchr(text, ':');
    if (colon != NULL) {
        *colon = '\0';
        fake->lie_n = strtoull(colon + 1, NULL, 10);
    }
    fake->lie = text;
}

static int listen_on(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof addr.sun_path)
        die("cannot listen");
    strcpy(addr.sun_path, path);
    unlink(path);
    if (bind(fd, (const struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 8) != 0)
        die("cannot listen");
    return fd;
}

static void parse(int argc, char **argv, const char **listen_path, char **lie)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},    {"lie", required_argument, NULL, 'L'},
        {"memory", required_argument, NULL, 'x'},    {"threads", required_argument, NULL, 'x'},
        {"log-level", required_argument, NULL, 'x'}, {0},
    };
    int id;

    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (id == 'l')
            *listen_path = optarg;
        else if (id == 'L')
            *lie = optarg;
        else if (id != 'x')
            die("unknown option");
    }
}

int main(int argc, char **argv)
{
    static struct fake fake;
    const char *listen_path = NULL;
    char *lie = getenv("FAKEENC_LIE");
    int listener;

    parse(argc, argv, &listen_path, &lie);
    choose_lie(&fake, lie);
    fake.size = env_size("FAKEENC_SIZE", 8 << 20);
    fake.span = env_size("FAKEENC_SPAN", 256 << 10);
    fake.delay_ms = (unsigned)env_size("FAKEENC_DELAY", 0);
    fake.scratch = proto_scratch_new();
    fake.sock = PROTO_LISTENER_FD;
    fake.twin = SLOTS;
    signal(SIGPIPE, SIG_IGN);
    if (listen_path == NULL) {
        converse(&fake);
        return EXIT_SUCCESS;
    }
    /* One child a connection, so that each begins with a clean slate. */
    signal(SIGCHLD, SIG_IGN);
    listener = listen_on(listen_path);
    while ((fake.sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (fork() == 0) {
            close(listener);
            converse(&fake);
            return EXIT_SUCCESS;
        }
        close(fake.sock);
    }
    return EXIT_FAILURE;
}
