/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/verbs.h"

#include "common/append.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "common/time_slice.h"
#include "fused/cli/progress.h"
#include "fused/encoder/link.h"
#include "fused/encoder/trial.h"
#include "fused/files/lazy.h"
#include "fused/files/reads.h"
#include "fused/mounts/preflight.h"
#include "fused/process/background.h"
#include "fused/process/service.h"
#include "fused/serve/outside_link.h"
#include "fused/serve/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define END_GRACE_MS 400 /* how long the encoder may take to end by itself */
/* An encoder that owes answers and says nothing so long is replaced: in half of the time that a
 * read has, so that the next one may still answer it, but not so soon that a busy machine looks
 * like a wedge. */
#define SILENCE_MIN_MS 2000
#define SILENCE_MAX_MS 8000

/* The mount verb's parts, and what has become of it. */
struct mount {
    const struct options *opt;
    int log_fd;
    const char *log_path;                         /* NULL: standard error */
    int status_fd;                                /* to the parent, with --background; else -1 */
    char *store, *dir, *encoder, *encoder_socket; /* owned, absolute; the last two may be NULL */
    bool handed;      /* dir is a descriptor that somebody else has mounted */
    int dir_fd;       /* the mount point, until a session has it; owned */
    int selection_fd; /* what select_options gathered; -1: nothing */
    struct fs fs;
    struct progress progress;
    struct fuse_view view;
    struct link_view opened;

    struct event_base *base;
    struct event *signals[4]; /* those that end it */
    struct access_log *access_log;
    struct outside_link outside_link;
    struct outside outside; /* of reads and lazy */
    struct reads *reads;
    struct lazy *lazy;
    struct supervisor *supervisor;
    struct link *link;
    struct supervisor *trial_supervisor;
    struct trial *trial;
    struct session *session; /* NULL until mounted */
    struct service *service;
    struct status_file *status;

    bool ready;
    struct err err; /* why it failed; ERR_NONE if it did not */
};

/* ---- what happens while it runs ---- */

static void stop(struct mount *mount)
{
    event_base_loopbreak(mount->base);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct mount *mount = arg;

    (void)what;
    log_info("ending on signal %d", (int)sig);
    if (!mount->ready)
        err_set(&mount->err, ERR_SYSTEM, "interrupted before the mount was ready");
    stop(mount);
}

static void announce(const struct mount *mount)
{
    log_info("mounted %s on %s: %" PRIu64 " variants, %" PRIu64 " samples", mount->store,
             mount->dir, mount->opened.nvariants, mount->opened.nsamples);
    /* A script wants silence when all is well; a person wants to know that it worked. */
    if (mount->progress.terminal && !log_enabled(LOG_LEVEL_INFO))
        fprintf(stderr, "vczfs: mounted %s on %s: %" PRIu64 " variants, %" PRIu64 " samples\n",
                mount->opt->store, mount->opt->dir, mount->opened.nvariants,
                mount->opened.nsamples);
}

static void say_serving(const struct mount *mount)
{
    service_say(mount->service, "serving %s: %" PRIu64 " variants, %" PRIu64 " samples",
                mount->store, mount->opened.nvariants, mount->opened.nsamples);
}

static void on_ready(void *arg)
{
    struct mount *mount = arg;

    announce(mount);
    mount->ready = true;
    /* Nobody here can reach what somebody else has mounted. */
    service_mounted(mount->service, mount->handed ? "/" : mount->dir);
    say_serving(mount);
    if (mount->status_fd < 0)
        return;
    if (background_ready(steal_fd(&mount->status_fd), mount->log_fd) != 0) {
        log_error("whoever asked for the mount is gone");
        stop(mount);
    }
}

static void on_ended(void *arg)
{
    struct mount *mount = arg;

    log_info("%s was unmounted", mount->dir);
    if (!mount->ready)
        err_set(&mount->err, ERR_SYSTEM, "'%s' was unmounted before it was ready", mount->dir);
    stop(mount);
}

static const struct session_handlers session_handlers = {.ready = on_ready, .ended = on_ended};

static int on_file(const struct msg_file *file, int fd, void *arg, struct err *err)
{
    return fs_add(&((struct mount *)arg)->fs, file, fd, err);
}

