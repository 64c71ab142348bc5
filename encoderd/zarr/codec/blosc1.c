/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/blosc1.h"

#include "common/bytes.h"
#include "encoderd/zarr/store/damaged.h"

#include <stdlib.h>

#define FORMAT_VERSION 2
/* A limit on the memory for reading the table, which is 20 bytes a block. A chunk of 2 GiB in
 * blocks of 4 KiB has this many. */
#define NBLOCKS_MAX ((uint32_t)512 << 10)
/* c-blosc's own limit: its temporary memory is a little more than three blocks. */
#define BLOCK_SIZE_MAX ((uint32_t)(INT32_MAX - 255 * 4) / 3)

#define FLAG_SHUFFLE    0x01
#define FLAG_STORED     0x02
#define FLAG_BITSHUFFLE 0x04
#define FLAG_RESERVED   0x08

static int check_flags(const struct blosc1_frame *frame, uint8_t version, struct err *err)
{
    unsigned codec = frame->flags >> 5;

    if (version > FORMAT_VERSION && version <= 5)
        return err_set(err, ERR_UNSUPPORTED, "a Blosc 2 frame; vczfs reads Blosc 1");
    if (version != FORMAT_VERSION)
        return err_set(err, ERR_CORRUPT, "not a Blosc frame; " DAMAGED);
    if ((frame->flags & FLAG_RESERVED) != 0 ||
        (frame->flags & (FLAG_SHUFFLE | FLAG_BITSHUFFLE)) == (FLAG_SHUFFLE | FLAG_BITSHUFFLE))
        return err_set(err, ERR_CORRUPT, "Blosc flags 0x%02x mean nothing; " DAMAGED, frame->flags);
    if (codec > BLOSC1_ZSTD || frame->version_lz != 1)
        return err_set(err, ERR_UNSUPPORTED, "Blosc compressor %u in version %u is not supported",
                       codec, frame->version_lz);
    if (frame->typesize == 0)
        return err_set(err, ERR_CORRUPT, "Blosc element size 0; " DAMAGED);
    return 0;
}

static int check_blocks(struct blosc1_frame *frame, struct err *err)
{
    if (frame->block_size == 0 || frame->block_size > frame->nbytes ||
        frame->block_size > BLOCK_SIZE_MAX)
        return err_set(err, ERR_CORRUPT, "a Blosc block size of %u in a chunk of %u; " DAMAGED,
                       frame->block_size, frame->nbytes);
    frame->nblocks = frame->nbytes / frame->block_size + (frame->nbytes % frame->block_size != 0);
    if (frame->nblocks > NBLOCKS_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "%u Blosc blocks in one chunk; vczfs reads up to %u: rewrite the store with "
                       "larger blocks",
                       frame->nblocks, NBLOCKS_MAX);
    if ((uint64_t)frame->nblocks * 4 + BLOSC1_HEADER_NBYTES > frame->cbytes)
        return err_set(err, ERR_CORRUPT, "no room for the table of %u Blosc blocks; " DAMAGED,
                       frame->nblocks);
    return 0;
}

int blosc1_parse_header(const uint8_t header[BLOSC1_HEADER_NBYTES], uint64_t object_size,
                        uint64_t expected_nbytes, struct blosc1_frame *out, struct err *err)
{
    *out = (struct blosc1_frame){
        .version_lz = header[1],
        .flags = header[2],
        .typesize = header[3],
        .nbytes = get_le32(header + 4),
        .block_size = get_le32(header + 8),
        .cbytes = get_le32(header + 12),
        .stored = (header[2] & FLAG_STORED) != 0,
    };
    if (check_flags(out, header[0], err) != 0)
        return -1;
    if (out->nbytes != expected_nbytes || out->nbytes > INT32_MAX)
        return err_set(err, ERR_CORRUPT,
                       "its Blosc frame holds %u bytes where the chunk has %llu; " DAMAGED,
                       out->nbytes, (unsigned long long)expected_nbytes);
    if (out->cbytes < BLOSC1_HEADER_NBYTES || out->cbytes > INT32_MAX || out->cbytes > object_size)
        return err_set(err, ERR_CORRUPT,
                       "its Blosc frame says %u bytes and the chunk's file has %llu; " DAMAGED,
                       out->cbytes, (unsigned long long)object_size);
    if (!out->stored)
        return check_blocks(out, err);
    if (out->cbytes - BLOSC1_HEADER_NBYTES != out->nbytes)
        return err_set(err, ERR_CORRUPT, "a stored Blosc frame of %u bytes for %u; " DAMAGED,
                       out->cbytes, out->nbytes);
    return 0;
}

