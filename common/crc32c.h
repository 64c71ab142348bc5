/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c: the Castagnoli checksum that Zarr's crc32c codec appends (RFC 3720, appendix B.4).
 */
#ifndef VCZFS_COMMON_CRC32C_H
#define VCZFS_COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const uint8_t *data, size_t n);

/* The sum of earlier bytes followed by these n bytes. `sum` is the sum of the earlier bytes, or 0
 * if there are none. */
uint32_t crc32c_more(uint32_t sum, const uint8_t *data, size_t n);

/* The same on CPUs that have no instruction for it (SSE 4.2, or the CRC32 of ARMv8). */
uint32_t crc32c_portable(uint32_t sum, const uint8_t *data, size_t n);

#endif
