#include "encoderd/sidecar.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "encoderd/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define LOG_EVERY_SECONDS 5

struct sidecar_job {
    struct sidecar_config config;
    pthread_t thread;
    int wake_fd;
    atomic_bool stop;
    const struct format_view *format;
    struct encode_worker worker; /* for the stream's own bytes */
    time_t last_logged;
    pthread_mutex_t lock; /* covers the progress */
    struct sidecar_progress progress;
    struct sidecar_progress seen; /* by sidecar_moved */
    struct timespec cpu;          /* of the thread, then */
    int rc;
    struct err err;
    struct made_sidecar made;
};

const char *fetch_temporary_dir(void)
{
    const char *set = getenv("TMPDIR");

    return set != NULL && set[0] != '\0' ? set : "/var/tmp";
}

int fetch_open_temporary(void)
{
    const char *dir = fetch_temporary_dir();
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[4096];

    /* Not every file system knows O_TMPFILE. */
    if (fd < 0 && (size_t)snprintf(path, sizeof path, "%s/vczfs-XXXXXX", dir) < sizeof path) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            unlink(path);
    }
    if (fd < 0)
        log_info("no temporary file in %s: %s", dir, strerror(errno));
    return fd;
}

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static int on_progress(const char *what, uint64_t done, uint64_t total, void *arg)
{
    struct sidecar_job *fetch = arg;

    if (atomic_load(&fetch->stop))
        return -1;
    pthread_mutex_lock(&fetch->lock);
    fetch->progress = (struct sidecar_progress){what, done, total};
    pthread_mutex_unlock(&fetch->lock);
    if (now() - fetch->last_logged >= LOG_EVERY_SECONDS) {
        fetch->last_logged = now();
        log_info("%s: %s: %llu of %llu", fetch->config.view->files[fetch->config.file].name, what,
                 (unsigned long long)done, (unsigned long long)total);
    }
    return 0;
}

/* Formats whose rows are made whole want targets of whole rows. */
static int read_stream(void *arg, uint64_t begin, uint64_t end, uint8_t *out, struct err *err)
{
    struct sidecar_job *fetch = arg;
    const struct stream_layout *layout = &fetch->format->layout;
    AUTO_FREE uint8_t *whole = NULL;
    struct encode_target target = {.begin = begin, .end = end, .out = out};

    if (atomic_load(&fetch->stop))
        return err_set(err, ERR_PEER, "nobody waits for the file any more");
    if (end > layout->header_nbytes && (end - layout->header_nbytes) % layout->row_nbytes != 0) {
        target.end += layout->row_nbytes - (end - layout->header_nbytes) % layout->row_nbytes;
        target.out = whole = malloc(target.end - begin);
        if (whole == NULL)
            return err_set(err, ERR_MEMORY, "out of memory");
    }
    if (encode_target(fetch->format, &target, &fetch->worker, err) != 0)
        return -1;
    if (whole != NULL)
        memcpy(out, whole, end - begin);
    return 0;
}

static const char *stream_name(const struct view *view, const struct format_view *format)
{
    for (size_t i = 0; i < view->nfiles; i++)
        if (view->files[i].stream == format)
            return view->files[i].name;
    return "";
}

static int make(struct sidecar_job *fetch)
{
    const struct view *view = fetch->config.view;
    const struct view_file *file = &view->files[fetch->config.file];
    const struct stream_facts stream = {.name = stream_name(view, file->maker),
                                        .mtime = fetch->config.mtime,
                                        .read = read_stream,
                                        .arg = fetch};
    const struct pass_means means = {.nthreads = 1,
                                     .scratch_max = fetch->config.scratch_max,
                                     .progress = on_progress,
                                     .progress_arg = fetch};
    int rc;

    fetch->format = file->maker;
    fetch->last_logged = now();
    if (encode_worker_init(&fetch->worker, fetch->config.scratch_max, NULL, &fetch->err) != 0)
        return -1;
    rc = file->maker->format->make_sidecar(file->maker, file->sidecar, &stream, &means,
                                           &fetch->config.temporary, &fetch->made, &fetch->err);
    encode_worker_clear(&fetch->worker);
    return rc;
}

static void *fetch_main(void *arg)
{
    struct sidecar_job *fetch = arg;

    fetch->rc = make(fetch);
    eventfd_write(fetch->wake_fd, 1);
    return NULL;
}

struct sidecar_job *sidecar_start(const struct sidecar_config *config, struct err *err)
{
    struct sidecar_job *fetch = calloc(1, sizeof *fetch);
    int failed;

    if (fetch == NULL) {
        if (config->temporary >= 0)
            close(config->temporary);
        err_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    fetch->config = *config;
    fetch->progress.what = "";
    pthread_mutex_init(&fetch->lock, NULL);
    fetch->made.fd = -1;
    fetch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    failed = fetch->wake_fd < 0 ? errno : pthread_create(&fetch->thread, NULL, fetch_main, fetch);
    if (failed == 0)
        return fetch;
    err_sys(err, ERR_SYSTEM, failed, "cannot start a thread for a file");
    cleanup_close(&fetch->wake_fd);
    cleanup_close(&fetch->config.temporary);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
    return NULL;
}

int sidecar_wake_fd(const struct sidecar_job *fetch)
{
    return fetch->wake_fd;
}

/* Between two steps that are told there may be long ones: who computes moves, too. */
static bool has_computed(struct sidecar_job *fetch)
{
    struct timespec cpu;
    clockid_t clock;
    bool more;

    if (pthread_getcpuclockid(fetch->thread, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
        return false;
    more = cpu.tv_sec != fetch->cpu.tv_sec || cpu.tv_nsec != fetch->cpu.tv_nsec;
    fetch->cpu = cpu;
    return more;
}

bool sidecar_moved(struct sidecar_job *fetch, struct sidecar_progress *out)
{
    bool moved = has_computed(fetch);

    pthread_mutex_lock(&fetch->lock);
    *out = fetch->progress;
    pthread_mutex_unlock(&fetch->lock);
    moved |= out->what != fetch->seen.what || out->done != fetch->seen.done;
    fetch->seen = *out;
    return moved;
}

int sidecar_result(struct sidecar_job *fetch, struct made_sidecar *out, struct err *err)
{
    if (fetch->rc != 0) {
        *err = fetch->err;
        return -1;
    }
    *out = fetch->made;
    fetch->made.fd = -1;
    return 0;
}

int sidecar_end(struct sidecar_job *fetch)
{
    int temporary;

    atomic_store(&fetch->stop, true);
    pthread_join(fetch->thread, NULL);
    cleanup_close(&fetch->made.fd);
    cleanup_close(&fetch->wake_fd);
    pthread_mutex_destroy(&fetch->lock);
    temporary = fetch->config.temporary;
    free(fetch);
    return temporary;
}
