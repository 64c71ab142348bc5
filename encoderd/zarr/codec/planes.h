/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planes: the bit planes of one-byte elements, as bit-shuffling makes them of a block.
 *
 * Plane p has bit p of every element, 0 being the least significant: bit (i mod 8) of its byte i/8
 * belongs to element i. Most genotypes are 0 or 1, and nothing but planes 0 and 1 need be there to
 * say so.
 */
#ifndef VCZFS_ZARR_CODEC_PLANES_H
#define VCZFS_ZARR_CODEC_PLANES_H

#include <stdint.h>

#define PLANES_ALL 8u
#define PLANES_LOW 2u /* bits 2 to 7 of all elements are 0, and their planes are not in memory */

struct planes {
    const uint8_t *at; /* plane p at p · nbytes; readable for 8 bytes past the last one's end */
    uint64_t nbytes;   /* of each */
    unsigned n;        /* that are there: PLANES_ALL or PLANES_LOW */
};

#endif
