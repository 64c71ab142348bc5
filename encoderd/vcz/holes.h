/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes: chunks that are not stored, and whether they can be what they read as.
 *
 * A chunk that is absent reads as the fill value. Some writers mean it: those that leave out chunks
 * of nothing but the fill value (bio2zarr with zarr-python 3.1 and newer). An incomplete copy, and
 * an append that died, look the same. What can be known is judged here: positions and REFs are
 * never the fill value; contigs are held against the region index and the order of contigs,
 * genotypes against the store's own counts, and samples of whom no chunk is stored, though their
 * IDs are, were never written.
 *
 * A contradiction is ERR_CORRUPT, which names the array, the chunk, and the option that takes the
 * store at its fill values all the same; with that option there are no holes: NULL does for `holes`
 * everywhere.
 */
#ifndef VCZFS_VCZ_HOLES_H
#define VCZFS_VCZ_HOLES_H

#include "encoderd/vcz/vcz.h"

struct notices;
struct holes;

/* The vcz is borrowed; its arrays are those of a store that could be opened. */
int holes_new(const struct vcz *vcz, size_t scratch_max, struct holes **out, struct err *err);
void holes_free(struct holes *holes);

/* The arrays that sites are made of, one by one, or all. */
#define HOLES_SITE_ARRAYS 4
const char *holes_site_array(unsigned i);
int holes_look_site(const struct holes *holes, unsigned i, struct err *err);
int holes_look_sites(const struct holes *holes, struct err *err);

/* Genotypes of these samples (columns of call_genotype, ascending or not): that some are stored of
 * each. */
int holes_look_samples(const struct holes *holes, const uint64_t *columns, uint64_t n,
                       struct err *err);

/* Genotype chunks, where looking at all of their names costs next to nothing: judges those that are
 * absent, and says how many they are. */
int holes_look_calls(struct holes *holes, struct notices *notices, struct err *err);

/* All of the above: what a mount of these samples would not get past, or has to say. */
int holes_look_all(struct holes *holes, const uint64_t *columns, uint64_t n,
                   struct notices *notices, struct err *err);

/* Row `vchunk` of the genotype chunks has one that is not stored, and somebody reads it. Any thread
 * that may wait: for the store, and for another thread that finds out. */
int holes_judge(struct holes *holes, uint64_t vchunk, struct err *err);

/* Is that known already, without waiting for another thread that finds out? */
bool holes_are_judged(struct holes *holes, uint64_t vchunk);

/* The same for column_on_absent, with the holes as argument: of call_genotype, and of
 * variant_length, which is never the fill value. */
int holes_judge_calls(void *holes, uint64_t vchunk, struct err *err);
int holes_judge_lengths(void *holes, uint64_t vchunk, struct err *err);

#endif
