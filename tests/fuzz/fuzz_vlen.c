/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vlen-utf8: the first byte chooses the order of elements, the rest is an uncompressed chunk of 3 ×
 * 2 strings. What is accepted must be written back to the same bytes.
 */
#include "encoderd/zarr/chunk/chunk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mem_store.h"

#define META(order)                                                                                \
    "{\"zarr_format\":2,\"shape\":[3,2],\"chunks\":[3,2],\"dtype\":\"|O\",\"fill_value\":null,"    \
    "\"order\":\"" order "\",\"filters\":[{\"id\":\"vlen-utf8\"}],\"compressor\":null}"
#define NSTRINGS 6

/* Where string k of the file is in C order. */
static size_t place(bool fortran, size_t k)
{
    return fortran ? k % 3 * 2 + k / 3 : k;
}

static void require_same(const struct strings *strings, bool fortran, const uint8_t *data,
                         size_t size)
{
    size_t at = 4;

    REQUIRE(strings->nitems == NSTRINGS);
    for (size_t k = 0; k < NSTRINGS; k++) {
        const struct str *item = &strings->items[place(fortran, k)];

        REQUIRE(size - at >= 4 && item->len <= size - at - 4);
        REQUIRE(data[at] == (item->len & 0xff) && data[at + 1] == (item->len >> 8 & 0xff));
        REQUIRE(memcmp(data + at + 4, item->at, item->len) == 0);
        at += 4 + item->len;
    }
    REQUIRE(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t first[ZARR_DIMS_MAX];
    bool fortran = take_byte(&data, &size) % 2 == 1;
    struct zarr_array *array = NULL;
    struct zarr_group *group = NULL;
    struct decoder *decoder;
    struct strings strings = {0};
    struct mem_store mem;
    struct err err = {0};

    mem_store_init(&mem);
    mem_put_text(&mem, ".zgroup", "{\"zarr_format\":2}");
    mem_put_text(&mem, "s/.zarray", fortran ? META("F") : META("C"));
    mem_put(&mem, "s/0.0", data, size);
    REQUIRE(zarr_group_open(&mem.store, &group, &err) == 0);
    REQUIRE(zarr_array_open(group, "s", &array, &err) == 0);
    decoder = decoder_new((size_t)1 << 16, &err);
    REQUIRE(decoder != NULL);
    if (zarr_chunk_strings(decoder, array, first, &strings, &err) == 0)
        require_same(&strings, fortran, data, size);
    else
        REQUIRE(strstr(err.msg, "s/0.0") != NULL);
    strings_free(&strings);
    decoder_free(decoder);
    zarr_array_free(array);
    zarr_group_free(group);
    return 0;
}
