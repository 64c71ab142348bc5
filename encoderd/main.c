/* SPDX-License-Identifier: Apache-2.0 */
#include "common/append.h"
#include "common/cleanup.h"
#include "common/cpu.h"
#include "common/io.h"
#include "common/log.h"
#include "common/open_files.h"
#include "common/signals.h"
#include "encoderd/options.h"
#include "encoderd/serve/bench.h"
#include "encoderd/serve/listen.h"
#include "encoderd/serve/server.h"
#include "proto/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define OOM_SCORE "500"

/* c-blosc and the decompressors allocate memory of a block's size for each call. By default malloc
 * would soon keep up to 64 MiB of that for each thread. */
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

/* If the system runs out of memory, it should kill the encoder, which can be replaced, and not the
 * front, although the front may be the larger one if it holds the small files of many variants. */
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
        return encoderd_usage("started by hand, it wants --listen PATH");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    volunteer();
    if (server_run(PROTO_LISTENER_FD, config, &err) != 0) {
        log_error("%s", err.msg);
        return 1;
    }
    log_debug("%s", err.msg);
    return 0;
}

static bool cpu_is_right(void)
{
    struct err err;

    if (cpu_check(&err) == 0)
        return true;
    log_error("%s", err.msg);
    return false;
}

int main(int argc, char **argv)
{
    struct encoderd_options options;
    const int status = encoderd_options_parse(argc, argv, &options);

    signals_begin();
    if (status >= 0)
        return status;
    /* Closes descriptors that the front's caller left open, which an encoder does not use. */
    if (options.listen == NULL && options.bench == NULL)
        io_close_from(PROTO_LISTENER_FD + 1);
    if (open_log(&options) != 0)
        return 1;
    if (!cpu_is_right())
        return 2;
    if (raise_open_files(&options.server) != 0)
        return 1;
    keep_malloc_small();
    if (options.bench != NULL)
        return bench_run(options.bench, options.store, options.bench_bytes, &options.server);
    return options.listen != NULL ? listen_run(options.listen, &options.server)
                                  : serve_inherited(&options.server);
}
