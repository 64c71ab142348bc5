/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a shard. The first byte chooses an array: index at the start or the end, with a
 * checksum (which the target makes right: a fuzzer would never guess it) or without, inner chunks
 * raw, gzip, or shards. What is read from a raw inner chunk must be the bytes that the index points
 * to.
 */
#include "common/bytes.h"
#include "common/crc32c.h"
#include "encoderd/zarr/chunk/chunk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mem_store.h"

#define LITTLE                       "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"
#define META(inner, index, location) META_OF(LITTLE inner, index, location)
#define META_OF(codecs, index, location)                                                           \
    "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[4,4],\"data_type\":\"int8\","           \
    "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[4,4]}},"             \
    "\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":7,\"codecs\":["                  \
    "{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":[2,2],\"codecs\":[" codecs  \
    "],\"index_codecs\":[" LITTLE index "],\"index_location\":\"" location "\"}}]}"
#define CRC  ",{\"name\":\"crc32c\"}"
#define GZIP ",{\"name\":\"gzip\",\"configuration\":{\"level\":1}}"

/* A shard of one chunk, its index at the end. */
#define NESTED                                                                                     \
    "{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":[2,2],\"codecs\":[" LITTLE  \
    "],\"index_codecs\":[" LITTLE "]}}"

#define NINNER       4
#define INNER_NBYTES 4
#define INDEX_NBYTES ((size_t)NINNER * 16)

static const struct layout {
    const char *meta;
    bool raw, first, crc;
} layouts[] = {
    {META("", "", "end"), true, false, false},
    {META("", CRC, "end"), true, false, true},
    {META("", "", "start"), true, true, false},
    {META("", CRC, "start"), true, true, true},
    {META(GZIP, CRC, "end"), false, false, true},
    {META_OF(NESTED, "", "start"), false, true, false},
};

/* Where the index is; NULL if there is no room for one. */
static uint8_t *find_index(const struct layout *layout, uint8_t *shard, size_t size)
{
    const size_t need = INDEX_NBYTES + (layout->crc ? 4 : 0);

    if (size < need)
        return NULL;
    return layout->first ? shard : shard + size - need;
}

static uint64_t number(const uint8_t *at)
{
    return get_le32(at) | (uint64_t)get_le32(at + 4) << 32;
}

static void require_right(const uint8_t *shard, size_t size, const uint8_t *entry,
                          const struct chunk *chunk, const struct block *block)
{
    const uint64_t offset = number(entry), nbytes = number(entry + 8);

    if (chunk_is_absent(chunk)) {
        REQUIRE(offset == UINT64_MAX && nbytes == UINT64_MAX);
        return;
    }
    REQUIRE(offset <= size && nbytes <= size - offset);
    REQUIRE(nbytes == INNER_NBYTES && block->nbytes == INNER_NBYTES);
    REQUIRE(memcmp(block->data, shard + offset, INNER_NBYTES) == 0);
}

static void read_inner(struct decoder *decoder, const struct zarr_array *array,
                       const struct layout *layout, const uint8_t *shard, size_t size,
                       const uint8_t *entries)
{
    for (uint64_t i = 0; i < NINNER; i++) {
        const uint64_t index[ZARR_DIMS_MAX] = {i / 2, i % 2};
        struct chunk *chunk;
        struct block block;
        struct err err = {0};

        if (decoder_chunk(decoder, array, index, &chunk, &err) != 0 ||
            decoder_block(decoder, chunk, 0, true, &block, &err) != 0) {
            REQUIRE(strstr(err.msg, "a/c/0/0") != NULL);
            continue;
        }
        REQUIRE(chunk_nblocks(chunk) == 1 && chunk_nbytes(chunk) == INNER_NBYTES);
        REQUIRE(entries != NULL);
        if (layout->raw)
            require_right(shard, size, entries + i * 16, chunk, &block);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct layout *layout =
        &layouts[take_byte(&data, &size) % (sizeof layouts / sizeof layouts[0])];
    uint8_t *shard = malloc(size + 1), *entries;
    struct zarr_array *array = NULL;
    struct zarr_group *group = NULL;
    struct decoder *decoder;
    struct mem_store mem;
    struct err err = {0};

    REQUIRE(shard != NULL);
    memcpy(shard, data, size);
    entries = find_index(layout, shard, size);
    if (entries != NULL && layout->crc)
        put_le32(entries + INDEX_NBYTES, crc32c(entries, INDEX_NBYTES));
    mem_store_init(&mem);
    mem_put_text(&mem, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    mem_put_text(&mem, "a/zarr.json", layout->meta);
    mem_put(&mem, "a/c/0/0", shard, size);
    REQUIRE(zarr_group_open(&mem.store, &group, &err) == 0);
    REQUIRE(zarr_array_open(group, "a", &array, &err) == 0 && array != NULL);
    decoder = decoder_new((size_t)1 << 16, &err);
    REQUIRE(decoder != NULL);
    read_inner(decoder, array, layout, shard, size, entries);
    decoder_free(decoder);
    zarr_array_free(array);
    zarr_group_free(group);
    free(shard);
    return 0;
}
