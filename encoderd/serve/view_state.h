/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_state: what an encoder needs to open a view again as the one before it had it, in a memfd.
 *
 * Both ends are the same program on the same machine; but what comes back is checked like any
 * input.
 */
#ifndef VCZFS_SERVE_VIEW_STATE_H
#define VCZFS_SERVE_VIEW_STATE_H

#include "encoderd/format/format.h"
#include "proto/proto.h"

/* One for each format that was asked for. */
struct view_state_format {
    bool open; /* not left out */
    struct format_saved saved;
};

struct view_state {
    struct view_state_format formats[PROTO_FORMATS_MAX];
    size_t nformats;
    int selection_fd; /* what selection_save made, owned; -1: nothing */
};
void view_state_clear(struct view_state *state);

/* *fd is a sealed memfd, or -1 if there is nothing that a resume would not know by itself. */
int view_state_save(const struct view_state *state, int *fd, struct err *err);

/* fd is borrowed; -1 is what save made of nothing. ERR_PEER if it is no state of a view of
 * nformats. */
int view_state_load(int fd, size_t nformats, struct view_state *out, struct err *err);

#endif
