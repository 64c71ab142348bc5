/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slowfs: a directory as storage at a distance shows it: read-only, so many bytes a second for all
 * readers together, and a round trip of so many milliseconds for each request. The kernel's cache
 * is in front of it, as it is in front of NFS; whoever wants it cold mounts anew.
 *
 * usage: slowfs [-c] [-b MS] [-t FILE] MB_PER_SECOND MS_PER_REQUEST FROM DIR
 *
 * Says "ready" and shows FROM at DIR until SIGTERM, SIGINT or an unmount, and then says what it was
 * asked for, as one line of JSON. DIR/.slowfs, which is in no listing, says the same at any time;
 * each reading of it starts "most_at_once" afresh.
 *
 * What costs a round trip: looking a name up (one that is not there, too), attributes that the
 * kernel does not know any more, opening a file, a piece of a directory's listing (some 1000 names,
 * as a page of S3's; that nothing follows costs nothing), and each read, which the kernel cuts at
 * its read-ahead, 128 KiB, unless told otherwise. With -c, opening a file whose name was looked up
 * just before costs nothing more, nor do the attributes of one that was just opened: NFS sends all
 * of that as one. With -b, requests take so many
 * milliseconds until SIGUSR1 comes, and only then MS_PER_REQUEST: not to wait for what is not
 * measured. With -t, each request that costs a round trip is a line of FILE when it comes: seconds,
 * round, kind, path.
 *
 * How many requests are served at once is WORKERS; latencies of all of them overlap. "rounds" is
 * the longest chain of requests of which each came when the one before it was answered.
 */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECOND   INT64_C(1000000000)
#define WORKERS  256
#define COUNTERS ".slowfs"
/* What the kernel asks in the background, reads ahead, which are most: never fewer than can be
 * served. */
#define BACKGROUND 1024
/*
 * For how long the kernel believes what it was told: what Linux's NFS client does unless told
 * otherwise (acregmin, acdirmin; acregmax and acdirmax for what turned out to be as it was).
 */
#define FILE_SECONDS 3
#define DIR_SECONDS  30
#define MOST_SECONDS 60

enum kind { LOOKUP, GETATTR, OPEN, READDIR, READ, NKINDS };

static const char *const kinds[] = {"lookup", "getattr", "open", "readdir", "read"};

/* A file by its path, and so two for two names of one file: the kernel caches each by itself. Kept
 * until the end. */
struct node {
    char *path;
    _Atomic int believed;   /* s */
    _Atomic int64_t found;  /* when it was last looked up and not opened since, or 0 */
    _Atomic int64_t opened; /* when it was last opened and not examined since, or 0 */
};

