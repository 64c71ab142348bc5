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
#include "encoderd/zarr/store/cache.h"

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

/* What comes before any cell: the header's bytes, and zeroes where cells put bits into one byte. */
void encode_begin(const struct format_view *format, const struct encode_target *target);

struct phase_cache;

/* What one thread needs beside the view. */
struct encode_worker {
    struct decoder *decoder;    /* owned */
    struct decoder *second;     /* owned; for stores whose ploidy axis is chunked */
    struct sites_reader *sites; /* owned; made when a format first wants sites */
    size_t scratch_max;
    uint64_t nmixed;            /* rows finished in which some calls are phased and some are not */
    uint64_t last_mixed;        /* the last one's variant */
    struct cache *cache;        /* of chunks that can only be decoded whole; borrowed, or NULL */
    struct phase_cache *phases; /* of the view; borrowed, or NULL */
    uint64_t block_rows; /* rows of the last genotype chunk that one of its blocks reaches over */
    uint64_t *subset;    /* owned; see encode_subset.h */
    size_t subset_cap;
};
int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct cache *cache,
                       struct err *err);
void encode_worker_clear(struct encode_worker *worker);

/* What comes after the last cell: the format's finishing of whole rows. */
int encode_end(const struct format_view *format, const struct encode_target *target,
               struct encode_worker *worker, struct err *err);

/*
 * A block often reaches past the end of the target that it was decoded for, and past the next one's. A
 * donor finds who wants the rest, so that no block between targets is decoded twice.
 */
struct encode_donor {
    /* The cell's last block has been decoded, up to `end_element` of the chunk. Is there a target that
     * begins where the last one ends, be it the cell's own or the one that was claimed before? Its own
     * cell for the chunk must then start at end_element. */
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

/* The cells of a grid, in the order in which they are best done: genotype cells first, row of chunks
 * by row of chunks. */
uint64_t encode_ncells(const struct encode_grid *grid);
struct encode_cell encode_cell_at(const struct encode_grid *grid, uint64_t i);

struct cell_need;

/* Runs one cell, then what it donates. need: what encode_need has got for it; NULL: it reads by itself.
 * ERR_DATA, ERR_CORRUPT, ... name the array and the chunk. */
int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker,
                const struct cell_need *need, struct err *err);

/* All of a target by one thread: for tests, checks and the encoder's own bench. The target's notes are
 * made and dropped inside. */
int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err);

#endif
