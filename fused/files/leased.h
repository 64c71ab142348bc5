/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leased: the leased part of the arena. Reads are answered from it, and leases that are no longer
 * needed are returned to the encoder.
 *
 * A message only for returns would wake the encoder, so a few small returns wait for the next
 * request: they are sent before it (leased_send_returns), or after a few milliseconds. If they are
 * large, they are sent at once. A lease that was not used for a second is returned.
 */
#ifndef VCZFS_FUSED_FILES_LEASED_H
#define VCZFS_FUSED_FILES_LEASED_H

#include "fused/files/leases.h"
#include "fused/files/outside.h"

struct leased {
    const struct outside *outside; /* borrowed */
    struct leases leases;
    const uint8_t *bytes; /* the arena, the link's; NULL while the link is down */
    uint64_t size;
    struct timer *returns; /* sends them */
    struct timer *sweep;   /* looks for idle leases */
    void (*unused)(void *arg);
    void *arg;
};

/* Calls unused(arg) when nothing has been leased for some time. -1 with ERR_MEMORY; leased_free may
 * be called then, too. */
int leased_init(struct leased *leased, const struct outside *outside, void (*unused)(void *arg),
                void *arg, struct err *err);
void leased_free(struct leased *leased);

/* leased_up: `bytes` stay mapped until leased_down. leased_down: the encoder is gone, and with it
 * all leases. */
void leased_up(struct leased *leased, const uint8_t *bytes, uint64_t size);
void leased_down(struct leased *leased);

/* Takes the lease that answers a request for byte `asked` of a file of file_size bytes. Call
 * leased_tidy afterwards, because other leases may have been dropped. On failure no lease is taken:
 * ERR_PEER if the span cannot be such an answer, or ERR_MEMORY. */
int leased_add(struct leased *leased, const struct msg_span *span, uint64_t file, uint64_t asked,
               uint64_t file_size, struct err *err);

/* Drops one lease, or all leases of a file. */
void leased_drop(struct leased *leased, uint64_t lease);
void leased_drop_file(struct leased *leased, uint64_t file);

/* leased_tidy: makes sure that dropped leases are returned soon. leased_send_returns: returns them
 * now. */
void leased_tidy(struct leased *leased);
void leased_send_returns(struct leased *leased);

/* How many of these bytes the leases hold, counted from the first one up to a gap. */
size_t leased_holds(struct leased *leased, uint64_t file, uint64_t offset, size_t size);

/* Answers the request if a few leases hold all these bytes. Otherwise does nothing and returns
 * false. */
bool leased_reply(struct leased *leased, struct fuse_req *req, uint64_t file, uint64_t offset,
                  size_t size);

/* Copies the bytes that the leases hold, up to a gap, and returns how many. The leases count them
 * as read. */
size_t leased_copy(struct leased *leased, uint64_t file, uint64_t offset, size_t size,
                   uint8_t *out);

/* Does the arena probably have room for more spans? Leases take at most half of it.
 * leased_has_room: half of that half is free. */
bool leased_has_room(const struct leased *leased); /* three quarters of that half are free */
bool leased_is_roomy(const struct leased *leased); /* three quarters of it */

#endif
