/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside_link: what files/outside.h asks for, as a mount has it: the event loop's time, the link
 * to the encoder, the probe, and libfuse.
 */
#ifndef VCZFS_FUSED_SERVE_OUTSIDE_LINK_H
#define VCZFS_FUSED_SERVE_OUTSIDE_LINK_H

#include "fused/files/outside.h"

#include <event2/event.h>

/* Both borrowed; they may be set later, but before a link is up. */
struct outside_link {
    struct link *link;
    struct probe *probe;
};

/* `base` and `link` must outlive it. */
struct outside outside_link(struct event_base *base, struct outside_link *link);

#endif
