/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/packet_shape.h"

#include <stdbool.h>

/* One value as its first bytes describe it. */
struct head {
    size_t size;    /* bytes of the header itself */
    uint64_t skip;  /* bytes of content that hold no further values */
    uint64_t nkids; /* values inside: elements, or keys and values */
};

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* What 0xc0 to 0xdf mean: bytes of length field, bytes of content on top of that length, and
 * whether the length counts bytes or values (2 per pair of a map). */
static const struct {
    uint8_t length_size, content, kids;
} forms[32] = {
    {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},             /* nil, (never used), false, true */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* bin */
    {1, 1, 0}, {2, 1, 0}, {4, 1, 0},                        /* ext, whose type takes a byte */
    {0, 4, 0}, {0, 8, 0},                                   /* float */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* uint */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* int */
    {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, {0, 17, 0}, /* fixext */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* str */
    {2, 0, 1}, {4, 0, 1},                                   /* array */
    {2, 0, 2}, {4, 0, 2},                                   /* map */
};

/* False if the header is cut off or is the one byte that msgpack never uses. */
static bool read_head(const uint8_t *p, size_t left, struct head *out)
{
    uint8_t first = p[0];
    uint64_t length;
    size_t i;

    *out = (struct head){.size = 1};
    if (first <= 0x7f || first >= 0xe0)
        return true;
    if (first < 0xc0) {
        if (first >= 0xa0)
            out->skip = first & 0x1f;
        else
            out->nkids = (first & 0xfu) * (first >= 0x90 ? 1u : 2u);
        return true;
    }
    i = first - 0xc0u;
    out->size += forms[i].length_size;
    if (first == 0xc1 || left < out->size)
        return false;
    length = big_endian(p + 1, forms[i].length_size);
    out->nkids = length * forms[i].kids;
    out->skip = forms[i].content + (forms[i].kids == 0 ? length : 0);
    return true;
}

int packet_shape_check(const void *packet, size_t len, struct err *err)
{
    const uint8_t *p = packet;
    uint64_t due[SHAPE_DEPTH_MAX + 1] = {1}; /* values still to come, per level */
    size_t depth = 0, pos = 0, nvalues = 0;
    struct head head;

    for (;;) {
        while (due[depth] == 0 && depth > 0)
            depth--;
        if (due[depth] == 0)
            break;
        due[depth]--;
        if (pos == len || !read_head(p + pos, len - pos, &head))
            return err_set(err, ERR_PEER, "packet is cut off or not msgpack at byte %zu", pos);
        pos += head.size;
        if (head.skip > len - pos || head.nkids > len - pos)
            return err_set(err, ERR_PEER, "packet promises more than it holds at byte %zu", pos);
        if (++nvalues > SHAPE_VALUES_MAX)
            return err_set(err, ERR_PEER, "packet holds more than %d values", SHAPE_VALUES_MAX);
        pos += head.skip;
        if (head.nkids == 0)
            continue;
        if (depth == SHAPE_DEPTH_MAX)
            return err_set(err, ERR_PEER, "packet is nested deeper than %d", SHAPE_DEPTH_MAX);
        due[++depth] = head.nkids;
    }
    if (pos != len)
        return err_set(err, ERR_PEER, "packet has %zu bytes after its end", len - pos);
    return 0;
}
