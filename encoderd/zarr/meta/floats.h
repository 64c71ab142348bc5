/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floats: converts floating-point elements of any width to double, and recognises VCF's two absent
 * values.
 */
#ifndef VCZFS_ZARR_META_FLOATS_H
#define VCZFS_ZARR_META_FLOATS_H

#include "encoderd/zarr/meta/meta.h"

/* VCF Zarr marks absent values by NaNs: in float32, 0x7f800001 is missing and 0x7f800002 is fill.
 * In float16 and float64, and if arithmetic has made the NaN quiet, only the payload counts: 1 or
 * 2. */
enum zarr_float { ZARR_FLOAT_VALUE, ZARR_FLOAT_MISSING, ZARR_FLOAT_FILL };

/* Converts n elements in native byte order, of a dtype that is DTYPE_FLOAT. `kinds` (enum
 * zarr_float) may be NULL. An absent value becomes a quiet NaN in out. */
void zarr_floats(const struct dtype *dtype, const uint8_t *data, size_t n, double *out,
                 uint8_t *kinds);

double half_to_double(uint16_t half);

/* Rounds to the nearest, ties to even. */
uint16_t half_from_double(double value);

#endif
