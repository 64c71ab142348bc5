/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: from blocks of genotype chunks to the bytes of a stream file.
 *
 * A cell (encode_grid.h) decodes only the blocks that hold its calls, each once, into the decoder's
 * scratch. The format writes from there directly into the target.
 */
#ifndef VCZFS_ENCODE_ENCODE_H
#define VCZFS_ENCODE_ENCODE_H

#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/* Writes what precedes all cells: the header's bytes, and zeroes where several cells put bits into
 * one byte. */
void encode_begin(const struct format_view *format, const struct encode_target *target);

/* Finds what the end, which follows the last cell, will read: see encode_need.h. */
struct cell_need;
enum need encode_end_need(const struct format_view *format, const struct encode_target *target,
                          struct encode_worker *worker, struct cell_need *need, struct err *err);

/* Runs one cell, and then the part of the next targets that it donates to. need: the bytes that
 * encode_need got for it; NULL: the cell reads from the store itself. ERR_DATA, ERR_CORRUPT, ...
 * name the array and the chunk. */
int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker,
                const struct cell_need *need, struct err *err);

/* Makes all of a target in one thread: for tests, checks and the encoder's own bench. The target's
 * notes are made and freed inside. */
int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err);

#endif
