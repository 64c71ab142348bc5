/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks beyond the memory budget, undone in the temporary file: the first byte chooses an array,
 * the rest is what its chunk file has. What a decoder with little memory makes of it is held
 * against what one with enough makes of it: the same bytes, or an error of both.
 */
#include "encoderd/zarr/chunk/chunk.h"
#include "encoderd/zarr/store/spill.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mem_store.h"

#include <sys/mman.h>

#define LITTLE_SCRATCH ((size_t)3 << 19)
#define ENOUGH         ((size_t)32 << 20)
#define FILE_MAX       ((uint64_t)64 << 20)

#define V2(shape, dtype, order, filters, compressor)                                               \
    "{\"zarr_format\":2,\"shape\":" shape ",\"chunks\":" shape ",\"dtype\":\"" dtype               \
    "\",\"fill_value\":null,\"order\":\"" order "\",\"filters\":" filters                          \
    ",\"compressor\":" compressor "}"
#define GT     "[50,20480,2]"
#define LZ4    "{\"id\":\"lz4\",\"acceleration\":1}"
#define ZLIB   "{\"id\":\"zlib\",\"level\":1}"
#define ZSTD   "{\"id\":\"zstd\",\"level\":3}"
#define BLOSC  "{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":7,\"shuffle\":2,\"blocksize\":0}"
#define DELTA  "[{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"<i2\"}]"
#define PACKED "[{\"id\":\"packbits\"}]"
#define VLEN   "[{\"id\":\"vlen-utf8\"}]"

/* Numbered as in make_corpus.py: append only. */
static const char *const pipelines[] = {
    V2(GT, "|i1", "C", "null", LZ4),
    V2(GT, "|i1", "F", "null", BLOSC),
    V2(GT, "<i2", "F", "null", ZSTD),
    V2(GT, "|i1", "C", "null", BLOSC),
    V2("[512000]", "<i4", "C", DELTA, ZLIB),
    V2("[2048000]", "|b1", "C", PACKED, ZSTD),
    V2("[100000,2]", "|O", "F", VLEN, ZSTD),
    V2("[100000,2]", "<U3", "F", "null", LZ4),
    V2("[1000,1024]", ">i2", "F", "null", "null"),
};
#define NPIPELINES (sizeof pipelines / sizeof pipelines[0])

struct bench {
    struct mem_store mem;
    struct zarr_group *group;
    struct zarr_array *array[NPIPELINES];
    char name[NPIPELINES][8], meta_key[NPIPELINES][32], key[NPIPELINES][ZARR_KEY_MAX];
    struct decoder *little, *enough;
    struct spill *spill;
};

static void bench_init(struct bench *bench)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    struct err err = {0};

    mem_store_init(&bench->mem);
    mem_put_text(&bench->mem, ".zgroup", "{\"zarr_format\":2}");
    REQUIRE(zarr_group_open(&bench->mem.store, &bench->group, &err) == 0);
    for (size_t p = 0; p < NPIPELINES; p++) {
        snprintf(bench->name[p], sizeof bench->name[p], "a%zu", p);
        snprintf(bench->meta_key[p], sizeof bench->meta_key[p], "a%zu/.zarray", p);
        mem_put_text(&bench->mem, bench->meta_key[p], pipelines[p]);
        if (zarr_array_open(bench->group, bench->name[p], &bench->array[p], &err) != 0)
            fprintf(stderr, "pipeline %zu: %s\n", p, err.msg);
        REQUIRE(bench->array[p] != NULL);
        zarr_chunk_key(bench->array[p], first, bench->key[p]);
    }
    bench->little = decoder_new(LITTLE_SCRATCH, &err);
    bench->enough = decoder_new(ENOUGH, &err);
    REQUIRE(bench->little != NULL && bench->enough != NULL);
    bench->spill = spill_new(memfd_create("spill", MFD_CLOEXEC), "memory", FILE_MAX);
    REQUIRE(bench->spill != NULL);
    store_set_spill(&bench->mem.store, bench->spill);
}

/* All of the chunk, which the caller frees; NULL: an error. */
static uint8_t *read_blocks(struct decoder *decoder, const struct zarr_array *array,
                            struct err *err)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    uint8_t *all = NULL;
    struct chunk *chunk;
    struct block block;

    if (decoder_chunk(decoder, array, first, &chunk, err) != 0)
        return NULL;
    all = malloc(chunk_nbytes(chunk));
    REQUIRE(all != NULL);
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) != 0) {
            free(all);
            return NULL;
        }
        memcpy(all + block.begin, block.data, block.nbytes);
    }
    return all;
}

static void compare_blocks(const struct bench *bench, const struct zarr_array *array,
                           struct err *little_err)
{
    struct err err = {0};
    uint8_t *expected = read_blocks(bench->enough, array, &err);
    uint8_t *found = read_blocks(bench->little, array, little_err);

    if (getenv("VCZFS_FUZZ_TELL") != NULL)
        fprintf(stderr, "%s: %s | %s\n", array->name, err.msg, little_err->msg);
    REQUIRE((expected == NULL) == (found == NULL));
    if (found != NULL)
        REQUIRE(memcmp(expected, found, array->meta.chunk_elements * array->meta.dtype.size) == 0);
    free(expected);
    free(found);
}

static bool same_strings(const struct strings *all, const struct strings *some)
{
    for (size_t k = 0; k < some->nitems; k++) {
        const struct str *a = &all->items[some->first + k], *b = &some->items[k];

        if (a->len != b->len || (a->len > 0 && memcmp(a->at, b->at, a->len) != 0))
            return false;
    }
    return true;
}

/* A few windows of it. */
static void compare_strings(const struct bench *bench, const struct zarr_array *array,
                            struct err *little_err)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    struct strings all = {0}, some = {0};
    struct err err = {0};
    const bool right = zarr_chunk_strings(bench->enough, array, first, &all, &err) == 0;

    for (uint64_t at = 0; at < array->meta.chunk_elements; at += 7919) {
        if (zarr_chunk_strings_at(bench->little, array, first, at, 1, 64 << 10, &some,
                                  little_err) != 0)
            break;
        REQUIRE(strings_hold(&some, at, 1));
        if (right)
            REQUIRE(same_strings(&all, &some));
    }
    if (right && little_err->code != ERR_NONE)
        fprintf(stderr, "%s\n", little_err->msg);
    REQUIRE(!right || little_err->code == ERR_NONE || little_err->code == ERR_BUDGET);
    strings_free(&all);
    strings_free(&some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *bench;
    const size_t p = take_byte(&data, &size) % NPIPELINES;
    const struct zarr_array *array;
    struct err err = {0};

    if (bench == NULL) {
        bench = calloc(1, sizeof *bench);
        REQUIRE(bench != NULL);
        bench_init(bench);
    }
    array = bench->array[p];
    mem_put(&bench->mem, bench->key[p], data, size);
    if (array->meta.dtype.kind == DTYPE_STRING || array->meta.dtype.kind == DTYPE_UCS4)
        compare_strings(bench, array, &err);
    else
        compare_blocks(bench, array, &err);
    if (err.code != ERR_NONE)
        REQUIRE(strstr(err.msg, bench->key[p]) != NULL);
    decoder_trim(bench->little);
    decoder_trim(bench->enough);
    spill_forget(bench->spill, &bench->mem.store);
    REQUIRE(spill_used(bench->spill) == 0);
    return 0;
}
