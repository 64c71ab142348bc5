/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: from blocks of genotype chunks to the bytes of a stream file.
 *
 * A cell (encode_grid.h) decodes just the blocks that hold its calls, each once, into the decoder's
 * scratch, and the format writes from there straight into the target.
 */
#ifndef VCZFS_ENCODE_ENCODE_H
#define VCZFS_ENCODE_ENCODE_H

#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/* What comes before any cell: the header's bytes, and zeroes where cells put bits into one byte. */
void encode_begin(const struct format_view *format, const struct encode_target *target);

/* What comes after the last cell: the format's finishing of whole rows. */
int encode_end(const struct format_view *format, const struct encode_target *target,
               struct encode_worker *worker, struct err *err);

/* What it will read: see encode_need.h. */
struct cell_need;
enum need encode_end_need(const struct format_view *format, const struct encode_target *target,
                          struct encode_worker *worker, struct cell_need *need, struct err *err);

/* Runs one cell, then what it donates. need: what encode_need has got for it; NULL: it reads by
 * itself. ERR_DATA, ERR_CORRUPT, ... name the array and the chunk. */
int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker,
                const struct cell_need *need, struct err *err);

/* All of a target by one thread: for tests, checks and the encoder's own bench. The target's notes
 * are made and dropped inside. */
int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err);

#endif
