/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reads: the kernel's reads of stream files, from request to reply.
 *
 * A read whose bytes are all leased is answered at once, from the arena. Any other read waits in a
 * queue while the encoder is asked for the first byte that it lacks, and then for the next one,
 * until all bytes are there, its timeout passes, or it has to fail. The queue stays when an encoder
 * dies.
 */
#ifndef VCZFS_FUSED_FILES_READS_H
#define VCZFS_FUSED_FILES_READS_H

#include "fused/files/access_log.h"
#include "fused/files/fs.h"
#include "fused/files/latency.h"
#include "fused/files/outside.h"

struct reads;

struct reads_config {
    const struct outside *outside;
    const struct fs *fs;
    struct access_log *log; /* may be NULL */
    unsigned timeout_ms;
};

/* The pointers in config are borrowed. */
struct reads *reads_new(const struct reads_config *config, struct err *err);

/* Answers all requests that still wait with ENOTCONN. */
void reads_free(struct reads *reads);

/* Answers req, now or later, with up to size bytes of the stream file at offset. */
void reads_start(struct reads *reads, struct fuse_req *req, const struct fs_file *file,
                 uint64_t handle, uint64_t offset, size_t size);

/* A handle of a stream file was opened, or closed. */
void reads_opened(struct reads *reads, const struct fs_file *file);
void reads_closed(struct reads *reads, const struct fs_file *file, uint64_t handle);

/* The state of the reads, for the status. The pointers are valid until the next call. */
struct reads_facts {
    uint64_t nserved, nfailed; /* reads of stream files */
    uint64_t failed_at;        /* ms; last failure other than an interruption; 0: none */
    uint64_t bytes;            /* served */
    uint64_t npending, nhandles;
    uint64_t nleases, lease_bytes;
    const struct latency *latency; /* of those served */
    const char *last_error;        /* "" if there was none */
    uint64_t last_error_at;        /* ms */
};

void reads_look(const struct reads *reads, struct reads_facts *out);

/* Events of the link, see struct link_handlers. If one of these functions refuses an answer, `down`
 * follows. */
void reads_up(struct reads *reads, const uint8_t *arena, uint64_t arena_size);
void reads_down(struct reads *reads);
void reads_stale(struct reads *reads);
int reads_span(struct reads *reads, const struct msg_span *span, struct err *err);
int reads_error(struct reads *reads, const struct msg_error *error, struct err *err);

/* A probe has ended; reads that wait for one ask again. */
void reads_settled(struct reads *reads);

#endif
