/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_worker: what one thread needs for encoding, besides the view.
 */
#ifndef VCZFS_ENCODE_ENCODE_WORKER_H
#define VCZFS_ENCODE_ENCODE_WORKER_H

#include "encoderd/vcz/sites.h"
#include "encoderd/zarr/store/cache.h"

struct phase_cache;

struct encode_worker {
    struct decoder *decoder;    /* owned */
    struct decoder *second;     /* owned; for stores whose ploidy axis is chunked */
    struct sites_reader *sites; /* owned; made when a format first needs sites */
    size_t scratch_max;
    uint64_t nmixed;               /* rows finished that have both phased and unphased calls */
    uint64_t last_mixed;           /* the variant of the last such row */
    struct cache *cache;           /* of chunks that can only be decoded whole; borrowed, or NULL */
    struct phase_cache *phases;    /* of the view; borrowed, or NULL */
    struct chunk_table *chunks;    /* see encode_worker_share; borrowed, or NULL */
    const struct chunk_need *need; /* see encode_worker_use; borrowed, or NULL */
    uint64_t block_rows;           /* rows in a block of the last genotype chunk */
    uint64_t *subset;              /* owned; see encode_subset.h */
    size_t subset_cap;
};
int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct cache *cache,
                       struct err *err);
void encode_worker_clear(struct encode_worker *worker);

/* From now on the decoders keep their open chunks in this table, which must outlive the worker. */
void encode_worker_share(struct encode_worker *worker, struct chunk_table *chunks);

/* From now on the decoders take stored bytes from this need; NULL: from the store. */
void encode_worker_use(struct encode_worker *worker, const struct chunk_need *need);

/* What the decoder of genotypes has done, and how much all decoders read that no need had
 * fetched. */
void encode_worker_stats(const struct encode_worker *worker, struct decoder_stats *out);

/* See decoder_rest, decoder_trim: for all of its decoders. */
void encode_worker_rest(struct encode_worker *worker);
void encode_worker_trim(struct encode_worker *worker);

/* The worker's reader of sites, which the first call makes; NULL if it cannot be made. */
struct sites_reader *encode_worker_sites(struct encode_worker *worker, const struct vcz *vcz,
                                         struct err *err);

#endif
