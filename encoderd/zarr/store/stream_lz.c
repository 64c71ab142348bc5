/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/stream_lz.h"

#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>

#define BLOSCLZ_NEAR 8191

static int damaged(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its compressed data does not decompress; " DAMAGED);
}

static int take_byte(struct stream_in *in, uint32_t *out, struct err *err)
{
    if (in->at == in->n && (stream_in_left(in) == 0 ? damaged(err) : stream_in_more(in, err)) != 0)
        return -1;
    *out = in->bytes[in->at++];
    return 0;
}

static int take_number(struct stream_in *in, unsigned nbytes, uint64_t *out, struct err *err)
{
    uint32_t byte;

    *out = 0;
    for (unsigned i = 0; i < nbytes; i++) {
        if (take_byte(in, &byte, err) != 0)
            return -1;
        *out |= (uint64_t)byte << (8 * i);
    }
    return 0;
}

/* Reads a length. If the token has the value `most`, bytes follow that are added; the last one is
 * not 255. */
static int take_length(struct stream_in *in, uint32_t first, uint32_t most, uint64_t *out,
                       struct err *err)
{
    uint32_t byte = 255;

    for (*out = first; first == most && byte == 255; *out += byte)
        if (take_byte(in, &byte, err) != 0)
            return -1;
    return 0;
}

/* Reads a sequence: a token, literals, and a match. The last sequence has only literals. */
static int next_lz4(struct stream_lz *lz, struct stream_in *in, struct err *err)
{
    const uint32_t match = (uint32_t)lz->token & 15;
    uint32_t token;

    if (lz->begun && lz->token >= 0) {
        lz->token = -1;
        if (take_number(in, 2, &lz->distance, err) != 0 ||
            take_length(in, match, 15, &lz->match, err) != 0)
            return -1;
        lz->match += 4;
        return 0;
    }
    if (take_byte(in, &token, err) != 0)
        return -1;
    lz->token = (int)token;
    return take_length(in, token >> 4, 15, &lz->literals, err);
}

static int next_blosclz(struct stream_lz *lz, struct stream_in *in, struct err *err)
{
    uint32_t control, code, far[2];

    if (take_byte(in, &control, err) != 0)
        return -1;
    /* The first sequence is always literals, whatever the upper bits of its control byte are. */
    if (!lz->begun || control < 32) {
        lz->literals = (control & 31) + 1;
        return 0;
    }
    if (take_length(in, (control >> 5) - 1, 6, &lz->match, err) != 0 ||
        take_byte(in, &code, err) != 0)
        return -1;
    lz->match += 3;
    lz->distance = ((control & 31) << 8) + code + 1;
    if (lz->distance <= BLOSCLZ_NEAR)
        return 0;
    if (take_byte(in, &far[0], err) != 0 || take_byte(in, &far[1], err) != 0)
        return -1;
    lz->distance = (far[0] << 8) + far[1] + BLOSCLZ_NEAR + 1;
    return 0;
}

/* Reads the size of the contents, seven bits in each byte. */
static int snappy_begin(struct stream_in *in, struct err *err)
{
    uint64_t nbytes = 0;
    uint32_t byte = 0x80;

    for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
        if (shift > 28)
            return damaged(err);
        if (take_byte(in, &byte, err) != 0)
            return -1;
        nbytes |= (uint64_t)(byte & 0x7f) << shift;
    }
    return nbytes == in->spec->nbytes ? 0 : damaged(err);
}

static int next_snappy(struct stream_lz *lz, struct stream_in *in, struct err *err)
{
    uint32_t tag, low;

    if ((!lz->begun && snappy_begin(in, err) != 0) || take_byte(in, &tag, err) != 0)
        return -1;
    switch (tag & 3) {
    case 0:
        lz->literals = tag >> 2;
        if (lz->literals >= 60 &&
            take_number(in, (unsigned)lz->literals - 59, &lz->literals, err) != 0)
            return -1;
        lz->literals++;
        return 0;
    case 1:
        lz->match = (tag >> 2 & 7) + 4;
        if (take_byte(in, &low, err) != 0)
            return -1;
        lz->distance = (tag >> 5) << 8 | low;
        return 0;
    default:
        lz->match = (tag >> 2) + 1;
        return take_number(in, (tag & 3) == 2 ? 2 : 4, &lz->distance, err);
    }
}

static int next_sequence(struct stream_lz *lz, struct stream_in *in, struct err *err)
{
    const uint64_t left = in->spec->nbytes - lz->made;
    const int rc = in->spec->kind == STREAM_LZ4       ? next_lz4(lz, in, err)
                   : in->spec->kind == STREAM_BLOSCLZ ? next_blosclz(lz, in, err)
                                                      : next_snappy(lz, in, err);

    if (rc != 0)
        return -1;
    lz->begun = true;
    if (lz->literals > left || lz->match > left || lz->literals > stream_in_left(in) ||
        (lz->match > 0 &&
         (lz->distance == 0 || lz->distance > size_min(lz->made, STREAM_LZ_HISTORY))))
        return damaged(err);
    lz->made += lz->literals + lz->match;
    return 0;
}

/* Moves the window, and keeps the bytes that a match may refer to. */
static void slide(struct stream_lz *lz)
{
    if (lz->n < sizeof lz->window)
        return;
    memmove(lz->window, lz->window + lz->n - STREAM_LZ_HISTORY, STREAM_LZ_HISTORY);
    lz->n = STREAM_LZ_HISTORY;
}

/* Copies byte by byte, because a match may overlap its own output. */
static void copy_match(uint8_t *to, size_t distance, size_t n)
{
    if (distance >= n)
        memcpy(to, to - distance, n);
    else if (distance == 1)
        memset(to, to[-1], n);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = *(to + i - distance);
}

/* Makes at most n bytes of the present sequence. */
static int go_on(struct stream_lz *lz, struct stream_in *in, size_t n, struct err *err)
{
    uint8_t *to = lz->window + lz->n;

    if (lz->match > 0) {
        n = size_min(n, lz->match);
        copy_match(to, (size_t)lz->distance, n);
        lz->match -= n;
    } else {
        if (lz->literals > 0 && in->at == in->n && stream_in_more(in, err) != 0)
            return -1;
        n = size_min(size_min(n, lz->literals), in->n - in->at);
        memcpy(to, in->bytes + in->at, n);
        in->at += n;
        lz->literals -= n;
    }
    lz->n += n;
    return 0;
}

static bool is_over(const struct stream_lz *lz, const struct stream_in *in)
{
    return lz->literals == 0 && lz->match == 0 && stream_in_left(in) == 0 && lz->begun &&
           (in->spec->kind != STREAM_LZ4 || lz->token >= 0);
}

int stream_lz_step(struct stream_lz *lz, struct stream_in *in, uint8_t *to, size_t n, size_t *got,
                   struct err *err)
{
    size_t begin, end;

    slide(lz);
    begin = lz->n;
    end = size_min(begin + n, sizeof lz->window);
    for (lz->ended = false; lz->n < end && !lz->ended; lz->ended = is_over(lz, in)) {
        if (lz->literals == 0 && lz->match == 0 && next_sequence(lz, in, err) != 0)
            return -1;
        if (go_on(lz, in, end - lz->n, err) != 0)
            return -1;
    }
    *got = lz->n - begin;
    memcpy(to, lz->window + begin, *got);
    return lz->ended && lz->made != in->spec->nbytes ? damaged(err) : 0;
}
