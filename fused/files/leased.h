/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leased: the memory that the encoder shares, as far as it is leased: reads are answered from it,
 * and leases that nobody needs any more go back.
 *
 * A message of its own wakes the encoder, so that a few small leases wait for the next question,
 * but not long: what is given back goes out before whatever is asked (leased_send_returns), or a
 * few milliseconds later, or at once where it is much. A lease that nobody used for a second goes
 * back.
 */
#ifndef VCZFS_FUSED_FILES_LEASED_H
#define VCZFS_FUSED_FILES_LEASED_H

#include "fused/files/leases.h"
#include "fused/files/outside.h"

struct leased {
    const struct outside *outside; /* borrowed */
    struct leases leases;
    const uint8_t *bytes; /* the link's; NULL while there is none */
    uint64_t size;
    struct timer *returns; /* sends them */
    struct timer *sweep;   /* looks for idle leases */
    void (*unused)(void *arg);
    void *arg;
};

/* unused(arg) is called when nothing has been leased for a while. -1 with ERR_MEMORY; leased_free
 * is fine then, too. */
int leased_init(struct leased *leased, const struct outside *outside, void (*unused)(void *arg),
                void *arg, struct err *err);
void leased_free(struct leased *leased);

/* `bytes` stay mapped until leased_down, which forgets all leases: their encoder is gone. */
void leased_up(struct leased *leased, const uint8_t *bytes, uint64_t size);
void leased_down(struct leased *leased);

/* Takes in the answer to a question for byte `asked` of a file of file_size bytes; then returns may
 * be due (leased_tidy). ERR_PEER if it cannot be that, ERR_MEMORY; then nothing is taken in. */
int leased_add(struct leased *leased, const struct msg_span *span, uint64_t file, uint64_t asked,
               uint64_t file_size, struct err *err);

/* Gives a lease, or all that are of a file, back. */
void leased_drop(struct leased *leased, uint64_t lease);
void leased_drop_file(struct leased *leased, uint64_t file);

/* Sees to it that what is to be given back goes, soon; or now. */
void leased_tidy(struct leased *leased);
void leased_send_returns(struct leased *leased);

/* How many of these bytes, from the first on, leases hold without a gap. */
size_t leased_holds(struct leased *leased, uint64_t file, uint64_t offset, size_t size);

/* Answers with all these bytes, from a few leases; false, and nothing is done, where they do not
 * hold them. */
bool leased_reply(struct leased *leased, struct fuse_req *req, uint64_t file, uint64_t offset,
                  size_t size);

/* Copies as many as leases hold without a gap, which are no longer needed there for this reader;
 * returns how many. */
size_t leased_copy(struct leased *leased, uint64_t file, uint64_t offset, size_t size,
                   uint8_t *out);

/* Has the encoder, as far as one can tell here, room for more than what is leased? Leases are held
 * in half of it at most. */
bool leased_has_room(const struct leased *leased); /* half of that half is free */
bool leased_is_roomy(const struct leased *leased); /* three quarters of it */

#endif
