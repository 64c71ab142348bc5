/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bgen_row.h"

#include "common/size.h"

#include <libdeflate.h>
#include <string.h>

#define FIXED_NBYTES  28 /* of a row besides the strings and the zlib stream, C and D included */
#define DATA_HEADER   8  /* N, number of alleles, Pmin, Pmax */
#define DATA_FIXED    10 /* the header, phased, bits */
#define ZLIB_HEADER   2
#define ADLER         4
#define STORED_MAX    UINT64_C(65535)
#define STORED_HEADER 5
#define PADDING_MAX   UINT64_C(65535)
#define BITS          8
#define ADLER_MODULUS 65521

static uint64_t data_nbytes(const struct bgen_shape *shape)
{
    return DATA_FIXED + (shape->ploidy + UINT64_C(1)) * shape->nsamples;
}

/* The size of a zlib stream of stored blocks that holds n bytes. */
static uint64_t stored_nbytes(uint64_t n)
{
    return ZLIB_HEADER + STORED_HEADER * size_div_up(n, STORED_MAX) + n + ADLER;
}

uint64_t bgen_row_nbytes(const struct bgen_shape *shape)
{
    return FIXED_NBYTES + shape->strings + stored_nbytes(data_nbytes(shape));
}

/* Where byte `i` of a row's data is, if all calls have the highest ploidy. */
static uint8_t *data_byte(const struct bgen_shape *shape, uint8_t *row, uint64_t i)
{
    const uint64_t nbytes = data_nbytes(shape), last = (nbytes - 1) / STORED_MAX;

    return row + bgen_row_nbytes(shape) - ADLER - nbytes - (last - i / STORED_MAX) * STORED_HEADER +
           i;
}

static uint64_t values_begin(const struct bgen_shape *shape)
{
    return DATA_FIXED + shape->nsamples;
}

/* The number of bytes from `i` on that are not separated by a block header. */
static uint64_t together(uint64_t i)
{
    return STORED_MAX - i % STORED_MAX;
}

struct bgen_piece bgen_row_piece(const struct bgen_shape *shape, uint8_t *row, uint64_t sample,
                                 uint64_t ncalls)
{
    const uint64_t ploidy_at = DATA_HEADER + sample;
    const uint64_t value_at = values_begin(shape) + sample * shape->ploidy;
    const uint64_t whole = together(value_at) / shape->ploidy;
    struct bgen_piece piece = {
        .ploidies = data_byte(shape, row, ploidy_at),
        .values = data_byte(shape, row, value_at),
        .ncalls = size_min(ncalls, size_min(together(ploidy_at), whole)),
    };

    if (whole == 0) {
        piece.second = data_byte(shape, row, value_at + 1);
        piece.ncalls = 1;
    }
    return piece;
}

void bgen_row_add(const struct bgen_shape *shape, uint64_t sample, const struct bgen_sums *sums,
                  uint64_t row_sums[BGEN_NSUMS])
{
    const uint64_t ploidy_at = DATA_HEADER + sample;
    const uint64_t value_at = values_begin(shape) + sample * shape->ploidy;

    row_sums[BGEN_SUM_BYTES] += 255 * sums->set + BGEN_MISSING * sums->missing;
    row_sums[BGEN_SUM_WEIGHTED] +=
        (255 * (value_at * sums->set + sums->set_weighted) +
         BGEN_MISSING * (ploidy_at * sums->missing + sums->missing_weighted)) %
        ADLER_MODULUS;
    row_sums[BGEN_SUM_HAPLOID] += sums->haploid;
}

struct str bgen_row_alt(const struct site *site)
{
    return site->nalleles > 1 ? site->alleles[1] : (struct str){.at = ".", .len = 1};
}

static uint64_t strings_nbytes(const struct site *site)
{
    return site->contig.len + site->id.len + site->alleles[0].len + bgen_row_alt(site).len;
}

uint64_t bgen_row_strings_needed(const struct site *site)
{
    return strings_nbytes(site) + 1;
}

/* The length of the padding ID of a row whose data leaves `spare` bytes unused, and the number of
 * empty stored blocks that take up the rest. */
static uint64_t padding(const struct bgen_shape *shape, const struct site *site, uint64_t spare,
                        uint64_t *empty)
{
    uint64_t length = shape->strings - strings_nbytes(site) + spare % STORED_HEADER;

    *empty = spare / STORED_HEADER;
    if (length > PADDING_MAX) {
        const uint64_t more = size_div_up(length - PADDING_MAX, STORED_HEADER);

        *empty += more;
        length -= more * STORED_HEADER;
    }
    return length;
}

uint64_t bgen_row_padding(const struct bgen_shape *shape, const struct site *site)
{
    uint64_t empty;

    return padding(shape, site, 0, &empty);
}

