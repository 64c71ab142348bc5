/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack: the text of a user's file, whether or not it is compressed with gzip or BGZF.
 *
 * Memory is bounded, however large the text is.
 */
#ifndef VCZFS_SELECT_UNPACK_H
#define VCZFS_SELECT_UNPACK_H

#include "common/buf.h"
#include "common/err.h"
#include "common/option_file.h"

/* The most bytes of a line that are kept; the rest of a longer line is skipped. See packed_line. */
#define UNPACK_LINE_MAX 65536

#define UNPACK_WHOLE_MAX ((size_t)256 << 20)

struct unpack; /* reads one file from its beginning to its end */

/* Borrows the file. */
struct unpack *unpack_new(const struct option_file *file, struct err *err);
void unpack_free(struct unpack *unpack);

/* Returns 1 with the next line, which is valid until the next call; 0 after the last; -1 if the
 * file is damaged or cut short. *whole: the line was not cut. Lines of a file that is not
 * compressed are never cut. */
int unpack_line(struct unpack *unpack, struct option_line *line, bool *whole, struct err *err);

/* Unpacks the whole file: *out is `file` itself, or has text in *owned, which is empty before and
 * belongs to the caller. ERR_USAGE if it has more than UNPACK_WHOLE_MAX bytes. */
int unpack_whole(const struct option_file *file, struct buf *owned, struct option_file *out,
                 struct err *err);

#endif
