/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: the shared memory of spans, and which part of it belongs to which span.
 *
 * One sealed memfd, sent to the front once. Extents are whole pages. Not thread-safe: the
 * scheduler's lock covers it.
 */
#ifndef VCZFS_SERVE_ARENA_H
#define VCZFS_SERVE_ARENA_H

#include "common/err.h"

#include <stdint.h>

struct arena;

/* size is rounded up to whole pages. */
struct arena *arena_new(uint64_t size, struct err *err);
void arena_free(struct arena *arena);

int arena_fd(const struct arena *arena); /* borrowed */
uint64_t arena_size(const struct arena *arena);
uint64_t arena_used(const struct arena *arena); /* bytes in extents */
uint8_t *arena_at(const struct arena *arena, uint64_t at);

#define ARENA_NONE UINT64_MAX

/* First fit. ARENA_NONE if no free extent is long enough. */
uint64_t arena_alloc(struct arena *arena, uint64_t nbytes);

/* `at` as arena_alloc returned it. */
void arena_release(struct arena *arena, uint64_t at);

/* Gives the pages of all free extents back to the system. */
void arena_trim(struct arena *arena);

#endif