static void on_opened(const struct link_view *view, void *arg)
{
    struct mount *mount = arg;
    struct session_config config = {
        .base = mount->base,
        .view = &mount->view,
        .source = mount->store,
        .dir = mount->dir,
        .dir_fd = steal_fd(&mount->dir_fd),
        .handed = mount->handed,
        .allow_other = mount->opt->allow_other,
    };

    progress_clear(&mount->progress);
    fs_set_mtime(&mount->fs, view->mtime);
    mount->opened = *view;
    if (view->nvariants == 0 && mount->opt->error_if_empty) {
        err_set(&mount->err, ERR_USAGE, "no variant of %s is left (--error-if-empty)",
                mount->opt->store);
        stop(mount);
        return;
    }
    mount->session = session_new(&config, &session_handlers, mount, &mount->err);
    if (mount->session == NULL)
        stop(mount);
}

static void on_failed(const struct err *why, void *arg)
{
    struct mount *mount = arg;
    const char *end = supervisor_last_end(mount->supervisor);

    mount->err = *why;
    if (why->code == ERR_PEER && end[0] != '\0')
        err_set(&mount->err, ERR_PEER, "the encoder %s before the view was open", end);
    else if (why->code == ERR_PEER)
        err_prefix(&mount->err, "the encoder is of no use");
    stop(mount);
}

static void on_progress(const struct msg_progress *news, void *arg)
{
    struct mount *mount = arg;

    progress_show(&mount->progress, news->what, news->done, news->total);
    service_say(mount->service, "opening %s: %s, %" PRIu64 " of %" PRIu64, mount->store, news->what,
                news->done, news->total);
}

static void on_notice(const char *text, void *arg)
{
    struct mount *mount = arg;

    progress_warn(&mount->progress, text);
}

static void on_up(const uint8_t *arena, uint64_t arena_size, void *arg)
{
    struct mount *mount = arg;

    supervisor_serving(mount->supervisor);
    reads_up(mount->reads, arena, arena_size);
    lazy_up(mount->lazy);
    if (mount->ready)
        say_serving(mount);
}

static void on_down(void *arg)
{
    struct mount *mount = arg;

    reads_down(mount->reads);
    lazy_down(mount->lazy);
    service_say(mount->service, "the encoder is gone: waiting for another one");
}

static void on_stale(void *arg)
{
    struct mount *mount = arg;

    reads_stale(mount->reads);
    lazy_stale(mount->lazy);
    service_say(mount->service, "the store changed: unmount and mount again");
}

static int on_span(const struct msg_span *span, void *arg, struct err *err)
{
    return reads_span(((struct mount *)arg)->reads, span, err);
}

static int on_error(const struct msg_error *error, void *arg, struct err *err)
{
    return reads_error(((struct mount *)arg)->reads, error, err);
}

static int on_sidecar(const struct msg_sidecar *sidecar, int fd, void *arg, struct err *err)
{
    return lazy_sidecar(((struct mount *)arg)->lazy, sidecar, fd, err);
}

static void on_fetching(uint64_t file, void *arg)
{
    lazy_progress(((struct mount *)arg)->lazy, file);
}

static void on_died(const struct evidence *evidence, void *arg)
{
    trial_died(((struct mount *)arg)->trial, evidence);
}

static void on_hold(struct msg_hold *out, void *arg)
{
    trial_hold(((struct mount *)arg)->trial, out);
}

static int on_no_sidecar(uint64_t file, const struct msg_error *error, void *arg, struct err *err)
{
    return lazy_error(((struct mount *)arg)->lazy, file, error, err);
}

static void on_counters(const struct msg_counters *counters, void *arg)
{
    status_counters(((struct mount *)arg)->status, counters);
}

static void on_held_changed(void *arg)
{
    link_hold(((struct mount *)arg)->link);
}

static void on_judged(void *arg)
{
    struct mount *mount = arg;

    reads_judged(mount->reads);
    lazy_judged(mount->lazy);
}

static const struct link_handlers link_handlers = {
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
    .fetching = on_fetching,
    .died = on_died,
    .hold = on_hold,
    .no_sidecar = on_no_sidecar,
    .counters = on_counters,
};

/* ---- before ---- */

static int check_dir(struct mount *mount, struct err *err)
{
    const struct options *opt = mount->opt;

    mount->handed = preflight_is_descriptor(opt->dir);
    if (mount->handed) {
        mount->dir = strdup(opt->dir);
        return mount->dir == NULL ? err_nomem(err, "the name of the mount point")
                                  : preflight_descriptor(opt->dir, err);
    }
    if (preflight_fuse(opt->allow_other, err) != 0)
        return -1;
    mount->dir = preflight_dir(opt->dir, &mount->dir_fd, err);
    return mount->dir == NULL ? -1 : 0;
}

