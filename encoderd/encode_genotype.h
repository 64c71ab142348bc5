/*
 * encode_genotype: one genotype chunk's share of a target.
 */
#ifndef VCZFS_ENCODERD_ENCODE_GENOTYPE_H
#define VCZFS_ENCODERD_ENCODE_GENOTYPE_H

#include "encoderd/encode.h"
#include "encoderd/places.h"

/* Where row `row` begins in the stream file. */
static inline uint64_t encode_row_offset(const struct format_view *format, uint64_t row)
{
    return format->layout.header_nbytes + row * format->layout.row_nbytes;
}

/* Output samples that a target wants of a row that it touches. */
struct range encode_row_samples(const struct format_view *format,
                                const struct encode_target *target, uint64_t row);

/* Do genotype chunks meet at whole output bytes, so that no two cells write to one byte? */
bool encode_chunks_meet_at_bytes(const struct format_view *format);

/* A CELL_GENOTYPE. */
int encode_genotype_cell(const struct format_view *format, const struct encode_target *target,
                         const struct encode_cell *cell, struct encode_worker *worker,
                         struct err *err);

#endif
