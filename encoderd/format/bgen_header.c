/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bgen_header.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_NBYTES    20 /* of the header block proper */
#define SAMPLES_FIXED   8  /* of the sample block, before the IDs */
#define LAYOUT_2        2u
#define COMPRESSED_ZLIB 1u
#define HAS_SAMPLES     (UINT32_C(1) << 31)

/* Keeps the bytes [begin, end) of the header while it is written from its start. */
struct header_part {
    uint64_t begin, end;
    uint8_t *out;
    uint64_t at; /* of the next byte */
};

static void put(struct header_part *window, const void *bytes, size_t n)
{
    const uint64_t from = size_max(window->at, window->begin);
    const uint64_t to = size_min(window->at + n, window->end);

    if (from < to)
        memcpy(window->out + (from - window->begin), (const uint8_t *)bytes + (from - window->at),
               (size_t)(to - from));
    window->at += n;
}

static void put_u16(struct header_part *window, uint64_t value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};

    put(window, bytes, sizeof bytes);
}

static void put_u32(struct header_part *window, uint64_t value)
{
    put_u16(window, value);
    put_u16(window, value >> 16);
}

/* Finds the size of the sample block and where its samples begin; checks that the header can
 * express it. */
static int make_marks(struct bgen_header *header, uint64_t *nbytes, struct err *err)
{
    const struct selection *selection = header->selection;

    header->marks =
        calloc((size_t)(selection->nsamples / BGEN_MARK_EVERY + 1), sizeof *header->marks);
    if (header->marks == NULL)
        return err_nomem(err, "the header of the .bgen");
    *nbytes = SAMPLES_FIXED;
    for (uint64_t i = 0; i < selection->nsamples; i++) {
        if (i % BGEN_MARK_EVERY == 0)
            header->marks[i / BGEN_MARK_EVERY] = 4 + BLOCK_NBYTES + *nbytes;
        if (selection->sample_id[i].len > UINT16_MAX)
            return err_set(err, ERR_DATA,
                           "%s: sample %" PRIu64 " has an ID of %zu bytes, more than a .bgen can "
                           "hold; use --no-header-samples to leave IDs out of it",
                           store_path(selection->vcz->store), i, selection->sample_id[i].len);
        *nbytes += 2 + selection->sample_id[i].len;
    }
    if (*nbytes > UINT32_MAX - BLOCK_NBYTES)
        return err_set(err, ERR_DATA,
                       "%s: the sample IDs take %" PRIu64 " bytes, more than a .bgen can hold; use "
                       "--no-header-samples to leave them out of it",
                       store_path(selection->vcz->store), *nbytes);
    return 0;
}

/* nsamples: bytes of the sample block; 0: no block. */
static void make_fixed(struct bgen_header *header, uint64_t nsamples)
{
    const struct selection *selection = header->selection;
    struct header_part window = {.end = sizeof header->fixed, .out = header->fixed};

    put_u32(&window, BLOCK_NBYTES + nsamples);
    put_u32(&window, BLOCK_NBYTES);
    put_u32(&window, row_map_nrows(&selection->rows));
    put_u32(&window, selection->nsamples);
    put(&window, "bgen", 4);
    put_u32(&window, COMPRESSED_ZLIB | LAYOUT_2 << 2 | (nsamples != 0 ? HAS_SAMPLES : 0));
    if (nsamples != 0) {
        put_u32(&window, nsamples);
        put_u32(&window, selection->nsamples);
    }
    header->nfixed = (size_t)window.at;
}

_Static_assert(4 + BLOCK_NBYTES + SAMPLES_FIXED == sizeof(((struct bgen_header *)0)->fixed),
               "what is before the IDs fills its place");

int bgen_header_init(struct bgen_header *header, const struct selection *selection, bool samples,
                     struct err *err)
{
    uint64_t nbytes = 0;

    *header = (struct bgen_header){.selection = selection};
    if (samples && make_marks(header, &nbytes, err) != 0) {
        bgen_header_clear(header);
        return -1;
    }
    make_fixed(header, nbytes);
    header->nbytes = 4 + BLOCK_NBYTES + nbytes;
    return 0;
}

void bgen_header_clear(struct bgen_header *header)
{
    free(header->marks);
    *header = (struct bgen_header){0};
}

/* The last marked sample that begins at `at` or before; the first sample if there is none. */
static uint64_t marked_before(const struct bgen_header *header, uint64_t at)
{
    uint64_t i = 0;

    while (i + BGEN_MARK_EVERY < header->selection->nsamples &&
           header->marks[i / BGEN_MARK_EVERY + 1] <= at)
        i += BGEN_MARK_EVERY;
    return i;
}

void bgen_header_write(const struct bgen_header *header, uint64_t begin, uint64_t end, uint8_t *out)
{
    const struct selection *selection = header->selection;
    struct header_part window = {.begin = begin, .end = end, .out = out};
    uint64_t i;

    put(&window, header->fixed, header->nfixed);
    if (header->marks == NULL || selection->nsamples == 0)
        return;
    i = marked_before(header, begin);
    window.at = header->marks[i / BGEN_MARK_EVERY];
    for (; i < selection->nsamples && window.at < end; i++) {
        const struct str *id = &selection->sample_id[i];

        put_u16(&window, id->len);
        put(&window, id->at, id->len);
    }
}
