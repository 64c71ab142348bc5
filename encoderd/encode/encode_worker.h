/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_worker: what one thread needs, beside the view, to encode.
 */
#ifndef VCZFS_ENCODE_ENCODE_WORKER_H
#define VCZFS_ENCODE_ENCODE_WORKER_H

#include "encoderd/vcz/sites.h"
#include "encoderd/zarr/store/cache.h"

struct phase_cache;

struct encode_worker {
    struct decoder *decoder;    /* owned */
    struct decoder *second;     /* owned; for stores whose ploidy axis is chunked */
    struct sites_reader *sites; /* owned; made when a format first wants sites */
    size_t scratch_max;
    uint64_t nmixed;            /* rows finished in which some calls are phased and some are not */
    uint64_t last_mixed;        /* the last one's variant */
    struct cache *cache;        /* of chunks that can only be decoded whole; borrowed, or NULL */
    struct phase_cache *phases; /* of the view; borrowed, or NULL */
    struct chunk_table *chunks; /* see encode_worker_share; borrowed, or NULL */
    const struct chunk_need *need; /* see encode_worker_use; borrowed, or NULL */
    uint64_t block_rows; /* rows of the last genotype chunk that one of its blocks reaches over */
    uint64_t *subset;    /* owned; see encode_subset.h */
    size_t subset_cap;
};
int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct cache *cache,
                       struct err *err);
void encode_worker_clear(struct encode_worker *worker);

/* What is known of chunks is this table's from now on, which outlives the worker. */
void encode_worker_share(struct encode_worker *worker, struct chunk_table *chunks);

/* Its decoders take stored bytes from this need from now on; NULL: from the store. */
void encode_worker_use(struct encode_worker *worker, const struct chunk_need *need);

/* What its decoder of genotypes has done, and what all of its decoders read that nobody had
 * foreseen. */
void encode_worker_stats(const struct encode_worker *worker, struct decoder_stats *out);

/* See decoder_rest, decoder_trim: all of its decoders. */
void encode_worker_rest(struct encode_worker *worker);
void encode_worker_trim(struct encode_worker *worker);

/* The worker's reader of sites, made when it is first wanted; NULL if it cannot be. */
struct sites_reader *encode_worker_sites(struct encode_worker *worker, const struct vcz *vcz,
                                         struct err *err);

#endif
