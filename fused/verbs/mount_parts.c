/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/mount_impl.h"

#include "common/append.h"
#include "common/size.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define END_GRACE_MS 400 /* how long the encoder may take to end by itself */
/* An encoder that owes answers is replaced after this silence. It is half of the time that a read
 * has, so that the next encoder can still answer the read, but at least SILENCE_MIN_MS, so that an
 * encoder on a busy machine is not taken for a wedged one. */
#define SILENCE_MIN_MS 2000
#define SILENCE_MAX_MS 8000

/* ---- making them ---- */

static int open_access_log(struct mount *mount, struct err *err)
{
    const char *path = mount->opt->access_log;
    int fd;

    if (path == NULL)
        return 0;
    /* append_open does not block: a slow reader of a pipe must not delay the mount. */
    fd = append_open(path);
    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "cannot write to the access log '%s'", path);
    mount->access_log = access_log_new(mount->base, fd, err);
    return mount->access_log == NULL ? -1 : 0;
}

static int catch_signals(struct mount *mount, struct err *err)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
    /* A mount in the background ignores the hangup of the terminal. */
    size_t n = mount->opt->background ? 3 : 4;

    for (size_t i = 0; i < n; i++) {
        mount->signals[i] = evsignal_new(mount->base, ends[i], mount_on_signal, mount);
        if (mount->signals[i] == NULL || event_add(mount->signals[i], NULL) != 0)
            return err_set(err, ERR_SYSTEM, "cannot catch signals");
    }
    return 0;
}

/* With --background the encoder must not keep our stderr open: a terminal, or a pipe whose reader
 * waits for its end. */
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
    mount->probe_supervisor = supervisor_new(mount->base, &command, &socket, err);
    return mount->supervisor == NULL || mount->probe_supervisor == NULL ? -1 : 0;
}

static int make_probe(struct mount *mount, const struct link_config *link, struct err *err)
{
    struct probe_config config = {
        .link = *link,
        .main = mount->link,
        .timeout_ms = mount->opt->read_timeout * 1000,
        .changed = mount_on_held_changed,
        .settled = mount_on_settled,
        .arg = mount,
    };

    config.link.supervisor = mount->probe_supervisor;
    mount->probe = probe_new(&config, err);
    return mount->probe == NULL ? -1 : 0;
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
    mount->link = link_new(&config, &mount_link_handlers, mount, err);
    if (mount->link == NULL || make_probe(mount, &config, err) != 0)
        return -1;
    mount->outside_link = (struct outside_link){mount->link, mount->probe};
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
        .probe = mount->probe,
        .supervisor = mount->supervisor,
    };

    mount->status = status_file_new(&config, err);
    return mount->status == NULL ? -1 : 0;
}

int mount_make_parts(struct mount *mount, int null, struct err *err)
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

/* ---- taking them down ---- */

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void mount_take_down(struct mount *mount)
{
    if (mount->service != NULL)
        service_stopping(mount->service);
    if (mount->session != NULL)
        session_unmount(mount->session);
    probe_free(mount->probe);
    supervisor_free(mount->probe_supervisor); /* first, because its listening makes waits for
                                                 children end early */
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
