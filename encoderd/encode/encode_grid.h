/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_grid: a target, and the cells that its calls fall into.
 *
 * A target is a range of a stream file's bytes and the memory that they go to. The calls that a
 * target needs fall into cells, one for each chunk that it touches; cells of one target may run on
 * different threads at once.
 */
#ifndef VCZFS_ENCODE_ENCODE_GRID_H
#define VCZFS_ENCODE_ENCODE_GRID_H

#include "common/size.h"
#include "encoderd/encode/places.h"
#include "encoderd/format/format.h"

#define PHASE_NO  1u /* a call that is not phased */
#define PHASE_YES 2u /* one that is */

/* What is learned of a row while its cells are run, by several threads at once. Zero at first. */
struct row_notes {
    struct row_sums sums;
    uint64_t phase_seen; /* PHASE_ bits of what its calls have been seen to be */
};

struct encode_target {
    uint64_t begin, end; /* bytes of the file, begin < end <= its size */
    uint8_t *out;        /* end - begin of them */
    /* One per row of the grid; NULL unless the format wants to know (encode_nnotes). */
    struct row_notes *notes;
};

/* The rows that a target touches, and the chunks that hold their calls. */
struct chunk_grid {
    uint64_t vchunk_begin, vchunk_end; /* along the variants */
    uint64_t schunk_begin, schunk_end; /* along the samples */
};
struct encode_grid {
    uint64_t row_begin, row_end; /* equal if only the header is touched */
    struct chunk_grid genotype;
    struct chunk_grid phased; /* empty unless the format wants to know */
};
void encode_grid(const struct format_view *format, const struct encode_target *target,
                 struct encode_grid *out);

/* How many notes a target of this grid needs: 0 if none. */
uint64_t encode_nnotes(const struct format_view *format, const struct encode_grid *grid);

/*
 * A block often reaches past the end of the target that it was decoded for, and past the next
 * one's. A donor finds who wants the rest, so that no block between targets is decoded twice.
 */
struct encode_donor {
    /* The cell's last block has been decoded, up to `end_element` of the chunk. Is there a target
     * that begins where the last one ends, be it the cell's own or the one that was claimed before?
     * Its own cell for the chunk must then start at end_element. */
    bool (*claim)(void *arg, uint64_t end_element, struct encode_target *to);
    /* What was claimed last has been written, or could not be. */
    void (*done)(void *arg, const struct err *failed);
    void *arg;
};

enum cell_kind {
    CELL_GENOTYPE, /* writes calls into the target */
    CELL_PHASED,   /* notes what is phased */
    CELL_END,      /* encode_end; not among encode_ncells: comes after all of them */
};

struct encode_cell {
    enum cell_kind kind;
    uint64_t vchunk, schunk;
    uint64_t first_element;           /* elements of the chunk before this one have been done */
    const struct encode_donor *donor; /* or NULL */
};

/* The cells of a grid, in the order in which they are best done: genotype cells first, row of
 * chunks by row of chunks. */
uint64_t encode_ncells(const struct encode_grid *grid);
struct encode_cell encode_cell_at(const struct encode_grid *grid, uint64_t i);

/* Where row `row` begins in the stream file. */
static inline uint64_t encode_row_offset(const struct format_view *format, uint64_t row)
{
    return format->layout.header_nbytes + row * format->layout.row_nbytes;
}

/* Output samples that a target wants of a row that it touches. */
static inline struct range encode_row_samples(const struct format_view *format,
                                              const struct encode_target *target, uint64_t row)
{
    const struct stream_layout *layout = &format->layout;
    const uint64_t nsamples = format->selection->nsamples;
    const uint64_t at = encode_row_offset(format, row);
    struct range samples = {0, nsamples};

    if (layout->samples_per_byte == 0)
        return samples;
    if (target->begin > at)
        samples.begin = size_min(nsamples, (target->begin - at) * layout->samples_per_byte);
    if (target->end - at < layout->row_nbytes)
        samples.end = size_min(nsamples, (target->end - at) * layout->samples_per_byte);
    return samples;
}

/* Do genotype chunks meet at whole output bytes, so that no two cells write to one byte? */
bool encode_chunks_meet_at_bytes(const struct format_view *format);

#endif
