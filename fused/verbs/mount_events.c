/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens while a mount runs: signals, events of the kernel and of the link, and whom they are
 * reported to.
 */
#include "fused/verbs/mount_impl.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "fused/process/background.h"

#include <inttypes.h>
#include <stdio.h>

static void stop(struct mount *mount)
{
    event_base_loopbreak(mount->base);
}

void mount_on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct mount *mount = arg;

    (void)what;
    log_info("ending on signal %d", (int)sig);
    if (!mount->ready)
        err_set(&mount->err, ERR_SYSTEM, "interrupted before the mount was ready");
    stop(mount);
}

/* ---- the session ---- */

static void announce(const struct mount *mount)
{
    log_info("mounted %s on %s: %" PRIu64 " variants, %" PRIu64 " samples", mount->store,
             mount->dir, mount->opened.nvariants, mount->opened.nsamples);
    /* On a terminal a person wants to know that it worked; a script wants no output when all is
     * well. */
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
    /* A descriptor that somebody else mounted has no path that this process can ask, so "/" is
     * asked. */
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

/* ---- the view opens ---- */

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

/* ---- an encoder comes and goes, and answers ---- */

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

static int on_no_sidecar(uint64_t file, const struct msg_error *error, void *arg, struct err *err)
{
    return lazy_error(((struct mount *)arg)->lazy, file, error, err);
}

static void on_counters(const struct msg_counters *counters, void *arg)
{
    status_counters(((struct mount *)arg)->status, counters);
}

/* ---- chunks that encoders died of ---- */

static void on_died(const struct evidence *evidence, void *arg)
{
    probe_died(((struct mount *)arg)->probe, evidence);
}

static void on_hold(struct msg_hold *out, void *arg)
{
    probe_hold(((struct mount *)arg)->probe, out);
}

void mount_on_held_changed(void *arg)
{
    link_hold(((struct mount *)arg)->link);
}

void mount_on_settled(void *arg)
{
    struct mount *mount = arg;

    reads_settled(mount->reads);
    lazy_settled(mount->lazy);
}

const struct link_handlers mount_link_handlers = {
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
