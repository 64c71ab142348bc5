/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Blosc frame. What is accepted here must come out of c-blosc the same.
 */
#include "common/bytes.h"
#include "encoderd/zarr/codec/blosc1_decode.h"
#include "tests/fuzz/fuzz.h"

#include <blosc.h>
#include <string.h>

#define NBYTES_MAX (1u << 20)

/* Every extent is inside the frame, and block sizes add up. */
static void check_index(const uint8_t *data, const struct blosc1_frame *frame)
{
    uint32_t *begins = NULL, *ends = NULL;
    uint64_t sum = 0;
    struct err err = {0};

    if (blosc1_index(frame, data + BLOSC1_HEADER_NBYTES, &begins, &ends, &err) == 0) {
        for (uint32_t i = 0; i < frame->nblocks; i++) {
            REQUIRE(begins[i] >= BLOSC1_HEADER_NBYTES && begins[i] < ends[i]);
            REQUIRE(ends[i] <= frame->cbytes);
            sum += blosc1_block_nbytes(frame, i);
        }
        REQUIRE(sum == frame->nbytes);
    }
    free(begins);
    free(ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t nbytes = size >= BLOSC1_HEADER_NBYTES ? get_le32(data + 4) : 0;
    struct blosc1_frame frame;
    uint8_t *ours, *theirs;
    struct err err = {0};

    if (nbytes > NBYTES_MAX)
        return 0;
    ours = malloc(nbytes + 1u);
    theirs = malloc(nbytes + 1u);
    REQUIRE(ours != NULL && theirs != NULL);
    if (size >= BLOSC1_HEADER_NBYTES &&
        blosc1_parse_header(data, size, nbytes, &frame, &err) == 0 && !frame.stored) {
        REQUIRE(size >= BLOSC1_HEADER_NBYTES + (uint64_t)frame.nblocks * 4);
        check_index(data, &frame);
    }
    if (blosc1_decode_frame(data, size, nbytes, ours, &err) == 0 && nbytes > 0) {
        int n = blosc_decompress_ctx(data, theirs, nbytes, 1);

        /* It may refuse more than is refused here, but never read the same frame differently. */
        if (n > 0)
            REQUIRE((uint32_t)n == nbytes && memcmp(ours, theirs, nbytes) == 0);
    }
    free(ours);
    free(theirs);
    return 0;
}
