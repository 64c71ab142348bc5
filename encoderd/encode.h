/*
 * encode: from blocks of genotype chunks to the bytes of a stream file.
 *
 * A target is a range of a stream file's bytes and the memory that they go to. The calls that a target
 * needs fall into cells, one for each genotype chunk that it touches; cells of one target may run on
 * different threads at once. A cell decodes just the blocks that hold its calls, each once, into the
 * decoder's scratch, and the format writes from there straight into the target.
 */
#ifndef VCZFS_ENCODERD_ENCODE_H
#define VCZFS_ENCODERD_ENCODE_H

#include "encoderd/view.h"

struct encode_target {
    uint64_t begin, end; /* bytes of the file, begin < end <= its size */
    uint8_t *out;        /* end - begin of them */
};

/* The grid of cells that a target needs: variants chunks × samples chunks. */
struct encode_grid {
    uint64_t row_begin, row_end; /* rows touched; equal if only the header is */
    uint64_t vchunk_begin, vchunk_end;
    uint64_t schunk_begin, schunk_end;
};
void encode_grid(const struct format_view *format, const struct encode_target *target,
                 struct encode_grid *out);

/* Cells in the grid. Cell i is variants chunk vchunk_begin + i / width, samples chunk
 * schunk_begin + i % width, where width is schunk_end - schunk_begin. */
uint64_t encode_grid_ncells(const struct encode_grid *grid);

/* Does what comes before any cell: the header's bytes, and zeroes where cells or bits together. */
void encode_begin(const struct format_view *format, const struct encode_target *target);

/* What comes after the last cell: the format's finishing of whole rows. */
int encode_end(const struct format_view *format, const struct encode_target *target,
               struct err *err);

/*
 * A block often reaches past the end of the target that it was decoded for. A donor finds who wants
 * the rest, so that no block between two targets is decoded twice.
 */
struct encode_donor {
    /* The cell's last block has been decoded, up to `end_element` of the chunk. Is there a target that
     * begins where this one ends? Its own cell for the chunk must then start at end_element. */
    bool (*claim)(void *arg, uint64_t end_element, struct encode_target *to);
    /* What was claimed has been written, or could not be. */
    void (*done)(void *arg, const struct err *failed);
    void *arg;
};

struct encode_cell {
    uint64_t vchunk, schunk;
    uint64_t first_element;           /* elements of the chunk before this one have been done */
    const struct encode_donor *donor; /* or NULL */
};

/* Runs one cell, then what it donates. ERR_DATA, ERR_CORRUPT, ... name the array and the chunk. */
int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct decoder *decoder, struct err *err);

/* All of a target by one thread: for tests, checks and the encoder's own bench. */
int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct decoder *decoder, struct err *err);

#endif
