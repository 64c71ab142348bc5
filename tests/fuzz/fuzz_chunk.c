/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec pipeline on a chunk: the first byte chooses an array, the rest is what its chunk file
 * has.
 *
 * The arrays are those of the vectors, so that their chunks are seeds. Planes are held against the
 * plain bytes of the same block.
 */
#include "common/crc32c.h"
#include "encoderd/zarr/chunk/chunk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mem_store.h"
#include "tests/unit/shuffling.h"

#define SCRATCH_MAX ((size_t)1 << 20)

#define V2(shape, dtype, order, filters, compressor)                                               \
    "{\"zarr_format\":2,\"shape\":" shape ",\"chunks\":" shape ",\"dtype\":\"" dtype               \
    "\",\"fill_value\":null,\"order\":\"" order "\",\"filters\":" filters                          \
    ",\"compressor\":" compressor "}"
#define GT    "[50,8,2]"
#define BLOSC "{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":7,\"shuffle\":2,\"blocksize\":0}"
#define VLEN  "[{\"id\":\"vlen-utf8\"}]"
#define DELTA "[{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"<i2\"}]"
#define FIXED                                                                                      \
    "[{\"id\":\"fixedscaleoffset\",\"offset\":10,\"scale\":100,\"dtype\":\"<f4\",\"astype\":\"|"   \
    "u1\"}]"
#define SHUFFLE   "[{\"id\":\"shuffle\",\"elementsize\":4}]"
#define TRANSPOSE "{\"name\":\"transpose\",\"configuration\":{\"order\":[2,0,1]}}"

#define V3(shape, type, fill, codecs)                                                              \
    "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":" shape ",\"data_type\":\"" type         \
    "\",\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":" shape            \
    "}},\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":" fill ",\"codecs\":" codecs  \
    "}"
#define V3_BLOSC                                                                                   \
    "{\"name\":\"blosc\",\"configuration\":{\"typesize\":1,\"cname\":\"zstd\",\"clevel\":7,"       \
    "\"shuffle\":\"bitshuffle\",\"blocksize\":0}}"
#define LITTLE  "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"
#define V3_ZSTD "{\"name\":\"zstd\",\"configuration\":{\"level\":3,\"checksum\":false}}"
#define V3_GZIP "{\"name\":\"gzip\",\"configuration\":{\"level\":1}}"
#define V3_CRC  "{\"name\":\"crc32c\"}"

/* Numbered as in make_corpus.py: append only. */
static const struct pipeline {
    const char *meta;
    bool v3;
    bool checksum; /* the target appends the right one: a fuzzer would never guess it */
} pipelines[] = {
    /* 0 */ {V2(GT, "|i1", "C", "null", BLOSC), false, false},
    /* 1 */ {V2(GT, "|i1", "C", "null", "null"), false, false},
    /* 2 */ {V2(GT, "|i1", "C", "null", "{\"id\":\"zstd\",\"level\":3}"), false, false},
    /* 3 */ {V2(GT, "|i1", "C", "null", "{\"id\":\"gzip\",\"level\":1}"), false, false},
    /* 4 */ {V2(GT, "|i1", "C", "null", "{\"id\":\"zlib\",\"level\":1}"), false, false},
    /* 5 */ {V2(GT, "|i1", "C", "null", "{\"id\":\"lz4\",\"acceleration\":1}"), false, false},
    /* 6 */ {V2(GT, "|i1", "F", "null", BLOSC), false, false},
    /* 7 */ {V2(GT, "<i2", "C", "null", BLOSC), false, false},
    /* 8 */ {V2(GT, ">i4", "C", "null", BLOSC), false, false},
    /* 9 */ {V2("[50]", "<i2", "C", "null", BLOSC), false, false},
    /* 10 */ {V2("[50,2]", "|O", "C", VLEN, BLOSC), false, false},
    /* 11 */ {V2("[50,2]", "|O", "F", VLEN, "{\"id\":\"zstd\",\"level\":3}"), false, false},
    /* 12 */ {V2("[50]", "|S3", "C", "null", BLOSC), false, false},
    /* 13 */ {V2("[50]", "<U3", "C", "null", "null"), false, false},
    /* 14 */ {V2("[50]", "|b1", "C", "null", "null"), false, false},
    /* 15 */ {V2("[50]", "<u8", "F", "null", "null"), false, false},
    /* 16 */ {V3(GT, "int8", "0", "[" LITTLE "," V3_BLOSC "]"), true, false},
    /* 17 */ {V3(GT, "int8", "0", "[" LITTLE "," V3_ZSTD "]"), true, false},
    /* 18 */ {V3(GT, "int8", "0", "[" LITTLE "," V3_GZIP "," V3_CRC "]"), true, true},
    /* 19 */ {V3(GT, "int8", "0", "[" LITTLE "," V3_BLOSC "," V3_ZSTD "," V3_CRC "]"), true, true},
    /* 20 */ {V3(GT, "int8", "0", "[" LITTLE "," V3_ZSTD "," V3_GZIP "]"), true, false},
    /* 21 */
    {V3("[50,2]", "string", "\"\"", "[{\"name\":\"vlen-utf8\"}," V3_ZSTD "]"), true, false},
    /* 22 */
    {V3("[50,2]", "string", "\"\"", "[{\"name\":\"vlen-utf8\"}," V3_GZIP "," V3_CRC "]"), true,
     true},
    /* 23 */ {V3(GT, "int16", "0", "[" LITTLE "," V3_CRC "]"), true, true},
    /* 24 */ {V2("[50]", "<i4", "C", DELTA, "null"), false, false},
    /* 25 */ {V2("[50]", "|b1", "C", "[{\"id\":\"packbits\"}]", "null"), false, false},
    /* 26 */ {V2("[50]", "<f4", "C", FIXED, "null"), false, false},
    /* 27 */ {V2("[50]", "<i4", "C", SHUFFLE, "{\"id\":\"zlib\",\"level\":1}"), false, false},
    /* 28 */ {V3(GT, "int8", "0", "[" TRANSPOSE "," LITTLE "," V3_ZSTD "]"), true, false},
    /* 29 */ {V2("[50]", "<f2", "C", "null", BLOSC), false, false},
};
#define NPIPELINES (sizeof pipelines / sizeof pipelines[0])

