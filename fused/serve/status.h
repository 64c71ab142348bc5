/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: the text of a mount's status, as JSON or for people. A pure function of its facts.
 *
 * status_file gathers the facts and serves the text as hidden files in the mount.
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
    const char *last_end; /* of an encoder, in words; "": none ended abnormally */
    struct link_facts link;
    struct reads_facts reads;
    const struct suspects *suspects;
    bool has_counters; /* the encoder answered in time */
    struct msg_counters counters;
};

/* Appends one JSON object and a newline. */
void status_json(struct buf *out, const struct status *status);

/* Appends the text for people; control characters in names are replaced. */
void status_text(struct buf *out, const struct status *status);

#endif
