/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_state: what an encoder needs to open a view again as the previous encoder had it, in a
 * memfd.
 *
 * It is written and read by the same program on the same machine; but what comes back is checked
 * like any input.
 */
#ifndef VCZFS_SERVE_VIEW_STATE_H
#define VCZFS_SERVE_VIEW_STATE_H

#include "encoderd/format/format.h"
#include "proto/proto.h"

/* For each format that the user asked for. */
struct view_state_format {
    bool open; /* not left out */
    struct format_saved saved;
};

struct view_state {
    struct view_state_format formats[PROTO_FORMATS_MAX];
    size_t nformats;
    int selection_fd; /* made by selection_save, owned; -1: nothing */
};
void view_state_clear(struct view_state *state);

/* *fd is a sealed memfd, or -1 if there is nothing to save. */
int view_state_save(const struct view_state *state, int *fd, struct err *err);

/* fd is borrowed; -1 if view_state_save made none. ERR_PEER if it is not the state of a view of
 * nformats formats. */
int view_state_load(int fd, size_t nformats, struct view_state *out, struct err *err);

#endif
