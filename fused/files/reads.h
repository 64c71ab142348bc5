/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reads: the kernel's reads of stream files, from request to reply.
 *
 * A read that leases cover is answered on the spot, from the arena. Any other waits in a queue
 * while the encoder is asked for the first byte it lacks, again and again until it is whole, its
 * deadline passes, or nothing can help it. The queue outlives encoders.
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

/* What config points at is borrowed. */
struct reads *reads_new(const struct reads_config *config, struct err *err);

/* Every request still waiting is answered with ENOTCONN. */
void reads_free(struct reads *reads);

/* Answers req, now or later, with at most size bytes of the stream file from offset. */
void reads_start(struct reads *reads, struct fuse_req *req, const struct fs_file *file,
                 uint64_t handle, uint64_t offset, size_t size);

/* One more, one fewer handle on a stream file. */
void reads_opened(struct reads *reads, const struct fs_file *file);
void reads_closed(struct reads *reads, const struct fs_file *file, uint64_t handle);

/* For whoever wants to know how it is; pointers are valid until the next call. */
struct reads_facts {
    uint64_t nserved, nfailed; /* reads of stream files */
    uint64_t failed_at;        /* ms, the last that failed but for those interrupted; 0: none */
    uint64_t bytes;            /* served */
    uint64_t npending, nhandles;
    uint64_t nleases, lease_bytes;
    const struct latency *latency; /* of those served */
    const char *last_error;        /* "" if there was none */
    uint64_t last_error_at;        /* ms */
};

void reads_look(const struct reads *reads, struct reads_facts *out);

/* What the link has to say: see struct link_handlers. After an answer that is refused `down` comes.
 */
void reads_up(struct reads *reads, const uint8_t *arena, uint64_t arena_size);
void reads_down(struct reads *reads);
void reads_stale(struct reads *reads);
int reads_span(struct reads *reads, const struct msg_span *span, struct err *err);
int reads_error(struct reads *reads, const struct msg_error *error, struct err *err);

/* What the probe has to say. */
void reads_settled(struct reads *reads);

#endif