/* Everything that can be wrong with the command and the place, before any process starts. */
static int check(struct mount *mount, struct err *err)
{
    const struct options *opt = mount->opt;

    if (preflight_order(opt->store, opt->dir, err) != 0 ||
        (mount->store = preflight_store(opt->store, err)) == NULL || check_dir(mount, err) != 0 ||
        select_options_gather(&opt->select, &mount->selection_fd, err) != 0)
        return -1;
    if (opt->encoder_socket == NULL) {
        mount->encoder = encoder_find(opt->encoder, err);
        return mount->encoder == NULL ? -1 : preflight_readable(mount->store, err);
    }
    mount->encoder_socket = realpath(opt->encoder_socket, NULL);
    if (mount->encoder_socket == NULL)
        return err_sys(err, ERR_NOT_FOUND, errno, "no encoder listens at '%s'",
                       opt->encoder_socket);
    return 0;
}

static int open_access_log(struct mount *mount, struct err *err)
{
    const char *path = mount->opt->access_log;
    int fd;

    if (path == NULL)
        return 0;
    /* Who reads a pipe too slowly must not hold up the mount. */
    fd = append_open(path);
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "cannot write to the access log '%s'", path);
    mount->access_log = access_log_new(mount->base, fd, err);
    return mount->access_log == NULL ? -1 : 0;
}

static int catch_signals(struct mount *mount, struct err *err)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    /* The terminal that goes away is nothing to a background process. */
    size_t n = mount->opt->background ? 3 : 4;

    for (size_t i = 0; i < n; i++) {
        mount->signals[i] = evsignal_new(mount->base, ends[i], on_signal, mount);
        if (mount->signals[i] == NULL || event_add(mount->signals[i], NULL) != 0)
            return err_set(err, ERR_SYSTEM, "cannot catch signals");
    }
    return 0;
}

/* With --background the encoder must not keep the terminal, or whatever reads our stderr, open. */
static int encoder_stderr(const struct mount *mount, int null)
{
    bool leaves_terminal = mount->opt->background && mount->log_fd == STDERR_FILENO;

    return leaves_terminal ? null : mount->log_fd;
}

static int make_supervisor(struct mount *mount, int null, struct err *err)
{
    struct encoder_command command = {
        .path = mount->encoder,
        .memory = mount->opt->memory,
        .threads = mount->opt->threads,
        .log_level = mount->opt->log_level,
        .no_sandbox = mount->opt->no_sandbox,
        .stderr_fd = encoder_stderr(mount, null),
    };
    struct encoder_socket socket = {.path = mount->encoder_socket};

    if (encoder_trust(mount->opt->encoder_user, &socket, err) != 0)
        return -1;
    mount->supervisor = supervisor_new(mount->base, &command, &socket, err);
    mount->trial_supervisor = supervisor_new(mount->base, &command, &socket, err);
    return mount->supervisor == NULL || mount->trial_supervisor == NULL ? -1 : 0;
}

static int make_trial(struct mount *mount, const struct link_config *link, struct err *err)
{
    struct trial_config config = {
        .link = *link,
        .main = mount->link,
        .timeout_ms = mount->opt->read_timeout * 1000,
        .changed = on_held_changed,
        .judged = on_judged,
        .arg = mount,
    };

    config.link.supervisor = mount->trial_supervisor;
    mount->trial = trial_new(&config, err);
    return mount->trial == NULL ? -1 : 0;
}

static int make_link(struct mount *mount, struct err *err)
{
    struct link_config config = {
        .base = mount->base,
        .supervisor = mount->supervisor,
        .store = mount->store,
        .selection_fd = mount->selection_fd,
        .silence_ms = (unsigned)size_max(
            SILENCE_MIN_MS, size_min(SILENCE_MAX_MS, mount->opt->read_timeout * 1000 / 2)),
    };

    options_view(mount->opt, &config.view);
    mount->link = link_new(&config, &link_handlers, mount, err);
    if (mount->link == NULL || make_trial(mount, &config, err) != 0)
        return -1;
    mount->outside_link = (struct outside_link){mount->link, mount->trial};
    return 0;
}

static int make_status(struct mount *mount, struct err *err)
{
    struct status_file_config config = {
        .base = mount->base,
        .store = mount->store,
        .dir = mount->dir,
        .log_path = mount->log_path,
        .fs = &mount->fs,
        .link = mount->link,
        .reads = mount->reads,
        .trial = mount->trial,
        .supervisor = mount->supervisor,
    };

    mount->status = status_file_new(&config, err);
    return mount->status == NULL ? -1 : 0;
}

