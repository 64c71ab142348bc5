/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/status_file.h"

#include "fused/process/clock.h"
#include "fused/serve/status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define INO_JSON         (FS_FIRST_FILE + PROTO_FILES_MAX)
#define INO_TEXT         (INO_JSON + 1)
#define COUNTERS_WAIT_MS 250

/* One open file: it waits for its text, or has it. */
struct snapshot {
    fuse_req_t req; /* NULL once answered */
    struct fuse_file_info fi;
    uint64_t ino;
    struct buf text; /* owned */
    TAILQ_ENTRY(snapshot) entry;
};

struct status_file {
    struct status_file_config config;
    TAILQ_HEAD(, snapshot) snapshots;
    struct event *timeout;
    uint64_t begun; /* ms */
};

/* ---- facts ---- */

/* Read from /proc; 0 if it is not known. */
static uint64_t resident_bytes(uint64_t pid)
{
    char path[64];
    unsigned long long total, resident;
    FILE *file;
    int n;

    if (pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/statm", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel counts in 64 bits */
    n = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    return n == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void gather(const struct status_file *file, const struct msg_counters *counters,
                   struct status *out)
{
    const struct status_file_config *config = &file->config;

    *out = (struct status){
        .store = config->store,
        .dir = config->dir,
        .log_path = config->log_path,
        .fs = config->fs,
        .now = clock_ms(),
        .begun = file->begun,
        .front_pid = (uint64_t)getpid(),
        .last_end = supervisor_last_end(config->supervisor),
        .has_counters = counters != NULL,
    };
    if (counters != NULL)
        out->counters = *counters;
    link_look(config->link, &out->link);
    reads_look(config->reads, &out->reads);
    out->suspects = probe_suspects(config->probe);
    out->front_resident = resident_bytes(out->front_pid);
    out->encoder_resident = resident_bytes(out->link.pid);
}

/* ---- answers ---- */

static void drop(struct status_file *file, struct snapshot *snapshot)
{
    TAILQ_REMOVE(&file->snapshots, snapshot, entry);
    buf_free(&snapshot->text);
    free(snapshot);
}

static void answer(struct status_file *file, struct snapshot *snapshot, const struct status *status)
{
    fuse_req_t req = snapshot->req;

    snapshot->req = NULL;
    if (snapshot->ino == INO_JSON)
        status_json(&snapshot->text, status);
    else
        status_text(&snapshot->text, status);
    if (snapshot->text.failed) {
        fuse_reply_err(req, ENOMEM);
        drop(file, snapshot);
        return;
    }
    snapshot->fi.fh = (uint64_t)(uintptr_t)snapshot;
    snapshot->fi.direct_io = 1;
    snapshot->fi.noflush = 1;
    /* If the caller was interrupted, no release will come. */
    if (fuse_reply_open(req, &snapshot->fi) != 0)
        drop(file, snapshot);
}

/* Answers all that wait. counters is NULL if they did not come in time. */
static void answer_all(struct status_file *file, const struct msg_counters *counters)
{
    struct snapshot *snapshot, *next;
    struct status status;

    event_del(file->timeout);
    gather(file, counters, &status);
    for (snapshot = TAILQ_FIRST(&file->snapshots); snapshot != NULL; snapshot = next) {
        next = TAILQ_NEXT(snapshot, entry);
        if (snapshot->req != NULL)
            answer(file, snapshot, &status);
    }
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    answer_all(arg, NULL);
}

void status_counters(struct status_file *file, const struct msg_counters *counters)
{
    if (file != NULL)
        answer_all(file, counters);
}

/* ---- requests ---- */

uint64_t status_ino(const char *name)
{
    if (strcmp(name, STATUS_NAME_JSON) == 0)
        return INO_JSON;
    return strcmp(name, STATUS_NAME_TEXT) == 0 ? INO_TEXT : 0;
}

bool status_is(uint64_t ino)
{
    return ino == INO_JSON || ino == INO_TEXT;
}

bool status_stat(const struct fs *fs, uint64_t ino, struct stat *out)
{
    if (!status_is(ino))
        return false;
    memset(out, 0, sizeof *out);
    out->st_ino = ino;
    out->st_mode = S_IFREG | 0400;
    out->st_nlink = 1;
    out->st_uid = fs->uid;
    out->st_gid = fs->gid;
    out->st_atim = out->st_mtim = out->st_ctim = fs->mtime;
    return true;
}

void status_open(struct status_file *file, fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
    struct snapshot *snapshot;

    if (fs_wants_to_write(fi->flags)) {
        fuse_reply_err(req, EROFS);
        return;
    }
    snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    *snapshot = (struct snapshot){.req = req, .fi = *fi, .ino = ino};
    TAILQ_INSERT_TAIL(&file->snapshots, snapshot, entry);
    if (!link_ask_counters(file->config.link))
        answer_all(file, NULL);
    else if (!event_pending(file->timeout, EV_TIMEOUT, NULL))
        clock_arm(file->timeout, COUNTERS_WAIT_MS);
}

static struct snapshot *snapshot_of(const struct fuse_file_info *fi)
{
    return (struct snapshot *)(uintptr_t)fi->fh;
}

void status_read(fuse_req_t req, const struct fuse_file_info *fi, uint64_t offset, size_t size)
{
    const struct buf *text = &snapshot_of(fi)->text;

    if (offset >= text->len)
        size = 0;
    else if (size > text->len - offset)
        size = text->len - (size_t)offset;
    fuse_reply_buf(req, size > 0 ? (const char *)text->data + offset : NULL, size);
}

void status_release(struct status_file *file, fuse_req_t req, const struct fuse_file_info *fi)
{
    drop(file, snapshot_of(fi));
    fuse_reply_err(req, 0);
}

/* ---- outside ---- */

struct status_file *status_file_new(const struct status_file_config *config, struct err *err)
{
    struct status_file *file = calloc(1, sizeof *file);

    if (file != NULL) {
        file->config = *config;
        file->begun = clock_ms();
        TAILQ_INIT(&file->snapshots);
        file->timeout = evtimer_new(config->base, on_timeout, file);
    }
    if (file == NULL || file->timeout == NULL) {
        err_nomem(err, "the status file");
        free(file);
        return NULL;
    }
    return file;
}

void status_file_free(struct status_file *file)
{
    struct snapshot *snapshot;

    if (file == NULL)
        return;
    while ((snapshot = TAILQ_FIRST(&file->snapshots)) != NULL) {
        if (snapshot->req != NULL)
            fuse_reply_err(snapshot->req, ENOTCONN);
        drop(file, snapshot);
    }
    event_free(file->timeout);
    free(file);
}
