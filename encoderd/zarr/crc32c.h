/*
 * crc32c: the Castagnoli checksum that Zarr's crc32c codec appends (RFC 3720, appendix B.4).
 */
#ifndef VCZFS_ZARR_CRC32C_H
#define VCZFS_ZARR_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const uint8_t *data, size_t n);

#endif