static int make_parts(struct mount *mount, int null, struct err *err)
{
    struct reads_config config = {
        .outside = &mount->outside,
        .fs = &mount->fs,
        .timeout_ms = mount->opt->read_timeout * 1000,
    };

    mount->base = event_base_new();
    if (mount->base == NULL)
        return err_set(err, ERR_SYSTEM, "cannot make an event loop");
    mount->service = service_new(mount->base, err);
    if (mount->service == NULL || catch_signals(mount, err) != 0 ||
        open_access_log(mount, err) != 0)
        return -1;
    mount->outside = outside_link(mount->base, &mount->outside_link);
    config.log = mount->access_log;
    mount->reads = reads_new(&config, err);
    mount->lazy = lazy_new(&mount->outside, &mount->fs, config.timeout_ms, err);
    if (mount->reads == NULL || mount->lazy == NULL || make_supervisor(mount, null, err) != 0 ||
        make_link(mount, err) != 0 || make_status(mount, err) != 0)
        return -1;
    mount->view = (struct fuse_view){.fs = &mount->fs,
                                     .reads = mount->reads,
                                     .lazy = mount->lazy,
                                     .status = mount->status,
                                     .log = mount->access_log};
    return 0;
}

/* ---- after ---- */

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

/* The mount goes first, and waits for nobody; then the encoder, which may be wedged. */
static void take_down(struct mount *mount)
{
    if (mount->service != NULL)
        service_stopping(mount->service);
    if (mount->session != NULL)
        session_unmount(mount->session);
    trial_free(mount->trial);
    supervisor_free(
        mount->trial_supervisor); /* first: while it listens, each child's end cuts waiting short */
    link_free(mount->link);
    mount->link = NULL;
    if (mount->supervisor != NULL)
        supervisor_stop(mount->supervisor, END_GRACE_MS);
    reads_free(mount->reads);
    lazy_free(mount->lazy);
    status_file_free(mount->status);
    session_free(mount->session);
    supervisor_free(mount->supervisor);
    access_log_free(mount->access_log);
    if (mount->service != NULL && mount->err.code != ERR_NONE)
        service_failed(mount->service, mount->err.msg);
    service_free(mount->service);
    for (size_t i = 0; i < sizeof mount->signals / sizeof mount->signals[0]; i++)
        free_event(mount->signals[i]);
    if (mount->base != NULL)
        event_base_free(mount->base);
}

static void free_mount(struct mount *mount)
{
    fs_free(&mount->fs);
    free(mount->store);
    free(mount->dir);
    free(mount->encoder);
    free(mount->encoder_socket);
    if (mount->dir_fd >= 0)
        close(mount->dir_fd);
    if (mount->selection_fd >= 0)
        close(mount->selection_fd);
}

static int serve(struct mount *mount)
{
    AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    fs_init(&mount->fs);
    progress_init(&mount->progress);
    if (null < 0)
        err_sys(&mount->err, ERR_SYSTEM, errno, "/dev/null");
    else if (make_parts(mount, null, &mount->err) == 0) {
        time_slice_ask_short();
        link_start(mount->link);
        event_base_dispatch(mount->base);
    }
    progress_clear(&mount->progress);
    take_down(mount);
    return mount->err.code == ERR_NONE ? 0 : -1;
}

static int run(struct mount *mount)
{
    if (check(mount, &mount->err) != 0) {
        service_failed(NULL, mount->err.msg);
        return -1;
    }
    if (mount->opt->background) {
        mount->status_fd = background_fork(mount->handed ? NULL : mount->dir, &mount->err);
        if (mount->status_fd < 0)
            return -1;
    }
    return serve(mount);
}

int verb_mount(const struct options *opt, int log_fd, const char *log_path)
{
    struct mount mount = {.opt = opt,
                          .log_fd = log_fd,
                          .log_path = log_path,
                          .status_fd = -1,
                          .dir_fd = -1,
                          .selection_fd = -1};
    int status = EXIT_SUCCESS;

    /* They end a mount also where a script's shell has them ignored: so, too, one that waits for a
     * pipe. */
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (run(&mount) != 0) {
        fprintf(stderr, "vczfs: %s\n", mount.err.msg);
        if (log_fd != STDERR_FILENO)
            log_error("%s", mount.err.msg);
        status = verb_failure(&mount.err);
    }
    free_mount(&mount);
    if (mount.status_fd >= 0)
        close(mount.status_fd);
    return status;
}
