/* SPDX-License-Identifier: Apache-2.0 */
#include "common/append.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/open_files.h"
#include "common/signals.h"
#include "common/size.h"
#include "common/version.h"
#include "encoderd/serve/bench.h"
#include "encoderd/serve/listen.h"
#include "encoderd/serve/server.h"
#include "proto/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define MEMORY_MIN  (UINT64_C(16) << 20)
#define THREADS_MAX 64
#define OOM_SCORE   "500"

static const char usage_text[] =
    "Usage: vczfs-encoderd [OPTIONS] --listen PATH\n"
    "       vczfs-encoderd [OPTIONS] --bench FILE STORE\n"
    "The encoder of vczfs: reads VCF Zarr stores and answers a vczfs front. vczfs starts one by\n"
    "itself; run it by hand to watch it (strace, gdb), or from a service manager, and give vczfs "
    "the\n"
    "same PATH with --encoder-socket.\n"
    "\n"
    "  --listen PATH      serve every front that connects to this socket, a process for each\n"
    "  --memory SIZE      memory for spans and decoding, each process (default 256M, at least "
    "16M)\n"
    "  --threads N        decoding threads, each process (default: one a CPU)\n"
    "  --no-sandbox       keep every right its user has, for debugging\n"
    "  --log-level LEVEL  error, warning, info or debug (default info)\n"
    "  --log-file FILE    append the log to FILE instead of stderr\n"
    "  --bench FILE       encode the .bed or .bgen (FILE) of the store that follows to nowhere, "
    "and say\n"
    "                     what it took, as JSON\n"
    "  --bench-bytes SIZE stop after so many\n"
    "  --help, --version\n";

struct encoderd_options {
    struct server_config server;
    const char *listen;
    const char *bench, *store; /* --bench, and what it is about */
    uint64_t bench_bytes;
    enum log_level log_level;
    const char *log_file;
};

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "vczfs-encoderd: %s%s%s\nTry 'vczfs-encoderd --help'.\n", what,
            value != NULL ? ": " : "", value != NULL ? value : "");
    return 2;
}

static bool parse_threads(const char *text, unsigned *out)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < 1 || n > THREADS_MAX)
        return false;
    *out = (unsigned)n;
    return true;
}

/* -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct encoderd_options *out)
{
    enum {
        OPT_LISTEN = 256,
        OPT_MEMORY,
        OPT_THREADS,
        OPT_NO_SANDBOX,
        OPT_LOG_LEVEL,
        OPT_LOG_FILE,
        OPT_BENCH,
        OPT_BENCH_BYTES
    };
    static const struct option options[] = {
        {"listen", required_argument, NULL, OPT_LISTEN},
        {"memory", required_argument, NULL, OPT_MEMORY},
        {"threads", required_argument, NULL, OPT_THREADS},
        {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
        {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
        {"log-file", required_argument, NULL, OPT_LOG_FILE},
        {"bench", required_argument, NULL, OPT_BENCH},
        {"bench-bytes", required_argument, NULL, OPT_BENCH_BYTES},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
        switch (option) {
        case OPT_LISTEN:
            out->listen = optarg;
            break;
        case OPT_MEMORY:
            if (!size_parse(optarg, &out->server.memory) || out->server.memory < MEMORY_MIN)
                return usage_error("--memory wants a size of at least 16M", optarg);
            break;
        case OPT_THREADS:
            if (!parse_threads(optarg, &out->server.nthreads))
                return usage_error("--threads wants a number from 1 to 64", optarg);
            break;
        case OPT_NO_SANDBOX:
            out->server.no_sandbox = true;
            break;
        case OPT_LOG_LEVEL:
            if (!log_level_parse(optarg, &out->log_level))
                return usage_error("--log-level is error, warning, info or debug", optarg);
            break;
        case OPT_LOG_FILE:
            out->log_file = optarg;
            break;
        case OPT_BENCH:
            out->bench = optarg;
            break;
        case OPT_BENCH_BYTES:
            if (!size_parse(optarg, &out->bench_bytes))
                return usage_error("--bench-bytes wants a size", optarg);
            break;
        case 'h':
            fputs(usage_text, stdout);
            return 0;
        case 'V':
            puts("vczfs-encoderd " VCZFS_VERSION);
            return 0;
        default:
            fputs("Try 'vczfs-encoderd --help'.\n", stderr);
            return 2;
        }
    }
    if (out->bench != NULL && optind + 1 == argc)
        out->store = argv[optind++];
    else if (out->bench != NULL && optind == argc)
        return usage_error("--bench wants a file (.bed or .bgen) and a store", NULL);
    if (optind != argc)
        return usage_error("unexpected argument", argv[optind]);
    return -1;
}

static unsigned online_cpus(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (unsigned)size_min((uint64_t)n, THREADS_MAX);
}

/* c-blosc and decompressors take memory of a block's size for each call. Left to itself malloc soon
 * keeps up to 64 MiB of that for each thread. */
static void keep_malloc_small(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

/* Each worker keeps the files open that it reads from: see CHUNKS_MAX. */
static int raise_open_files(struct server_config *config)
{
    struct err err;

    if (open_files_raise(UINT64_MAX, &err) != 0) {
        log_error("%s", err.msg);
        return -1;
    }
    config->nthreads = open_files_threads(config->nthreads);
    return 0;
}

static int open_log(const struct encoderd_options *options)
{
    int fd = STDERR_FILENO;

    if (options->log_file != NULL) {
        fd = append_open(options->log_file);
        if (fd < 0) {
            fprintf(stderr, "vczfs-encoderd: cannot open the log %s: %s\n", options->log_file,
                    strerror(errno));
            return -1;
        }
    }
    log_init("vczfs-encoderd", options->log_level, fd);
    return 0;
}

/* When the system has no memory left it is the encoder that should go, not the front, though that
 * may be the larger one of the two with the small files of many variants: an encoder is
 * replaced. */
static void volunteer(void)
{
    AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
        log_debug("cannot volunteer for the out-of-memory killer: %s", strerror(errno));
}

/* The end of a socketpair that a front left on PROTO_LISTENER_FD. */
static int serve_inherited(const struct server_config *config)
{
    struct err err = {0};
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(PROTO_LISTENER_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        type != SOCK_SEQPACKET)
        return usage_error("started by hand, it wants --listen PATH", NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    volunteer();
    if (server_run(PROTO_LISTENER_FD, config, &err) != 0) {
        log_error("%s", err.msg);
        return 1;
    }
    log_debug("%s", err.msg);
    return 0;
}

int main(int argc, char **argv)
{
    struct encoderd_options options = {
        .server = {.memory = UINT64_C(256) << 20, .nthreads = online_cpus()},
        .bench_bytes = UINT64_MAX,
        .log_level = LOG_LEVEL_INFO,
    };
    const int status = parse_options(argc, argv, &options);

    signals_begin();
    if (status >= 0)
        return status;
    /* What a front's caller left open is nothing to an encoder. */
    if (options.listen == NULL && options.bench == NULL)
        io_close_from(PROTO_LISTENER_FD + 1);
    if (open_log(&options) != 0)
        return 1;
    if (raise_open_files(&options.server) != 0)
        return 1;
    keep_malloc_small();
    if (options.bench != NULL)
        return bench_run(options.bench, options.store, options.bench_bytes, &options.server);
    return options.listen != NULL ? listen_run(options.listen, &options.server)
                                  : serve_inherited(&options.server);
}
