#include "encoderd/format/bgen_row.h"

#include "common/size.h"

#include <libdeflate.h>
#include <string.h>

#define FIXED_NBYTES  28 /* of a row beside the strings and the zlib stream, C and D included */
#define DATA_HEADER   8  /* N, number of alleles, Pmin, Pmax */
#define DATA_FIXED    10 /* the header, phased, bits */
#define ZLIB_HEADER   2
#define ADLER         4
#define STORED_MAX    UINT64_C(65535)
#define STORED_HEADER 5
#define PADDING_MAX   UINT64_C(65535)
#define BITS          8

static uint64_t data_nbytes(const struct bgen_shape *shape)
{
    return DATA_FIXED + (shape->ploidy + UINT64_C(1)) * shape->nsamples;
}

/* A zlib stream of stored blocks that holds n bytes. */
static uint64_t stored_nbytes(uint64_t n)
{
    return ZLIB_HEADER + STORED_HEADER * size_div_up(n, STORED_MAX) + n + ADLER;
}

uint64_t bgen_row_nbytes(const struct bgen_shape *shape)
{
    return FIXED_NBYTES + shape->strings + stored_nbytes(data_nbytes(shape));
}

static uint8_t *data_at(const struct bgen_shape *shape, uint8_t *row)
{
    return row + bgen_row_nbytes(shape) - ADLER - data_nbytes(shape);
}

uint8_t *bgen_row_ploidies(const struct bgen_shape *shape, uint8_t *row)
{
    return data_at(shape, row) + DATA_HEADER;
}

uint8_t *bgen_row_values(const struct bgen_shape *shape, uint8_t *row)
{
    return data_at(shape, row) + DATA_FIXED + shape->nsamples;
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

/* What is left to the padding ID of a row with `spare` bytes beside the strings' budget, and how many
 * bytes of it empty stored blocks have to take. */
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

/* Completes the probability data; returns where it begins, which is later the more haploid calls there
 * are. */
static uint8_t *finish_data(const struct bgen_shape *shape, bool phased, uint8_t *row,
                            uint64_t *nbytes)
{
    const uint64_t n = shape->nsamples;
    uint8_t *data = data_at(shape, row), *ploidies = data + DATA_HEADER;
    uint8_t *values = ploidies + n + 2;
    uint64_t haploid = n;

    if (shape->ploidy == 2) {
        haploid = bgen_count_haploid(ploidies, n);
        if (!phased && !shape->put_unphased)
            bgen_unphase(values, n);
        if (haploid > 0) {
            bgen_compact(ploidies, values, n);
            memmove(ploidies + haploid, ploidies, n);
            data += haploid;
            values += haploid;
        }
    }
    *nbytes = data_nbytes(shape) - (shape->ploidy == 2 ? haploid : 0);
    put_u16(put_u32(data, n), 2);
    data[6] = haploid > 0 ? 1 : 2;
    data[7] = haploid < n ? 2 : 1;
    values[-2] = phased;
    values[-1] = BITS;
    return data;
}

static uint8_t *put_stored_header(uint8_t *to, bool last, uint64_t n)
{
    *to++ = last;
    return put_u16(put_u16(to, n), ~n);
}

/* Writes the stream, whose data is in place from its last stored block on, and its data at `data`. */
static void put_stream(uint8_t *to, uint64_t empty, uint8_t *data, uint64_t nbytes)
{
    const uint32_t adler = libdeflate_adler32(1, data, nbytes);
    uint8_t *end = data + nbytes;

    *to++ = 0x78;
    *to++ = 0x01;
    while (empty-- > 0)
        to = put_stored_header(to, false, 0);
    while (nbytes > 0) {
        const uint64_t n = size_min(nbytes, STORED_MAX);

        memmove(to + STORED_HEADER, data, n);
        put_stored_header(to, n == nbytes, n);
        to += STORED_HEADER + n;
        data += n;
        nbytes -= n;
    }
    for (unsigned i = 0; i < ADLER; i++)
        end[i] = (uint8_t)(adler >> (24 - 8 * i));
}

void bgen_row_finish(const struct bgen_shape *shape, const struct site *site, bool phased,
                     uint8_t *row)
{
    uint64_t nbytes, empty, padding_nbytes, compressed;
    uint8_t *data = finish_data(shape, phased, row, &nbytes), *to;

    padding_nbytes =
        padding(shape, site, stored_nbytes(data_nbytes(shape)) - stored_nbytes(nbytes), &empty);
    compressed = stored_nbytes(nbytes) + empty * STORED_HEADER;
    to = put_strings(shape, site, padding_nbytes, row);
    to = put_u32(put_u32(to, 4 + compressed), nbytes);
    put_stream(to, empty, data, nbytes);
}
