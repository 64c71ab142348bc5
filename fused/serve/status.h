/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: what a mount says about itself, as JSON and as text. Pure: facts in, bytes out.
 *
 * The facts are gathered by status_file, which also serves them as hidden files in the mount.
 */
#ifndef VCZFS_FUSED_SERVE_STATUS_H
#define VCZFS_FUSED_SERVE_STATUS_H

#include "common/buf.h"
#include "fused/encoder/link.h"
#include "fused/files/fs.h"
#include "fused/files/reads.h"

struct status {
    const char *store, *dir;
    const char *log_path; /* NULL: standard error */
    const struct fs *fs;
    uint64_t now, begun; /* ms of the steady clock */
    uint64_t front_pid;
    uint64_t front_resident, encoder_resident; /* bytes; 0: not known */
    const char *last_end; /* of an encoder, in words; "" if none ended in disorder */
    struct link_facts link;
    struct reads_facts reads;
    const struct suspects *suspects;
    bool has_counters; /* the encoder answered in time */
    struct msg_counters counters;
};

/* One JSON object and a newline. */
void status_json(struct buf *out, const struct status *status);

/* The same for people; control characters in names are replaced. */
void status_text(struct buf *out, const struct status *status);

#endif
