/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites: reads the columns of sites (contig, position, ID, alleles) in the order of variants.
 *
 * Each column has chunks of its own size. A reader keeps the current chunk of each column, so a
 * pass over a range decodes every chunk once; of a chunk that is too large, it keeps a part. One
 * reader per thread.
 */
#ifndef VCZFS_VCZ_SITES_H
#define VCZFS_VCZ_SITES_H

#include "encoderd/vcz/vcz.h"

struct site {
    uint64_t variant;          /* row of the store */
    struct str contig;         /* as stored ("chr1") */
    int64_t contig_index;      /* into vcz->contigs */
    int64_t position;          /* 1-based, >= 0 */
    struct str id;             /* "." when absent, missing or empty */
    const struct str *alleles; /* REF first; nalleles of them */
    unsigned nalleles;         /* as listed, without unused slots at the end; >= 1 */
};

struct sites_reader;
struct sites_reader *sites_reader_new(const struct vcz *vcz, size_t scratch_max, struct err *err);

/* Reads only these parts (VCZ_PLACES, VCZ_ALLELES, VCZ_IDS); the others may be faulty, and are left
 * empty in each site, with contig_index -1 and ID ".". */
struct sites_reader *sites_reader_of(const struct vcz *vcz, unsigned parts, size_t scratch_max,
                                     struct err *err);
/* See decoder_share. To be called before the first site. */
void sites_reader_share(struct sites_reader *reader, struct chunk_table *table);
void sites_reader_free(struct sites_reader *reader);

/* *out is valid until the next call. Errors (a contig index out of range, a negative position, an
 * empty REF, a used allele slot after an unused one) name array, variant and store. */
int sites_get(struct sites_reader *reader, uint64_t variant, struct site *out, struct err *err);

/* See decoder_use. */
void sites_reader_use(struct sites_reader *reader, const struct chunk_need *need);

/* See decoder_stats, decoder_rest, decoder_trim. */
void sites_reader_stats(const struct sites_reader *reader, struct decoder_stats *out);
void sites_reader_rest(struct sites_reader *reader);
void sites_reader_trim(struct sites_reader *reader);

/* Finds what sites_get of ascending variants will read and the reader has not loaded yet. Set the
 * reader and the need, and all else to zero. answer is the worst of the answers. */
struct sites_need {
    struct sites_reader *reader;
    struct chunk_need *need;
    uint64_t known_until[4]; /* of each column: variants before this one need nothing more */
    enum need answer;
};
void sites_need_add(struct sites_need *sites, uint64_t variant, struct err *err);

/* Reads only contig and position: faster if alleles and IDs are not needed. */
int sites_get_place(struct sites_reader *reader, uint64_t variant, struct site *out,
                    struct err *err);

/* How many variants a thread should take at a time, so that threads share no chunk of the largest
 * column: a multiple of the allele array's chunk (of the calls' chunk, if the alleles are faulty),
 * at least 1. */
uint64_t sites_stride(const struct vcz *vcz);

#endif
