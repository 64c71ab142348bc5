/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planes: the bit planes of a block of one-byte elements, as bit-shuffling makes them.
 *
 * Plane p has bit p of every element (0 is the least significant); bit (i mod 8) of its byte i/8
 * belongs to element i. Most genotypes are 0 or 1, so that planes 0 and 1 are often enough.
 */
#ifndef VCZFS_ZARR_CODEC_PLANES_H
#define VCZFS_ZARR_CODEC_PLANES_H

#include <stdint.h>

#define PLANES_ALL 8u
#define PLANES_LOW 2u /* bits 2 to 7 of all elements are 0; their planes are left out */

struct planes {
    const uint8_t *at; /* plane p is at p · nbytes; 8 bytes after the last one are readable */
    uint64_t nbytes;   /* of each */
    unsigned n;        /* planes in memory: PLANES_ALL or PLANES_LOW */
};

#endif
