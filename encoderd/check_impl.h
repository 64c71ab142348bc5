/*
 * check_impl: what the parts of check share. Only check*.c include this.
 */
#ifndef VCZFS_ENCODERD_CHECK_IMPL_H
#define VCZFS_ENCODERD_CHECK_IMPL_H

#include "encoderd/check.h"

#define PROBLEMS_MAX 1000

struct problem {
    char *array;   /* owned; "" if it is of no single array */
    char *chunk;   /* owned; the chunk's key; "" if it is of no single chunk */
    char *message; /* owned */
};

/* Zero-initialise; problems_clear. Past PROBLEMS_MAX, and out of memory, problems are only counted. */
struct problems {
    struct problem *items; /* owned */
    size_t n, cap;
    uint64_t total;
};
void problems_add(struct problems *problems, const char *array, const char *chunk, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));
void problems_move(struct problems *from, struct problems *to);
void problems_clear(struct problems *problems);

struct check_totals {
    uint64_t narrays;
    uint64_t nchunks, nabsent; /* absent: not stored, all fill value */
    uint64_t bytes_read, bytes_decoded;
    uint64_t nwithout_alt; /* values of call_genotype that are allele 1 of a site without ALT */
    uint64_t nzero_ploidy; /* calls that are fill values alone */
};

struct check {
    struct store *store;
    struct zarr_group *group;
    struct vcz *vcz; /* NULL if the store is no VCF Zarr store that can be opened: see why_not */
    struct err why_not;
    bool nothing_to_show;       /* as it has no genotypes, or such as are not shown: no damage */
    struct notices notices;     /* what the store is warned of at mount */
    struct zarr_array **arrays; /* owned */
    size_t narrays;
    bool sites_sparse; /* next to nothing is stored of an array that sites are read from */
    uint64_t ncontigs; /* UINT64_MAX: not known */
    struct counts *counts;
    struct check_totals totals;
    struct problems problems;
    struct problems remarks;
};

/* ---- check_progress.c: how far a check is, in bytes as they are stored ---- */

struct check_progress {
    const uint64_t *first; /* of each array: the number of its first chunk; borrowed */
    uint64_t *before;      /* of each array: bytes of those before it; owned; NULL: nobody asks */
    struct pass_progress pass;
    char what[64];
};
/* `first` has narrays + 1 numbers. What cannot be looked at counts as nothing. End it also after an error. */
int check_progress_begin(struct check_progress *progress, const struct check *check,
                         const struct pass_means *means, const uint64_t *first, struct err *err);
void check_progress_end(struct check_progress *progress);

/* Chunk i, which is of this array, and all before it are done. */
int check_progress_chunk(struct check_progress *progress, size_t array, uint64_t i,
                         struct err *err);

/* ---- check_counts.c: what the store counts of its genotypes, held against them ---- */

/* What is counted in a chunk of genotypes, or a row of chunks; see counts_new. */
struct call_counts {
    uint64_t nrows;
    uint32_t *values; /* owned; nrows × (width + 2): of each ALT, alleles called, samples called */
    unsigned nstored, nabsent; /* chunks */
};

/* NULL where nothing is counted: the store says nothing, or its chunks are not made for that. One thread's, but for
 * what counts_begin and counts_add say. */
struct counts;
int counts_new(const struct vcz *vcz, size_t scratch_max, struct counts **out, struct err *err);
void counts_free(struct counts *counts);

/* Room for a chunk, zeroed; any thread. False if out of memory. */
bool counts_begin(const struct counts *counts, struct call_counts *out);

/* One allele of the call at this row and column of the chunk at `index`, `first` if it is the call's first; any
 * thread. */
struct call_walk {
    uint64_t row, column; /* of the chunk */
    int64_t allele;
    bool first;
    bool *has_data; /* of the call: kept from one to the next */
};
void counts_add(const struct counts *counts, const uint64_t *index, const struct call_walk *at,
                struct call_counts *to);

/* The same for a chunk that is not stored. */
void counts_add_absent(const struct counts *counts, const uint64_t *index, int64_t allele,
                       struct call_counts *to);

/* Takes the counts of the chunk, in C order of chunks, and compares when a row of chunks is complete. */
int counts_take(struct counts *counts, const uint64_t *index, struct call_counts *chunk,
                struct err *err);

/* Not all genotypes can be read: from now on nothing is compared. */
void counts_stop(struct counts *counts);

/* What was found, at the end. With `fill`, nothing of it is a problem. */
void counts_report(const struct counts *counts, bool fill, struct problems *problems,
                   struct problems *remarks);

/* ---- check_chunk.c: one chunk ---- */

/* What one thread needs. */
struct check_worker;
struct check_worker *check_worker_new(const struct check *check, size_t scratch_max,
                                      struct err *err);
void check_worker_free(struct check_worker *worker);

/* Decodes the chunk and looks at its values. What is wrong goes to `problems`; totals are added to, and `counts` is
 * what was counted of genotypes, if any. */
void check_chunk(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 struct check_totals *totals, struct call_counts *counts,
                 struct problems *problems);

/* ---- check_report.c ---- */

int check_report(const struct check *check, bool json, struct buf *out, struct err *err);

#endif
