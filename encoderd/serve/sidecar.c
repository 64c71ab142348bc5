/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/sidecar.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "encoderd/encode/encode.h"

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

const char *sidecar_temporary_dir(void)
{
    const char *set = getenv("TMPDIR");

    return set != NULL && set[0] != '\0' ? set : "/var/tmp";
}

int sidecar_open_temporary(void)
{
    const char *dir = sidecar_temporary_dir();
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
    struct sidecar_job *job = arg;

    if (atomic_load(&job->stop))
        return -1;
    pthread_mutex_lock(&job->lock);
    job->progress = (struct sidecar_progress){what, done, total};
    pthread_mutex_unlock(&job->lock);
    if (now() - job->last_logged >= LOG_EVERY_SECONDS) {
        job->last_logged = now();
        log_info("%s: %s: %llu of %llu", job->config.view->files[job->config.file].name, what,
                 (unsigned long long)done, (unsigned long long)total);
    }
    return 0;
}

/* Reads bytes of the stream. If the format makes rows whole, the target must be whole rows. */
static int read_stream(void *arg, uint64_t begin, uint64_t end, uint8_t *out, struct err *err)
{
    struct sidecar_job *job = arg;
    const struct stream_layout *layout = &job->format->layout;
    AUTO_FREE uint8_t *whole = NULL;
    struct encode_target target = {.begin = begin, .end = end, .out = out};

    if (atomic_load(&job->stop))
        return err_set(err, ERR_PEER, "nobody waits for the file any more");
    if (end > layout->header_nbytes && (end - layout->header_nbytes) % layout->row_nbytes != 0) {
        target.end += layout->row_nbytes - (end - layout->header_nbytes) % layout->row_nbytes;
        target.out = whole = malloc(target.end - begin);
        if (whole == NULL)
            return err_nomem(err, "a sidecar");
    }
    if (encode_target(job->format, &target, &job->worker, err) != 0)
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

static int make(struct sidecar_job *job)
{
    const struct view *view = job->config.view;
    const struct view_file *file = &view->files[job->config.file];
    const struct stream_facts stream = {.name = stream_name(view, file->maker),
                                        .mtime = job->config.mtime,
                                        .read = read_stream,
                                        .arg = job};
    const struct pass_means means = {.nthreads = 1,
                                     .scratch_max = job->config.scratch_max,
                                     .progress = on_progress,
                                     .progress_arg = job};
    int rc;

    job->format = file->maker;
    job->last_logged = now();
    if (encode_worker_init(&job->worker, job->config.scratch_max, NULL, &job->err) != 0)
        return -1;
    rc = file->maker->format->make_sidecar(file->maker, file->sidecar, &stream, &means,
                                           &job->config.temporary, &job->made, &job->err);
    encode_worker_clear(&job->worker);
    return rc;
}

static void *sidecar_main(void *arg)
{
    struct sidecar_job *job = arg;

    job->rc = make(job);
    eventfd_write(job->wake_fd, 1);
    return NULL;
}

struct sidecar_job *sidecar_start(const struct sidecar_config *config, struct err *err)
{
    struct sidecar_job *job = calloc(1, sizeof *job);
    int failed;

    if (job == NULL) {
        if (config->temporary >= 0)
            close(config->temporary);
        err_nomem(err, "a sidecar");
        return NULL;
    }
    job->config = *config;
    job->progress.what = "";
    pthread_mutex_init(&job->lock, NULL);
    job->made.fd = -1;
    job->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    failed = job->wake_fd < 0 ? errno : pthread_create(&job->thread, NULL, sidecar_main, job);
    if (failed == 0)
        return job;
    err_sys(err, ERR_SYSTEM, failed, "cannot start a thread for a file");
    cleanup_close(&job->wake_fd);
    cleanup_close(&job->config.temporary);
    pthread_mutex_destroy(&job->lock);
    free(job);
    return NULL;
}

int sidecar_wake_fd(const struct sidecar_job *job)
{
    return job->wake_fd;
}

/* There may be a long time between two reports of progress: if the thread has used the processor,
 * that also counts as progress. */
static bool has_computed(struct sidecar_job *job)
{
    struct timespec cpu;
    clockid_t clock;
    bool more;

    if (pthread_getcpuclockid(job->thread, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
        return false;
    more = cpu.tv_sec != job->cpu.tv_sec || cpu.tv_nsec != job->cpu.tv_nsec;
    job->cpu = cpu;
    return more;
}

bool sidecar_moved(struct sidecar_job *job, struct sidecar_progress *out)
{
    bool moved = has_computed(job);

    pthread_mutex_lock(&job->lock);
    *out = job->progress;
    pthread_mutex_unlock(&job->lock);
    moved |= out->what != job->seen.what || out->done != job->seen.done;
    job->seen = *out;
    return moved;
}

int sidecar_result(struct sidecar_job *job, struct made_sidecar *out, struct err *err)
{
    if (job->rc != 0) {
        *err = job->err;
        return -1;
    }
    *out = job->made;
    job->made.fd = -1;
    return 0;
}

int sidecar_end(struct sidecar_job *job)
{
    int temporary;

    atomic_store(&job->stop, true);
    pthread_join(job->thread, NULL);
    cleanup_close(&job->made.fd);
    cleanup_close(&job->wake_fd);
    pthread_mutex_destroy(&job->lock);
    temporary = job->config.temporary;
    free(job);
    return temporary;
}
