/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack: what a user's file holds, whether or not it is compressed with gzip or BGZF.
 *
 * Memory is bounded whatever the file unpacks to.
 */
#ifndef VCZFS_SELECT_UNPACK_H
#define VCZFS_SELECT_UNPACK_H

#include "common/buf.h"
#include "common/err.h"
#include "common/option_file.h"

/* Of each line, what is longer is passed over; see packed_line. */
#define UNPACK_LINE_MAX 65536

#define UNPACK_WHOLE_MAX ((size_t)256 << 20)

struct unpack; /* reads one file from its beginning to its end */

/* Borrows the file. */
struct unpack *unpack_new(const struct option_file *file, struct err *err);
void unpack_free(struct unpack *unpack);

/* The next line, which stays as it is until the next call: 1, 0 after the last, -1 for a file that
 * is damaged or cut short. *whole: the line is all there. Lines of a file that is not compressed
 * always are. */
int unpack_line(struct unpack *unpack, struct option_line *line, bool *whole, struct err *err);

/* All of it: *out is `file` itself, or has the text that was put into the empty *owned (the
 * caller's). Of more than UNPACK_WHOLE_MAX bytes: ERR_USAGE. */
int unpack_whole(const struct option_file *file, struct buf *owned, struct option_file *out,
                 struct err *err);

#endif
