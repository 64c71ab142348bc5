/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/lz.h"

#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"

#include <stdbool.h>
#include <string.h>

/* How far back a match may lie. */
#define HISTORY ((size_t)80 << 10)

#define BLOSCLZ_NEAR 8191

struct lz {
    const struct lz_spec *spec;
    struct err *err;
    bool failed;    /* *err is set */
    uint64_t taken; /* compressed bytes that are in the window or were */
    size_t in_at, in_n;
    uint64_t made;      /* all in all */
    size_t out_n;       /* in the window */
    size_t out_written; /* of those */
};

static bool fail(struct lz *lz)
{
    if (!lz->failed)
        err_set(lz->err, ERR_CORRUPT, "its compressed data does not decompress; " DAMAGED);
    lz->failed = true;
    return false;
}

static uint64_t input_left(const struct lz *lz)
{
    return lz->spec->length - lz->taken + (lz->in_n - lz->in_at);
}

static bool refill(struct lz *lz)
{
    const struct lz_spec *spec = lz->spec;
    const size_t n = (size_t)size_min(spec->in_size, spec->length - lz->taken);

    if (n == 0)
        return fail(lz);
    if (spec->read(spec->arg, lz->taken, spec->in, n, lz->err) != 0) {
        lz->failed = true;
        return false;
    }
    lz->taken += n;
    lz->in_at = 0;
    lz->in_n = n;
    return true;
}

static bool take_byte(struct lz *lz, uint32_t *out)
{
    if (lz->in_at == lz->in_n && !refill(lz))
        return false;
    *out = lz->spec->in[lz->in_at++];
    return true;
}

static bool take_number(struct lz *lz, unsigned nbytes, uint32_t *out)
{
    uint32_t byte;

    *out = 0;
    for (unsigned i = 0; i < nbytes; i++) {
        if (!take_byte(lz, &byte))
            return false;
        *out |= byte << (8 * i);
    }
    return true;
}

/* Writes what is in the window, and keeps of it what a match may want. */
static bool flush(struct lz *lz)
{
    const struct lz_spec *spec = lz->spec;
    const size_t keep = (size_t)size_min(lz->out_n, HISTORY);

    if (spec->write(spec->arg, spec->out + lz->out_written, lz->out_n - lz->out_written, lz->err) !=
        0) {
        lz->failed = true;
        return false;
    }
    memmove(spec->out, spec->out + lz->out_n - keep, keep);
    lz->out_n = lz->out_written = keep;
    return true;
}

static bool literals(struct lz *lz, uint64_t n)
{
    if (n > lz->spec->nbytes - lz->made || n > input_left(lz))
        return fail(lz);
    lz->made += n;
    while (n > 0) {
        size_t step;

        if ((lz->in_at == lz->in_n && !refill(lz)) ||
            (lz->out_n == lz->spec->out_size && !flush(lz)))
            return false;
        step = (size_t)size_min(size_min(n, lz->in_n - lz->in_at), lz->spec->out_size - lz->out_n);
        memcpy(lz->spec->out + lz->out_n, lz->spec->in + lz->in_at, step);
        lz->in_at += step;
        lz->out_n += step;
        n -= step;
    }
    return true;
}

static bool match(struct lz *lz, uint64_t distance, uint64_t n)
{
    if (n > lz->spec->nbytes - lz->made || distance == 0 || distance > lz->made ||
        distance > HISTORY)
        return fail(lz);
    lz->made += n;
    while (n > 0) {
        uint8_t *to;
        size_t step;

        if (lz->out_n == lz->spec->out_size && !flush(lz))
            return false;
        to = lz->spec->out + lz->out_n;
        step = (size_t)size_min(n, lz->spec->out_size - lz->out_n);
        lz->out_n += step;
        n -= step;
        /* It may overlap with what it makes. */
        if (distance >= step)
            memcpy(to, to - distance, step);
        else if (distance == 1)
            memset(to, to[-1], step);
        else
            for (size_t i = 0; i < step; i++)
                to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
    }
    return true;
}