static struct {
    int root;
    bool compound;
    double ns_per_byte;
    _Atomic int64_t latency; /* ns */
    int64_t far;             /* what it is from SIGUSR1 on */
    pthread_mutex_t lock;
    int64_t busy_until; /* under the lock: when all was transferred that was asked for */
    void *nodes;        /* under the lock: a tree, by path */
    atomic_ulong count[NKINDS], nbytes, at_once, most_at_once, rounds;
    FILE *trace; /* or NULL */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct node root_node = {.path = ".", .believed = DIR_SECONDS};
static struct node counters_node = {.path = COUNTERS};

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* ---- Waiting, and counting ---- */

/* One transfer after the other: when the last of nbytes has left the disk. */
static int64_t transferred(size_t nbytes, int64_t begin)
{
    int64_t end;

    if (nbytes == 0)
        return begin;
    pthread_mutex_lock(&disk.lock);
    if (disk.busy_until < begin)
        disk.busy_until = begin;
    disk.busy_until += (int64_t)((double)nbytes * disk.ns_per_byte);
    end = disk.busy_until;
    pthread_mutex_unlock(&disk.lock);
    return end;
}

static void sleep_until(int64_t end)
{
    const struct timespec until = {.tv_sec = end / SECOND, .tv_nsec = end % SECOND};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static void raise_to(atomic_ulong *most, unsigned long value)
{
    unsigned long before = *most;

    while (before < value && !atomic_compare_exchange_weak(most, &before, value))
        ;
}

/* Of `path`, of which it is. A request may depend on all that were answered before it came: it
 * belongs to the round after the latest of theirs. */
static void round_trip(enum kind kind, const char *path, size_t nbytes)
{
    const int64_t begin = now();
    const unsigned long at_once = atomic_fetch_add(&disk.at_once, 1) + 1;
    const unsigned long round = disk.rounds + 1;
    int64_t end;

    raise_to(&disk.most_at_once, at_once);
    disk.count[kind]++;
    disk.nbytes += nbytes;
    if (disk.trace != NULL)
        fprintf(disk.trace, "%.6f %lu %s %s\n", (double)begin / 1e9, round, kinds[kind], path);
    end = transferred(nbytes, begin) + disk.latency;
    if (end > begin)
        sleep_until(end);
    raise_to(&disk.rounds, round);
    disk.at_once--;
}

/* As a line of JSON that the caller frees. */
static char *counters(void)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    if (out == NULL)
        err(1, "counters");
    fputc('{', out);
    for (int kind = 0; kind < NKINDS; kind++)
        fprintf(out, "\"%s\": %lu, ", kinds[kind], (unsigned long)disk.count[kind]);
    fprintf(out, "\"read_bytes\": %lu, \"at_once\": %lu, \"most_at_once\": %lu, \"rounds\": %lu}\n",
            (unsigned long)disk.nbytes, (unsigned long)disk.at_once,
            (unsigned long)disk.most_at_once, (unsigned long)disk.rounds);
    if (fclose(out) != 0)
        err(1, "counters");
    return text;
}

/* ---- Nodes ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static struct node *node_of(fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? &root_node : (struct node *)(uintptr_t)ino; // NOLINT
}

static fuse_ino_t ino_of(const struct node *node)
{
    return (fuse_ino_t)(uintptr_t)node;
}

/* The node of a path, which it takes; made if it is not known. */
static struct node *node_at(char *path, const struct stat *st)
{
    struct node *made = malloc(sizeof(*made)), **found;

    if (made == NULL)
        err(1, "a node");
    made->path = path;
    made->believed = S_ISDIR(st->st_mode) ? DIR_SECONDS : FILE_SECONDS;
    made->found = made->opened = 0;
    pthread_mutex_lock(&disk.lock);
    found = tsearch(made, &disk.nodes, by_path);
    pthread_mutex_unlock(&disk.lock);
    if (found == NULL)
        err(1, "a node");
    if (*found != made) {
        free(path);
        free(made);
    }
    return *found;
}

static char *path_below(const struct node *parent, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", parent->path, name) < 0)
        err(1, "a path");
    return path;
}

static int look(const char *path, struct stat *st)
{
    return fstatat(disk.root, path, st, AT_SYMLINK_NOFOLLOW) != 0 ? errno : 0;
}

static int open_below(const struct node *node, int flags)
{
    return openat(disk.root, node->path, O_RDONLY | O_CLOEXEC | flags);
}

static void counters_stat(struct stat *st)
{
    *st = (struct stat){.st_mode = S_IFREG | 0444, .st_nlink = 1, .st_ino = 2};
}

/* ---- Requests ---- */

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->max_background = conn->congestion_threshold = BACKGROUND;
}

static void reply_counters_entry(fuse_req_t req)
{
    struct fuse_entry_param entry = {.ino = ino_of(&counters_node)};

    counters_stat(&entry.attr);
    fuse_reply_entry(req, &entry);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {.entry_timeout = DIR_SECONDS};
    struct node *node;
    char *path;
    int failed;

    if (parent == FUSE_ROOT_ID && strcmp(name, COUNTERS) == 0) {
        reply_counters_entry(req);
        return;
    }
    path = path_below(node_of(parent), name);
    failed = look(path, &entry.attr);
    round_trip(LOOKUP, path, 0);
    if (failed == 0) {
        node = node_at(path, &entry.attr);
        node->found = now();
        entry.ino = ino_of(node);
        entry.attr_timeout = node->believed;
    } else {
        free(path);
    }
    /* With ino 0 the kernel remembers that nothing is there. */
    if (failed == 0 || failed == ENOENT)
        fuse_reply_entry(req, &entry);
    else
        fuse_reply_err(req, failed);
}

