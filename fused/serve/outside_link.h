/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside_link: the table of files/outside.h for a mount: the event loop's time, the link to the
 * encoder, the probe, and libfuse.
 */
#ifndef VCZFS_FUSED_SERVE_OUTSIDE_LINK_H
#define VCZFS_FUSED_SERVE_OUTSIDE_LINK_H

#include "fused/files/outside.h"

#include <event2/event.h>

/* Both are borrowed. They may be set after the table is made, but before a link is up. */
struct outside_link {
    struct link *link;
    struct probe *probe;
};

/* `base` and `link` must outlive the table. */
struct outside outside_link(struct event_base *base, struct outside_link *link);

#endif
