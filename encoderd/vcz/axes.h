/* SPDX-License-Identifier: Apache-2.0 */
/*
 * axes: what the axes of a store's arrays are, held against what the store calls them.
 *
 * Shapes cannot tell variants from samples where there are as many of both.
 */
#ifndef VCZFS_VCZ_AXES_H
#define VCZFS_VCZ_AXES_H

#include "encoderd/zarr/meta/array.h"

/* ERR_CORRUPT, with the array's name, if the store names an axis of it as another one than VCF Zarr
 * has there: by VCF Zarr's names, or by those that it gives the axes of variant_position and
 * sample_id. Names that are not there, or say nothing, are no fault. */
int axes_check(const struct zarr_group *group, const struct zarr_array *array, struct err *err);

#endif
