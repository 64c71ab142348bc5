/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes: chunks that are not stored, and whether their values can be the fill value.
 *
 * An absent chunk reads as the fill value. Some writers intend that: they omit chunks that hold
 * only the fill value (bio2zarr with zarr-python 3.1 and newer). An incomplete copy looks the same,
 * and so does an append that was interrupted. Here absent chunks are checked against the rest of
 * the store. Positions and REFs are never the fill value. Contigs are compared with the region
 * index and with the order of contigs, genotypes with the store's own counts. Samples that have IDs
 * but no stored chunk were never written.
 *
 * A contradiction is ERR_CORRUPT. The message names the array, the chunk, and the option that shows
 * the fill value nevertheless. With that option there are no holes, and `holes` may be NULL in
 * every function.
 */
#ifndef VCZFS_VCZ_HOLES_H
#define VCZFS_VCZ_HOLES_H

#include "encoderd/vcz/vcz.h"

struct notices;
struct holes;

/* The vcz is borrowed, and must be open. */
int holes_new(const struct vcz *vcz, size_t scratch_max, struct holes **out, struct err *err);
void holes_free(struct holes *holes);

/* Checks the arrays that sites are read from, one by one, or all. */
#define HOLES_SITE_ARRAYS 4
const char *holes_site_array(unsigned i);
int holes_look_site(const struct holes *holes, unsigned i, struct err *err);
int holes_look_sites(const struct holes *holes, struct err *err);

/* Checks that some genotypes are stored of each of these samples (columns of call_genotype, in any
 * order). */
int holes_look_samples(const struct holes *holes, const uint64_t *columns, uint64_t n,
                       struct err *err);

/* Checks the absent genotype chunks, and adds a notice with their number; does nothing if finding
 * them would take long. */
int holes_look_calls(struct holes *holes, struct notices *notices, struct err *err);

/* Does all of the above: finds every fault that stops a mount of these samples, and adds every
 * notice. */
int holes_look_all(struct holes *holes, const uint64_t *columns, uint64_t n,
                   struct notices *notices, struct err *err);

/* Checks row `vchunk` of the genotype chunks, one of which is not stored, because a reader needs
 * it. For threads that may wait for the store, and for another thread that is in here. */
int holes_judge(struct holes *holes, uint64_t vchunk, struct err *err);

/* True if holes_judge knows the answer already, and need not wait for another thread. */
bool holes_are_judged(struct holes *holes, uint64_t vchunk);

/* The same for column_on_absent, with the holes as its argument: for call_genotype, and for
 * variant_length, which is never the fill value. */
int holes_judge_calls(void *holes, uint64_t vchunk, struct err *err);
int holes_judge_lengths(void *holes, uint64_t vchunk, struct err *err);

#endif
