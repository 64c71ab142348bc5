/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_grid: a target, and the cells that it is made of.
 *
 * A target is a range of a stream file's bytes and the memory that they are written to. The calls
 * of a target are divided into cells, one for each chunk that it touches; cells of one target may
 * run on different threads at once.
 */
#ifndef VCZFS_ENCODE_ENCODE_GRID_H
#define VCZFS_ENCODE_ENCODE_GRID_H

#include "common/size.h"
#include "encoderd/encode/places.h"
#include "encoderd/format/format.h"

#define PHASE_NO  1u /* a call that is not phased */
#define PHASE_YES 2u /* one that is */

/* What the cells of a row learn about it; several threads add to it at once. Zero at first. */
struct row_notes {
    struct row_sums sums;
    uint64_t phase_seen; /* PHASE_ bits of the calls seen so far */
};

struct encode_target {
    uint64_t begin, end; /* bytes of the file, begin < end <= its size */
    uint8_t *out;        /* end - begin bytes */
    /* One per row of the grid; NULL unless the format uses them (encode_nnotes). */
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
 * one's. A donor finds the targets that need the rest, so that no block is decoded twice.
 */
struct encode_donor {
    /* The cell's last block has been decoded, up to `end_element` of the chunk. Claims the target
     * that begins where the previous one ends (the cell's own, or the one that was claimed before);
     * false if there is none. The target's cell for this chunk will then start at end_element. */
    bool (*claim)(void *arg, uint64_t end_element, struct encode_target *to);
    /* The target that was claimed last has been written, or has failed. */
    void (*done)(void *arg, const struct err *failed);
    void *arg;
};

enum cell_kind {
    CELL_GENOTYPE, /* writes calls into the target */
    CELL_PHASED,   /* notes whether rows are phased */
    CELL_END, /* finishes whole rows; encode_ncells does not count it: it follows all of them */
};

struct encode_cell {
    enum cell_kind kind;
    uint64_t vchunk, schunk;
    uint64_t first_element;           /* elements of the chunk before this one are done already */
    const struct encode_donor *donor; /* or NULL */
};

/* The cells of a grid, in the best order: genotype cells first, row of chunks by row of chunks. */
uint64_t encode_ncells(const struct encode_grid *grid);
struct encode_cell encode_cell_at(const struct encode_grid *grid, uint64_t i);

/* Where row `row` begins in the stream file. */
static inline uint64_t encode_row_offset(const struct format_view *format, uint64_t row)
{
    return format->layout.header_nbytes + row * format->layout.row_nbytes;
}

/* The output samples that a target needs of a row that it touches. */
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

/* True if genotype chunks meet at whole output bytes, so that no two cells write to one byte. */
bool encode_chunks_meet_at_bytes(const struct format_view *format);

#endif
