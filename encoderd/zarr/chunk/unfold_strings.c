/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_strings: checks strings of variable length in the temporary file, and finds their offsets.
 */
#include "common/bytes.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/strings_parts.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/meta/utf8.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>

/* Reads a text from front to back through a window. */
struct text_reader {
    struct unfold *u;
    uint64_t window; /* its begin */
    size_t n;        /* bytes in it */
};

/* Brings bytes [at, at + n) into the window; n is at most its room. */
static int look(struct text_reader *reader, uint64_t at, size_t n, const uint8_t **out,
                struct err *err)
{
    struct unfold *u = reader->u;

    if (at < reader->window || at + n > reader->window + reader->n) {
        reader->window = at;
        reader->n = (size_t)size_min(u->room, u->length - at);
        if (unfold_read(u, at, u->in, reader->n, err) != 0)
            return -1;
    }
    *out = u->in + (at - reader->window);
    return 0;
}

static int check_text(struct text_reader *reader, uint64_t k, uint64_t at, uint64_t n,
                      struct err *err)
{
    while (n > 0) {
        const size_t step = (size_t)size_min(n, reader->u->room);
        const uint8_t *text;
        size_t whole;

        if (look(reader, at, step, &text, err) != 0)
            return -1;
        whole = utf8_prefix(text, step);
        /* The last character of the part may continue in the next part. */
        if (whole < step && (step == n || whole + 3 < step))
            return strings_bad(k, "is not UTF-8", err);
        at += whole;
        n -= whole;
    }
    return 0;
}

/* Checks string k in stored order. Its length is at `*at`, which moves to the next one. */
static int check_string(struct text_reader *reader, uint64_t k, uint64_t *at, struct err *err)
{
    const uint64_t left = reader->u->length - *at;
    const uint8_t *head;
    uint32_t len;

    if (left < 4)
        return strings_bad(k, "runs past the end of the chunk", err);
    if (look(reader, *at, 4, &head, err) != 0)
        return -1;
    len = get_le32(head);
    if (len > left - 4)
        return strings_bad(k, "runs past the end of the chunk", err);
    *at += 4;
    if (check_text(reader, k, *at, len, err) != 0)
        return -1;
    *at += len;
    return 0;
}

/* Writes the offsets of strings in stored order: through a window, or each to its place. */
struct string_offsets {
    struct fortran_walk walk;
    size_t n; /* bytes in `out` */
};

static int put_offset(struct unfold *u, struct string_offsets *offsets, uint64_t at, bool last,
                      struct err *err)
{
    if (u->meta->fortran) {
        const uint64_t place = offsets->walk.at * sizeof at;

        fortran_next(&offsets->walk);
        return spill_write(u->entry, UNFOLD_OFFSETS, place, &at, sizeof at, err);
    }
    memcpy(u->out + offsets->n, &at, sizeof at);
    offsets->n += sizeof at;
    if (offsets->n < u->room && !last)
        return 0;
    if (spill_append(u->entry, UNFOLD_OFFSETS, u->out, offsets->n, err) != 0)
        return -1;
    offsets->n = 0;
    return 0;
}

int unfold_strings(struct unfold *u, struct err *err)
{
    const uint64_t total = u->meta->chunk_elements;
    struct text_reader reader = {.u = u};
    struct string_offsets offsets = {.n = 0};
    const uint8_t *head;
    uint64_t at = 4;

    /* The count may be wrong, but each string takes at least four bytes. */
    if (u->length / 4 <= total)
        return strings_bad(u->length / 4, "runs past the end of the chunk", err);
    if (look(&reader, 0, 4, &head, err) != 0)
        return -1;
    if (get_le32(head) != total)
        return err_set(err, ERR_CORRUPT, "it does not hold the %llu strings of a chunk; " DAMAGED,
                       (unsigned long long)total);
    if (spill_open(u->entry, UNFOLD_OFFSETS, total * sizeof at, err) != 0)
        return -1;
    fortran_begin(&offsets.walk, u->meta);
    for (uint64_t k = 0; k < total; k++) {
        const uint64_t begin = at;

        if (check_string(&reader, k, &at, err) != 0 ||
            put_offset(u, &offsets, begin, k + 1 == total, err) != 0)
            return -1;
    }
    return at == u->length ? 0 : strings_bad(total, "is one too many", err);
}
