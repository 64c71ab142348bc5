/* SPDX-License-Identifier: Apache-2.0 */
/*
 * axes: compares what the axes of a store's arrays must be with the names that the store gives
 * them.
 *
 * Shapes cannot tell variants from samples if there are as many of both.
 */
#ifndef VCZFS_VCZ_AXES_H
#define VCZFS_VCZ_AXES_H

#include "encoderd/zarr/meta/array.h"

/* ERR_CORRUPT, with the array's name, if the store gives an axis the name of another one: one of
 * VCF Zarr's names, or one that the store uses for the axes of variant_position and sample_id. A
 * name that is absent, or that says nothing, is no fault. */
int axes_check(const struct zarr_group *group, const struct zarr_array *array, struct err *err);

#endif
