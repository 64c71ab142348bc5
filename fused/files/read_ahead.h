/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_ahead: what will be read soon, told by the leases: the encoder gives short ones to random
 * readers, and long ones to those who read on.
 */
#ifndef VCZFS_FUSED_FILES_READ_AHEAD_H
#define VCZFS_FUSED_FILES_READ_AHEAD_H

#include "fused/files/asks.h"
#include "fused/files/leased.h"

/* How many bytes the answer to a question for the byte at offset will likely hold, where that is
 * known: those that go on from the end of a long lease are as long again. Else 0. */
uint64_t read_ahead_reach(struct leased *leased, uint64_t file, uint64_t offset);

/* A reader has just read `size` bytes at `offset` of a file of file_size bytes by a handle. Is what
 * follows to be asked for now, so that it is there by then? It is if the reader is past the middle
 * of a long lease, most of which has been read, and room is not scarce. Then the question is in
 * out. */
bool read_ahead_next(struct leased *leased, const struct asks *asks, const struct msg_read *read,
                     uint64_t file_size, struct ask *out);

#endif
