/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growable run of bytes.
 *
 * Zero-initialise, append, free. An append that runs out of memory marks the buffer failed and
 * later ones do nothing, so that one check after many appends is enough.
 */
#ifndef VCZFS_COMMON_BUF_H
#define VCZFS_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* owned */
    size_t len;
    size_t cap;
    bool failed;
};

void buf_free(struct buf *buf);

/* len becomes 0; the memory stays. */
void buf_reset(struct buf *buf);

/* Room for `more` further bytes; returns where they go, or NULL and marks the buffer failed. The
 * caller adds to len what it wrote. */
uint8_t *buf_reserve(struct buf *buf, size_t more);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_append_u64(struct buf *buf, uint64_t value); /* decimal */
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
