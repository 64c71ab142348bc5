/*
 * filters: undoing v2's filters on a chunk's bytes.
 */
#ifndef VCZFS_ZARR_FILTERS_H
#define VCZFS_ZARR_FILTERS_H

#include "encoderd/zarr/meta.h"

/* Undoes all of meta->filters. `from` holds meta->filtered_nbytes bytes, `to` gets those of the chunk's
 * elements, as stored before any filter. `spare` are two areas of filters_spare_nbytes each. */
int filters_undo(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to, uint8_t *spare[2],
                 struct err *err);

uint64_t filters_spare_nbytes(const struct zarr_meta *meta);

#endif