/* A length of `most` in its token goes on in bytes, the last of which is not 255. */
static bool take_length(struct lz *lz, uint32_t first, uint32_t most, uint64_t *out)
{
    uint32_t byte = 255;

    *out = first;
    while (first == most && byte == 255) {
        if (!take_byte(lz, &byte))
            return false;
        *out += byte;
    }
    return true;
}

/* Sequences of a token, literals, and a match; the last one is literals only. */
static bool lz4(struct lz *lz)
{
    for (;;) {
        uint32_t token, distance;
        uint64_t n;

        if (!take_byte(lz, &token) || !take_length(lz, token >> 4, 15, &n) || !literals(lz, n))
            return false;
        if (input_left(lz) == 0)
            return true;
        if (!take_number(lz, 2, &distance) || !take_length(lz, token & 15, 15, &n) ||
            !match(lz, distance, n + 4))
            return false;
    }
}

static bool blosclz_match(struct lz *lz, uint32_t control)
{
    uint32_t code, high = (control & 31) << 8;
    uint64_t n, distance;

    if (!take_length(lz, (control >> 5) - 1, 6, &n) || !take_byte(lz, &code))
        return false;
    distance = (uint64_t)high + code + 1;
    if (code == 255 && high == 31 << 8) {
        uint32_t a, b;

        if (!take_byte(lz, &a) || !take_byte(lz, &b))
            return false;
        distance = (uint64_t)(a << 8) + b + BLOSCLZ_NEAR + 1;
    }
    return match(lz, distance, n + 3);
}

static bool blosclz(struct lz *lz)
{
    uint32_t control;

    if (!take_byte(lz, &control))
        return false;
    /* What comes first is literals, whatever its upper bits say. */
    for (control &= 31;;) {
        if (!(control >= 32 ? blosclz_match(lz, control) : literals(lz, (uint64_t)control + 1)))
            return false;
        if (input_left(lz) == 0)
            return true;
        if (!take_byte(lz, &control))
            return false;
    }
}

static bool snappy_literals(struct lz *lz, uint32_t tag)
{
    uint32_t n = tag >> 2;

    if (n >= 60 && !take_number(lz, n - 59, &n))
        return false;
    return literals(lz, (uint64_t)n + 1);
}

static bool snappy_copy(struct lz *lz, uint32_t tag)
{
    uint32_t low;

    if ((tag & 3) == 1)
        return take_byte(lz, &low) && match(lz, (tag >> 5) << 8 | low, (tag >> 2 & 7) + 4);
    return take_number(lz, (tag & 3) == 2 ? 2 : 4, &low) && match(lz, low, (tag >> 2) + 1);
}

static bool snappy(struct lz *lz)
{
    uint64_t nbytes = 0;
    uint32_t byte = 0x80;

    for (unsigned shift = 0; (byte & 0x80) != 0; shift += 7) {
        if (shift > 28)
            return fail(lz);
        if (!take_byte(lz, &byte))
            return false;
        nbytes |= (uint64_t)(byte & 0x7f) << shift;
    }
    if (nbytes != lz->spec->nbytes)
        return fail(lz);
    while (input_left(lz) > 0) {
        if (!take_byte(lz, &byte) ||
            !((byte & 3) == 0 ? snappy_literals(lz, byte) : snappy_copy(lz, byte)))
            return false;
    }
    return true;
}

int lz_decompress(const struct lz_spec *spec, struct err *err)
{
    struct lz lz = {.spec = spec, .err = err};
    bool ok = spec->kind == LZ_LZ4       ? lz4(&lz)
              : spec->kind == LZ_BLOSCLZ ? blosclz(&lz)
                                         : snappy(&lz);

    if (ok)
        ok = (lz.made == spec->nbytes && input_left(&lz) == 0) || fail(&lz);
    return ok && flush(&lz) ? 0 : -1;
}
