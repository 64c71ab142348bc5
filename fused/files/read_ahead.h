/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_ahead: guesses from the leases what will be read soon. The encoder gives short leases to
 * random readers and long leases to sequential ones.
 */
#ifndef VCZFS_FUSED_FILES_READ_AHEAD_H
#define VCZFS_FUSED_FILES_READ_AHEAD_H

#include "fused/files/asks.h"
#include "fused/files/leased.h"

/* How many bytes the answer to a request for the byte at offset will probably hold. If the byte
 * follows a long lease, the answer is expected to be as long as that lease; otherwise 0 (not
 * known). */
uint64_t read_ahead_reach(struct leased *leased, uint64_t file, uint64_t offset);

/* A reader has just read `size` bytes at `offset` of a file of file_size bytes. Should the bytes
 * that follow be asked for ahead? They should if the reader is past the middle of a long lease,
 * most of that lease has been read, and there is room. Then *out is the request. */
bool read_ahead_next(struct leased *leased, const struct asks *asks, const struct msg_read *read,
                     uint64_t file_size, struct ask *out);

#endif
