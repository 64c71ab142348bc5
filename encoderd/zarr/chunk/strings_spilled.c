/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings_spilled: strings of a chunk that is in the temporary file.
 */
#include "common/bytes.h"
#include "encoderd/zarr/chunk/strings_parts.h"
#include "encoderd/zarr/chunk/unfold.h"

/* A chunk of strings in the temporary file. */
struct spilled_strings {
    const struct spill_entry *entry;
    uint64_t nbytes, total;
};

static int string_offset(const struct spilled_strings *spilled, uint64_t k, uint64_t *out,
                         struct err *err)
{
    *out = spilled->nbytes;
    return k == spilled->total ? 0 : spill_read(spilled->entry, UNFOLD_OFFSETS, k * 8, out, 8, err);
}

/* Takes strings that are stored in order, as one range of the file. */
static int take_in_order(struct decoder *decoder, const struct spilled_strings *spilled,
                         const struct strings_request *request, struct strings *out,
                         struct err *err)
{
    uint64_t low = request->least, high = out->nitems, begin, end = 0;
    uint8_t *to;

    if (string_offset(spilled, request->first, &begin, err) != 0)
        return -1;
    /* Finds the largest number of strings that fits. */
    while (low < high) {
        const uint64_t middle = high - (high - low) / 2;

        if (string_offset(spilled, request->first + middle, &end, err) != 0)
            return -1;
        if (end - begin <= request->budget)
            low = middle;
        else
            high = middle - 1;
    }
    if (string_offset(spilled, request->first + low, &end, err) != 0 ||
        strings_check_held(decoder, end - begin, err) != 0)
        return -1;
    to = buf_reserve(&out->bytes, (size_t)(end - begin));
    if (to == NULL)
        return err_nomem(err, "strings");
    if (spill_read(spilled->entry, UNFOLD_BYTES, begin, to, (size_t)(end - begin), err) != 0)
        return -1;
    out->bytes.len += (size_t)(end - begin);
    out->nitems = (size_t)low;
    for (size_t k = 0, at = 0; k < low; k++, at += 4 + out->items[k - 1].len)
        out->items[k].len = get_le32(to + at);
    strings_point(out, 4);
    return 0;
}

/* Takes strings that are stored in any order. */
static int take_scattered(struct decoder *decoder, const struct spilled_strings *spilled,
                          const struct strings_request *request, struct strings *out,
                          struct err *err)
{
    const size_t most = out->nitems;

    for (out->nitems = 0; out->nitems < most; out->nitems++) {
        uint64_t at;
        uint8_t head[4], *to;
        uint32_t len;

        if (string_offset(spilled, request->first + out->nitems, &at, err) != 0 ||
            spill_read(spilled->entry, UNFOLD_BYTES, at, head, sizeof head, err) != 0)
            return -1;
        len = get_le32(head);
        if (out->nitems >= request->least && out->bytes.len + len > request->budget)
            break;
        if (strings_check_held(decoder, (uint64_t)out->bytes.len + len, err) != 0)
            return -1;
        to = buf_reserve(&out->bytes, len);
        if (to == NULL)
            return err_nomem(err, "strings");
        if (spill_read(spilled->entry, UNFOLD_BYTES, at + 4, to, len, err) != 0)
            return -1;
        out->bytes.len += len;
        out->items[out->nitems].len = len;
    }
    strings_point(out, 0);
    return 0;
}

int strings_spilled(struct decoder *decoder, struct chunk *chunk,
                    const struct strings_request *request, struct strings *out, struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    const uint64_t n = strings_count(request, sizeof(struct str), meta->chunk_elements);
    struct spilled_strings spilled = {.total = meta->chunk_elements};
    struct spill_entry *entry;
    int rc;

    decoder_scratch_reset(decoder);
    if (chunk_spilled(decoder, chunk, &entry, err) != 0)
        return -1;
    spilled.entry = entry;
    spilled.nbytes = spill_nbytes(entry, UNFOLD_BYTES);
    out->first = request->first;
    rc = strings_check_held(decoder, request->least * sizeof(struct str), err) != 0
             ? -1
             : strings_reserve(out, n, err);
    if (rc == 0)
        rc = meta->fortran ? take_scattered(decoder, &spilled, request, out, err)
                           : take_in_order(decoder, &spilled, request, out, err);
    spill_put(entry);
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->bytes.len;
    return rc;
}