/* Has what NFS would have sent this with just been asked? The kernel asks both in a row. */
static bool sent_with(_Atomic int64_t *when)
{
    const int64_t last = atomic_exchange(when, 0);

    return disk.compound && last != 0 && now() - last < SECOND / 4;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct node *node = node_of(ino);
    struct stat st;
    int failed;

    (void)fi;
    if (node == &counters_node) {
        counters_stat(&st);
        fuse_reply_attr(req, &st, 0);
        return;
    }
    failed = look(node->path, &st);
    if (!sent_with(&node->opened))
        round_trip(GETATTR, node->path, 0);
    if (failed != 0) {
        fuse_reply_err(req, failed);
        return;
    }
    fuse_reply_attr(req, &st, node->believed);
    node->believed = node->believed * 2 < MOST_SECONDS ? node->believed * 2 : MOST_SECONDS;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    const int fd = open_below(node_of(ino), O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        fuse_reply_err(req, errno);
        return;
    }
    fi->fh = (uint64_t)(uintptr_t)dir;
    fuse_reply_open(req, fi);
}

static DIR *dir_of(const struct fuse_file_info *fi)
{
    return (DIR *)(uintptr_t)fi->fh; // NOLINT
}

/* Names from where the directory stands, as many as fit. */
static size_t list(fuse_req_t req, DIR *dir, char *buf, size_t size)
{
    struct dirent *entry;
    size_t n = 0, needed;
    long here = telldir(dir);

    while ((entry = readdir(dir)) != NULL) {
        const struct stat st = {.st_ino = entry->d_ino, .st_mode = (mode_t)DTTOIF(entry->d_type)};

        needed = fuse_add_direntry(req, buf + n, size - n, entry->d_name, &st, telldir(dir));
        if (needed > size - n)
            break;
        n += needed;
        here = telldir(dir);
    }
    seekdir(dir, here);
    return n;
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
    char *buf = malloc(size);
    size_t n;

    if (buf == NULL)
        err(1, "a listing");
    seekdir(dir_of(fi), offset);
    n = list(req, dir_of(fi), buf, size);
    if (n > 0)
        round_trip(READDIR, node_of(ino)->path, 0);
    fuse_reply_buf(req, buf, n);
    free(buf);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    closedir(dir_of(fi));
    fuse_reply_err(req, 0);
}

static void open_counters(fuse_req_t req, struct fuse_file_info *fi)
{
    fi->direct_io = 1;
    fuse_reply_open(req, fi);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct node *node = node_of(ino);
    int fd, failed;

    if (node == &counters_node) {
        open_counters(req, fi);
        return;
    }
    fd = open_below(node, 0);
    failed = fd < 0 ? errno : 0;
    if (!sent_with(&node->found))
        round_trip(OPEN, node->path, 0);
    if (failed != 0) {
        fuse_reply_err(req, failed);
        return;
    }
    fi->fh = (uint64_t)fd;
    fi->keep_cache = 1;
    node->opened = now();
    fuse_reply_open(req, fi);
}

/* All of it is one read's: it is another text by the next one. */
static void read_counters(fuse_req_t req, size_t size, off_t offset)
{
    char *text = counters();
    const size_t n = strlen(text);

    if (offset == 0)
        disk.most_at_once = disk.at_once;
    fuse_reply_buf(req, text, offset > 0 ? 0 : n < size ? n : size);
    free(text);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    char *buf;
    ssize_t n;
    int failed;

    if (node_of(ino) == &counters_node) {
        read_counters(req, size, offset);
        return;
    }
    buf = malloc(size);
    n = buf != NULL ? pread((int)fi->fh, buf, size, offset) : -1;
    failed = n < 0 ? errno : 0;
    round_trip(READ, node_of(ino)->path, n > 0 ? (size_t)n : 0);
    if (failed == 0)
        fuse_reply_buf(req, buf, (size_t)n);
    else
        fuse_reply_err(req, failed);
    free(buf);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (node_of(ino) != &counters_node)
        close((int)fi->fh);
    fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops ops = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .releasedir = op_releasedir,
    .open = op_open,
    .read = op_read,
    .release = op_release,
};

