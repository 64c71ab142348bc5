/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd_zeros: a frame that was cut decodes to what the whole one does, and neither decodes where
 * the other does not.
 *
 * The frame says itself how many bytes it holds; as a block's length would, that counts.
 */
#include "common/bytes.h"
#include "encoderd/zarr/codec/zstd_zeros.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#define NBYTES_MAX (1u << 20)

static bool decodes(uint8_t *out, size_t nbytes, const uint8_t *frame, size_t n, size_t due)
{
    return ZSTD_decompress(out, nbytes, frame, n) == due;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t nbytes = size >= 9 ? get_le32(data + 5) : 0;
    uint8_t *whole, *cut, *frame;
    size_t n = size, there;
    bool valid;

    if (nbytes == 0 || nbytes > NBYTES_MAX)
        return 0;
    whole = calloc(1, nbytes);
    cut = calloc(1, nbytes);
    frame = malloc(size);
    REQUIRE(whole != NULL && cut != NULL && frame != NULL);
    memcpy(frame, data, size);
    valid = decodes(whole, nbytes, data, size, nbytes);
    there = zstd_cut_zeros(frame, &n, nbytes);
    REQUIRE(n <= size && there <= nbytes);
    REQUIRE((there == 0 || decodes(cut, nbytes, frame, n, there)) == valid);
    memset(cut + there, 0, nbytes - there);
    REQUIRE(!valid || memcmp(whole, cut, nbytes) == 0);
    free(whole);
    free(cut);
    free(frame);
    return 0;
}
