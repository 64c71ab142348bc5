/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/zstd_zeros.h"

#include "common/bytes.h"

#include <stdbool.h>

#define MAGIC        0xfd2fb528u
#define DESCRIPTOR   4    /* its offset; here the content size, of 4 bytes, follows it */
#define SINGLE_4     0xa0 /* the only descriptor that is handled, without the unused bit */
#define UNUSED_BIT   0x10
#define CONTENT_SIZE 5
#define BLOCKS       9 /* where they begin */
#define BLOCK_HEADER 3
#define BLOCK_MAX    ((size_t)128 << 10) /* decoded bytes */
#define LAST_BLOCK   1u

enum block_type { TYPE_RAW = 0, TYPE_RLE = 1, TYPE_COMPRESSED = 2, TYPE_RESERVED = 3 };

struct zstd_block {
    bool last;
    enum block_type type;
    size_t size;   /* of an RLE block, decoded; else as stored */
    size_t stored; /* bytes after its header */
};

/* Parses the block header at `at`. False if it is invalid or the block is not within the n bytes of
 * the frame. */
static bool get_block(const uint8_t *frame, size_t n, size_t at, struct zstd_block *out)
{
    uint32_t header;

    if (n - at < BLOCK_HEADER)
        return false;
    header = frame[at] | (uint32_t)frame[at + 1] << 8 | (uint32_t)frame[at + 2] << 16;
    *out = (struct zstd_block){.last = (header & LAST_BLOCK) != 0,
                               .type = (enum block_type)(header >> 1 & 3),
                               .size = header >> 3};
    out->stored = out->type == TYPE_RLE ? 1 : out->size;
    return out->type != TYPE_RESERVED && out->size <= BLOCK_MAX &&
           out->stored <= n - at - BLOCK_HEADER;
}

/* Makes the block at `last` the frame's last. */
static void end_frame(uint8_t *frame, size_t last, size_t nbytes)
{
    frame[last] |= LAST_BLOCK;
    put_le32(frame + CONTENT_SIZE, (uint32_t)nbytes);
}

size_t zstd_cut_zeros(uint8_t *frame, size_t *n, size_t nbytes)
{
    size_t at = BLOCKS, zeros = 0, kept = BLOCKS, last_kept = BLOCKS;
    struct zstd_block block = {0};

    if (*n < BLOCKS || get_le32(frame) != MAGIC || (frame[DESCRIPTOR] & ~UNUSED_BIT) != SINGLE_4 ||
        get_le32(frame + CONTENT_SIZE) != nbytes)
        return nbytes;
    for (; !block.last; at += BLOCK_HEADER + block.stored) {
        if (!get_block(frame, *n, at, &block))
            return nbytes;
        if (block.type == TYPE_RLE && frame[at + BLOCK_HEADER] == 0) {
            zeros += block.size;
            continue;
        }
        zeros = 0;
        last_kept = at;
        kept = at + BLOCK_HEADER + block.stored;
    }
    if (at != *n || zeros == 0 || zeros > nbytes || (zeros == nbytes) != (kept == BLOCKS))
        return nbytes;
    if (zeros < nbytes)
        end_frame(frame, last_kept, nbytes - zeros);
    *n = kept;
    return nbytes - zeros;
}

void zstd_uncut_zeros(uint8_t *frame, size_t n, size_t nbytes)
{
    struct zstd_block block;
    size_t last = BLOCKS;

    for (size_t at = BLOCKS; at < n && get_block(frame, n, at, &block);
         at += BLOCK_HEADER + block.stored)
        last = at;
    if (n > BLOCKS)
        frame[last] &= (uint8_t)~LAST_BLOCK;
    put_le32(frame + CONTENT_SIZE, (uint32_t)nbytes);
}
