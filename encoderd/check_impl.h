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
    bool nothing_to_show; /* as it has no genotypes, or such as are not shown: no damage */
    struct notices notices;     /* what the store is warned of at mount */
    struct zarr_array **arrays; /* owned */
    size_t narrays;
    uint64_t ncontigs; /* UINT64_MAX: not known */
    struct check_totals totals;
    struct problems problems;
    struct problems remarks;
};

/* ---- check_chunk.c: one chunk ---- */

/* What one thread needs. */
struct check_worker;
struct check_worker *check_worker_new(const struct check *check, size_t scratch_max,
                                      struct err *err);
void check_worker_free(struct check_worker *worker);

/* Decodes the chunk and looks at its values. What is wrong goes to `problems`; totals are added to. */
void check_chunk(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 struct check_totals *totals, struct problems *problems);

/* ---- check_report.c ---- */

int check_report(const struct check *check, bool json, struct buf *out, struct err *err);

#endif
