/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8: checks and writes UTF-8 (RFC 3629).
 */
#ifndef VCZFS_ZARR_META_UTF8_H
#define VCZFS_ZARR_META_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_valid(const uint8_t *text, size_t n);

/* How many bytes at the beginning are well-formed characters. */
size_t utf8_prefix(const uint8_t *text, size_t n);

/* Writes one character, of 1 to 4 bytes, and returns its length; 0 if it is not a character. */
size_t utf8_put(uint32_t character, uint8_t to[4]);

#endif
