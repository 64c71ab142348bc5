/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd: anonymous memory that one process fills and another maps.
 *
 * Everything that crosses the socket is sealed against shrinking first, so that the mapping side
 * can never be hit by SIGBUS.
 */
#ifndef VCZFS_COMMON_MEMFD_H
#define VCZFS_COMMON_MEMFD_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* A memfd of `size` bytes, sealed against shrinking, growing and further seals; its contents stay
 * writable, and pages can be given back to the system by punching holes. Returns the descriptor or
 * -1. */
int memfd_arena(const char *name, uint64_t size, struct err *err);

/* An empty, sealable memfd to write(2) to. */
int memfd_open(const char *name, struct err *err);

/* A sealed memfd with n bytes of data; -1 on failure. `what` names the data in the message. */
int memfd_of(const char *name, const void *data, size_t n, const char *what, struct err *err);

/* Forbids any further change. */
int memfd_seal(int fd, struct err *err);

/* For the receiving side: checks that fd is a memfd of at least `size` bytes with F_SEAL_SHRINK,
 * then maps it read-only. With size 0, *out is NULL. */
int memfd_map(int fd, uint64_t size, const uint8_t **out, struct err *err);
void memfd_unmap(const uint8_t *map, uint64_t size);

#endif