/* ---- Serving ---- */

/*
 * Names of one directory are looked up side by side, as on NFS, only where the answer to the
 * kernel's first request says that they may be; libfuse 3.14 never says so, whatever conn->want
 * has.
 */
static ssize_t answer(int fd, struct iovec *iov, int count, void *userdata)
{
    static atomic_bool answered;
    struct fuse_init_out init = {0};

    (void)userdata;
    if (!atomic_exchange(&answered, true) && count == 2 && iov[1].iov_len <= sizeof(init)) {
        memcpy(&init, iov[1].iov_base, iov[1].iov_len);
        init.flags |= FUSE_PARALLEL_DIROPS;
        iov[1].iov_base = &init;
        return writev(fd, iov, count);
    }
    return writev(fd, iov, count);
}

static ssize_t take(int fd, void *buf, size_t size, void *userdata)
{
    (void)userdata;
    return read(fd, buf, size);
}

static bool mount_at(struct fuse_session *session, const char *dir)
{
    static const struct fuse_custom_io io = {.writev = answer, .read = take};

    return fuse_session_mount(session, dir) == 0 &&
           fuse_session_custom_io(session, &io, fuse_session_fd(session)) == 0;
}

static int serve(struct fuse_session *session)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    int failed;

    if (config == NULL)
        errx(1, "no loop");
    fuse_loop_cfg_set_max_threads(config, WORKERS);
    fuse_loop_cfg_set_idle_threads(config, WORKERS);
    fuse_loop_cfg_set_clone_fd(config, 1);
    failed = fuse_session_loop_mt(session, config); /* > 0: the signal that ended it */
    fuse_loop_cfg_destroy(config);
    return failed < 0 ? -1 : 0;
}

static void on_usr1(int signo)
{
    (void)signo;
    disk.latency = disk.far;
}

static int64_t ns(const char *ms)
{
    return (int64_t)(atof(ms) * 1e6);
}

static void open_trace(const char *path)
{
    disk.trace = fopen(path, "we");
    if (disk.trace == NULL)
        err(1, "%s", path);
    setvbuf(disk.trace, NULL, _IOLBF, BUFSIZ);
}

static void read_options(int argc, char **argv)
{
    const char *begin = NULL;
    int opt;

    while ((opt = getopt(argc, argv, "+b:ct:")) != -1) {
        if (opt == 'b')
            begin = optarg;
        else if (opt == 'c')
            disk.compound = true;
        else if (opt == 't')
            open_trace(optarg);
        else
            optind = argc;
    }
    if (argc - optind != 4 || atof(argv[optind]) <= 0)
        errx(2, "usage: slowfs [-c] [-b MS] [-t FILE] MB_PER_SECOND MS_PER_REQUEST FROM DIR");
    disk.ns_per_byte = 1e3 / atof(argv[optind]);
    disk.far = ns(argv[optind + 1]);
    disk.latency = begin != NULL ? ns(begin) : disk.far;
    disk.root = open(argv[optind + 2], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (disk.root < 0)
        err(1, "%s", argv[optind + 2]);
}

int main(int argc, char **argv)
{
    char *fuse_argv[] = {argv[0], "-o", "ro,fsname=slowfs", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, fuse_argv);
    struct fuse_session *session;
    bool failed;
    char *text;

    read_options(argc, argv);
    /* Sleeps end 50 us late otherwise, which is half of the shortest latencies. */
    prctl(PR_SET_TIMERSLACK, 1);
    session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
    if (session == NULL || !mount_at(session, argv[argc - 1]) ||
        fuse_set_signal_handlers(session) != 0)
        return 1;
    signal(SIGUSR1, on_usr1);
    puts("ready");
    fflush(stdout);
    failed = serve(session) != 0;
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    text = counters();
    fputs(text, stdout);
    free(text);
    return failed;
}