static uint8_t *put_u16(uint8_t *to, uint64_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static uint8_t *put_u32(uint8_t *to, uint64_t value)
{
    return put_u16(put_u16(to, value), value >> 16);
}

static uint8_t *put_bytes(uint8_t *to, const struct str *text)
{
    memcpy(to, text->at, text->len);
    return to + text->len;
}

static uint8_t *put_padding(uint8_t *to, char pad, uint64_t length)
{
    to = put_u16(to, length);
    memset(to, pad, length);
    to[0] = '.';
    return to + length;
}

static uint8_t *put_strings(const struct bgen_shape *shape, const struct site *site,
                            uint64_t padding_nbytes, uint8_t *to)
{
    const struct str alt = bgen_row_alt(site);

    if (!shape->id_in_varid)
        to = put_padding(to, shape->pad, padding_nbytes);
    to = put_bytes(put_u16(to, site->id.len), &site->id);
    if (shape->id_in_varid)
        to = put_padding(to, shape->pad, padding_nbytes);
    to = put_bytes(put_u16(to, site->contig.len), &site->contig);
    to = put_u16(put_u32(to, (uint64_t)site->position), 2);
    to = put_bytes(put_u32(to, site->alleles[0].len), &site->alleles[0]);
    return put_bytes(put_u32(to, alt.len), &alt);
}

/* ---- the checksum ---- */

/* What the bytes of some data add up to. */
struct sums {
    uint64_t bytes, weighted; /* weighted: each byte times its index, as a residue */
};

static void add_byte(struct sums *sums, uint64_t i, uint64_t byte)
{
    sums->bytes += byte;
    sums->weighted += i % ADLER_MODULUS * byte;
}

/* Adds n equal bytes, from index `begin` on. */
static void add_bytes(struct sums *sums, uint64_t begin, uint64_t n, uint64_t byte)
{
    const uint64_t ends = begin + begin + n - 1; /* twice the mean index */
    const uint64_t indexes = n % 2 == 0 ? n / 2 % ADLER_MODULUS * (ends % ADLER_MODULUS)
                                        : n % ADLER_MODULUS * (ends / 2 % ADLER_MODULUS);

    sums->bytes += n * byte;
    sums->weighted += indexes % ADLER_MODULUS * byte;
}

static uint32_t adler_of(const struct sums *sums, uint64_t nbytes)
{
    const uint64_t n = nbytes % ADLER_MODULUS, bytes = sums->bytes % ADLER_MODULUS;
    const uint64_t low = (1 + bytes) % ADLER_MODULUS;
    const uint64_t high =
        (n + n * bytes + ADLER_MODULUS - sums->weighted % ADLER_MODULUS) % ADLER_MODULUS;

    return (uint32_t)(high << 16 | low);
}

/* The checksum of the data, made by reading all of it. */
static uint32_t adler_of_data(const struct bgen_shape *shape, uint8_t *row)
{
    const uint64_t nbytes = data_nbytes(shape);
    uint32_t adler = 1;

    for (uint64_t i = 0; i < nbytes; i += STORED_MAX)
        adler = libdeflate_adler32(adler, data_byte(shape, row, i),
                                   (size_t)size_min(nbytes - i, STORED_MAX));
    return adler;
}

/* ---- the data ---- */

struct facts {
    bool phased;
    uint64_t haploid; /* calls */
};

static void put_data_header(const struct bgen_shape *shape, const struct facts *facts,
                            uint8_t header[DATA_HEADER])
{
    put_u16(put_u32(header, shape->nsamples), 2);
    header[6] = facts->haploid > 0 ? 1 : 2;
    header[7] = facts->haploid < shape->nsamples ? 2 : 1;
}

/* Writes the bytes of the data that are not written by kernels. */
static void put_rest_of_data(const struct bgen_shape *shape, const struct facts *facts,
                             uint8_t *row, struct sums *sums)
{
    const uint64_t flags = values_begin(shape) - 2;
    uint8_t header[DATA_HEADER];

    put_data_header(shape, facts, header);
    for (uint64_t i = 0; i < DATA_HEADER; i++) {
        *data_byte(shape, row, i) = header[i];
        add_byte(sums, i, header[i]);
    }
    *data_byte(shape, row, flags) = facts->phased;
    *data_byte(shape, row, flags + 1) = BITS;
    add_byte(sums, flags, facts->phased);
    add_byte(sums, flags + 1, BITS);
    add_bytes(sums, DATA_HEADER, shape->nsamples, shape->ploidy);
}

static void unphase(const struct bgen_shape *shape, uint8_t *row)
{
    for (uint64_t sample = 0, n; sample < shape->nsamples; sample += n) {
        const struct bgen_piece piece =
            bgen_row_piece(shape, row, sample, shape->nsamples - sample);
        uint8_t pair[2];

        n = piece.ncalls;
        if (piece.second == NULL) {
            bgen_unphase(piece.values, n);
            continue;
        }
        pair[0] = *piece.values;
        pair[1] = *piece.second;
        bgen_unphase(pair, 1);
        *piece.values = pair[0];
        *piece.second = pair[1];
    }
}

/* Removes the gaps for block headers from the data, whose end stays where it is. */
static uint8_t *close_gaps(const struct bgen_shape *shape, uint8_t *row)
{
    const uint64_t nbytes = data_nbytes(shape);
    uint8_t *to = row + bgen_row_nbytes(shape) - ADLER - nbytes;

    for (uint64_t block = (nbytes - 1) / STORED_MAX; block-- > 0;)
        memmove(to + block * STORED_MAX, data_byte(shape, row, block * STORED_MAX), STORED_MAX);
    return to;
}

/* Removes the gaps and the unused bytes of haploid calls; returns where the data now begins. */
static uint8_t *compact(const struct bgen_shape *shape, const struct facts *facts, uint8_t *row)
{
    const uint64_t n = shape->nsamples;
    uint8_t *data = close_gaps(shape, row), *ploidies = data + DATA_HEADER;
    uint8_t *values = data + values_begin(shape);

    bgen_compact(ploidies, values, n);
    memmove(ploidies + facts->haploid, ploidies, n);
    data += facts->haploid;
    values += facts->haploid;
    put_data_header(shape, facts, data);
    values[-2] = facts->phased;
    values[-1] = BITS;
    return data;
}

/* ---- the stream ---- */

static uint8_t *put_stored_header(uint8_t *to, bool last, uint64_t n)
{
    *to++ = last;
    return put_u16(put_u16(to, n), ~n);
}

/* Writes the stream up to its first block with data. */
static uint8_t *begin_stream(uint8_t *to, uint64_t empty)
{
    *to++ = 0x78;
    *to++ = 0x01;
    while (empty-- > 0)
        to = put_stored_header(to, false, 0);
    return to;
}

static void end_stream(const struct bgen_shape *shape, uint32_t adler, uint8_t *row)
{
    uint8_t *at = row + bgen_row_nbytes(shape) - ADLER;

    for (unsigned i = 0; i < ADLER; i++)
        at[i] = (uint8_t)(adler >> (24 - 8 * i));
}

/* Writes block headers around data that is in its place already. */
static void put_headers(const struct bgen_shape *shape, uint8_t *row)
{
    const uint64_t nbytes = data_nbytes(shape);

    for (uint64_t i = 0; i < nbytes; i += STORED_MAX) {
        const uint64_t n = size_min(nbytes - i, STORED_MAX);

        put_stored_header(data_byte(shape, row, i) - STORED_HEADER, i + n == nbytes, n);
    }
}

/* Moves data without gaps from the row's end to its blocks. */
static void put_blocks(uint8_t *to, const uint8_t *data, uint64_t nbytes)
{
    while (nbytes > 0) {
        const uint64_t n = size_min(nbytes, STORED_MAX);

        memmove(to + STORED_HEADER, data, n);
        put_stored_header(to, n == nbytes, n);
        to += STORED_HEADER + n;
        data += n;
        nbytes -= n;
    }
}

/* Writes what precedes the data's blocks, for nbytes of data; returns where the blocks begin. */
static uint8_t *put_front(const struct bgen_shape *shape, const struct site *site, uint64_t nbytes,
                          uint8_t *row)
{
    uint64_t empty, compressed;
    const uint64_t spare = stored_nbytes(data_nbytes(shape)) - stored_nbytes(nbytes);
    const uint64_t padding_nbytes = padding(shape, site, spare, &empty);
    uint8_t *to = put_strings(shape, site, padding_nbytes, row);

    compressed = stored_nbytes(nbytes) + empty * STORED_HEADER;
    to = put_u32(put_u32(to, 4 + compressed), nbytes);
    return begin_stream(to, empty);
}

static void finish_mixed(const struct bgen_shape *shape, const struct site *site,
                         const struct facts *facts, uint8_t *row)
{
    const uint64_t nbytes = data_nbytes(shape) - facts->haploid;
    const uint8_t *data = compact(shape, facts, row);
    const uint32_t adler = libdeflate_adler32(1, data, nbytes);

    put_blocks(put_front(shape, site, nbytes, row), data, nbytes);
    end_stream(shape, adler, row);
}

void bgen_row_finish(const struct bgen_shape *shape, const struct site *site, bool phased,
                     const uint64_t row_sums[BGEN_NSUMS], uint8_t *row)
{
    const bool turn = shape->ploidy == 2 && !phased && shape->phased;
    const struct facts facts = {
        .phased = phased,
        .haploid = shape->ploidy == 1 ? shape->nsamples : row_sums[BGEN_SUM_HAPLOID],
    };
    struct sums sums = {row_sums[BGEN_SUM_BYTES], row_sums[BGEN_SUM_WEIGHTED]};

    if (turn)
        unphase(shape, row);
    if (shape->ploidy == 2 && facts.haploid > 0) {
        finish_mixed(shape, site, &facts, row);
        return;
    }
    put_rest_of_data(shape, &facts, row, &sums);
    put_front(shape, site, data_nbytes(shape), row);
    put_headers(shape, row);
    end_stream(shape, turn ? adler_of_data(shape, row) : adler_of(&sums, data_nbytes(shape)), row);
}
