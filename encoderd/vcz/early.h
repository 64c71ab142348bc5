/* SPDX-License-Identifier: Apache-2.0 */
/*
 * early: what opening a store reads, asked for before anybody comes to it.
 *
 * Who opens a store reads the names of its samples and contigs, then what identifies its chunks,
 * then sites, one after the other. Where the store is far, all of that is on the way as soon as the
 * arrays are known.
 */
#ifndef VCZFS_VCZ_EARLY_H
#define VCZFS_VCZ_EARLY_H

#include "encoderd/zarr/chunk/chunk_table.h"

struct early;

/* Names, and with `sites` the first chunks of what sites are made of. Both are borrowed, the group
 * for the moment. NULL: the store is not far, or there is no memory. */
struct early *early_begin(const struct zarr_group *group, const struct store *store,
                          struct chunk_table *table, bool sites);

/* Waits for what is on the way. NULL is none. */
void early_end(struct early *early);

#endif