enum blosc1_codec blosc1_frame_codec(const struct blosc1_frame *frame)
{
    return (enum blosc1_codec)(frame->flags >> 5);
}

/* The upper half of each place is the block's offset in the file and the lower half its number, so
 * that sorting integers orders the blocks by offset. */
static int compare_places(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int sort_places(const struct blosc1_frame *frame, const uint8_t *table, uint64_t *places,
                       struct err *err)
{
    uint32_t first = BLOSC1_HEADER_NBYTES + frame->nblocks * 4;
    bool sorted = true;

    for (uint32_t i = 0; i < frame->nblocks; i++) {
        uint32_t begin = get_le32(table + (size_t)i * 4);

        if (begin < first || begin >= frame->cbytes)
            return err_set(err, ERR_CORRUPT,
                           "Blosc block %u of %u begins outside the chunk's data; " DAMAGED, i,
                           frame->nblocks);
        places[i] = (uint64_t)begin << 32 | i;
        sorted = sorted && (i == 0 || places[i] > places[i - 1]);
    }
    if (!sorted)
        qsort(places, frame->nblocks, sizeof *places, compare_places);
    return 0;
}

int blosc1_index_into(const struct blosc1_frame *frame, const uint8_t *table, uint64_t *places,
                      uint32_t *begins, uint32_t *ends, struct err *err)
{
    int rc = sort_places(frame, table, places, err);

    for (uint32_t k = 0; k < frame->nblocks && rc == 0; k++) {
        uint32_t i = (uint32_t)places[k], begin = (uint32_t)(places[k] >> 32);
        uint32_t end = k + 1 < frame->nblocks ? (uint32_t)(places[k + 1] >> 32) : frame->cbytes;

        begins[i] = begin;
        ends[i] = end;
        if (end - begin < 4)
            rc = err_set(err, ERR_CORRUPT, "Blosc block %u of %u overlaps another; " DAMAGED, i,
                         frame->nblocks);
    }
    return rc;
}

int blosc1_index(const struct blosc1_frame *frame, const uint8_t *table, uint32_t **begins,
                 uint32_t **ends, struct err *err)
{
    uint64_t *places = calloc(frame->nblocks, sizeof *places);
    int rc = -1;

    *begins = calloc(frame->nblocks, sizeof **begins);
    *ends = calloc(frame->nblocks, sizeof **ends);
    if (places == NULL || *begins == NULL || *ends == NULL)
        err_nomem(err, "%u Blosc blocks", frame->nblocks);
    else
        rc = blosc1_index_into(frame, table, places, *begins, *ends, err);
    free(places);
    if (rc != 0) {
        free(*begins);
        free(*ends);
        *begins = *ends = NULL;
    }
    return rc;
}

uint32_t blosc1_block_nbytes(const struct blosc1_frame *frame, uint32_t i)
{
    uint32_t left = frame->nbytes - i * frame->block_size;

    return left < frame->block_size ? left : frame->block_size;
}

bool blosc1_block_is_planes(const struct blosc1_frame *frame, uint32_t i)
{
    return !frame->stored && (frame->flags & FLAG_BITSHUFFLE) != 0 && frame->typesize == 1 &&
           blosc1_block_nbytes(frame, i) % 8 == 0;
}
