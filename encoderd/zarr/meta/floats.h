/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floats: floating-point elements of any width as doubles, and VCF's two kinds of absent value.
 */
#ifndef VCZFS_ZARR_META_FLOATS_H
#define VCZFS_ZARR_META_FLOATS_H

#include "encoderd/zarr/meta/meta.h"

/* VCF Zarr marks absent values by NaNs: of float32, 0x7f800001 is missing and 0x7f800002 is fill.
 * For float16 and float64, and where arithmetic made the NaN a quiet one, the payload counts: 1
 * or 2. */
enum zarr_float { ZARR_FLOAT_VALUE, ZARR_FLOAT_MISSING, ZARR_FLOAT_FILL };

/* n elements in native byte order, of a dtype that is DTYPE_FLOAT. `kinds` (enum zarr_float) may be
 * NULL. What is not a value is a quiet NaN. */
void zarr_floats(const struct dtype *dtype, const uint8_t *data, size_t n, double *out,
                 uint8_t *kinds);

double half_to_double(uint16_t half);

/* Rounded to the nearest, ties to even. */
uint16_t half_from_double(double value);

#endif