struct bench {
    struct mem_store mem[2]; /* v2, v3 */
    struct zarr_group *group[2];
    struct zarr_array *array[NPIPELINES];
    char name[NPIPELINES][8], meta_key[NPIPELINES][32], key[NPIPELINES][ZARR_KEY_MAX];
    struct decoder *decoder;
};

static void bench_init(struct bench *bench)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    struct err err = {0};

    for (unsigned v = 0; v < 2; v++)
        mem_store_init(&bench->mem[v]);
    mem_put_text(&bench->mem[0], ".zgroup", "{\"zarr_format\":2}");
    mem_put_text(&bench->mem[1], "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    REQUIRE(zarr_group_open(&bench->mem[0].store, &bench->group[0], &err) == 0);
    REQUIRE(zarr_group_open(&bench->mem[1].store, &bench->group[1], &err) == 0);
    for (size_t p = 0; p < NPIPELINES; p++) {
        bool v3 = pipelines[p].v3;

        snprintf(bench->name[p], sizeof bench->name[p], "a%zu", p);
        snprintf(bench->meta_key[p], sizeof bench->meta_key[p], "a%zu/%s", p,
                 v3 ? "zarr.json" : ".zarray");
        mem_put_text(&bench->mem[v3], bench->meta_key[p], pipelines[p].meta);
        if (zarr_array_open(bench->group[v3], bench->name[p], &bench->array[p], &err) != 0)
            fprintf(stderr, "pipeline %zu: %s\n", p, err.msg);
        REQUIRE(bench->array[p] != NULL);
        zarr_chunk_key(bench->array[p], first, bench->key[p]);
    }
    bench->decoder = decoder_new(SCRATCH_MAX, &err);
    REQUIRE(bench->decoder != NULL);
}

static uint64_t sum_bytes(const uint8_t *at, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += at[i];
    return sum;
}

static void read_blocks(struct decoder *decoder, const struct zarr_array *array, struct err *err)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    uint64_t covered = 0;
    struct chunk *chunk;
    struct block block;

    if (decoder_chunk(decoder, array, first, &chunk, err) != 0)
        return;
    REQUIRE(chunk_nbytes(chunk) == array->meta.chunk_elements * array->meta.dtype.size);
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        uint8_t *plain;
        bool planes;

        if (decoder_block(decoder, chunk, i, true, &block, err) != 0)
            return;
        REQUIRE(block.begin == covered && block.nbytes <= chunk_nbytes(chunk) - covered);
        covered += block.nbytes;
        plain = malloc(block.nbytes + 1);
        REQUIRE(plain != NULL);
        planes = block.form == BLOCK_PLANES;
        REQUIRE(!planes || block.planes.nbytes * 8 == block.nbytes);
        if (planes)
            unshuffle(&block.planes, plain);
        else
            memcpy(plain, block.data, block.nbytes);
        REQUIRE(decoder_block(decoder, chunk, i, false, &block, err) == 0 ||
                err->code == ERR_CORRUPT);
        if (err->code == ERR_NONE)
            REQUIRE(memcmp(plain, block.data, block.nbytes) == 0);
        free(plain);
        if (err->code != ERR_NONE)
            return;
    }
    REQUIRE(covered == chunk_nbytes(chunk));
}

static void read_strings(struct decoder *decoder, const struct zarr_array *array, struct err *err)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    struct strings strings = {0};
    uint64_t sum = 0;

    if (zarr_chunk_strings(decoder, array, first, &strings, err) == 0) {
        REQUIRE(strings.nitems == array->meta.chunk_elements);
        for (size_t k = 0; k < strings.nitems; k++)
            sum += sum_bytes((const uint8_t *)strings.items[k].at, strings.items[k].len);
    }
    REQUIRE(sum < UINT64_MAX);
    strings_free(&strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *bench;
    size_t p = take_byte(&data, &size) % NPIPELINES;
    uint8_t *stored = malloc(size + 4);
    enum dtype_kind kind;
    struct err err = {0};

    if (bench == NULL) {
        bench = calloc(1, sizeof *bench);
        REQUIRE(bench != NULL);
        bench_init(bench);
    }
    REQUIRE(stored != NULL);
    memcpy(stored, data, size);
    if (pipelines[p].checksum) {
        const uint32_t sum = crc32c(stored, size);

        for (int i = 0; i < 4; i++)
            stored[size++] = (uint8_t)(sum >> (8 * i));
    }
    decoder_trim(bench->decoder);
    mem_put(&bench->mem[pipelines[p].v3], bench->key[p], stored, size);
    kind = bench->array[p]->meta.dtype.kind;
    if (kind != DTYPE_STRING)
        read_blocks(bench->decoder, bench->array[p], &err);
    if (kind == DTYPE_STRING || kind == DTYPE_BYTES || kind == DTYPE_UCS4)
        read_strings(bench->decoder, bench->array[p], &err);
    if (err.code != ERR_NONE)
        REQUIRE(strstr(err.msg, bench->key[p]) != NULL);
    decoder_trim(bench->decoder);
    free(stored);
    return 0;
}
