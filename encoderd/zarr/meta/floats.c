/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/floats.h"

#include <math.h>
#include <string.h>

#define HALF_EXPONENT 0x7c00
#define HALF_MANTISSA 0x03ff
#define HALF_SIGN     0x8000

/* How far the payload of a float64 NaN is shifted if the NaN was converted from a float32.
 * Otherwise the payload begins at the lowest bit. */
#define PAYLOAD_WIDENED 29

double half_to_double(uint16_t half)
{
    int exponent = (half & HALF_EXPONENT) >> 10;
    double value = half & HALF_MANTISSA;

    if (exponent == 31)
        value = value > 0 ? NAN : INFINITY;
    else if (exponent > 0)
        value = ldexp(value + 1024, exponent - 25);
    else
        value = ldexp(value, -24);
    return (half & HALF_SIGN) != 0 ? -value : value;
}

/* Rounds a value below 4096 to the nearest integer, ties to even. */
static int round_even(double value)
{
    int whole = (int)value;
    double rest = value - whole;

    return whole + (rest > 0.5 || (rest == 0.5 && whole % 2 == 1));
}

uint16_t half_from_double(double value)
{
    uint16_t sign = signbit(value) ? HALF_SIGN : 0;
    double size = fabs(value);
    int exponent;

    if (isnan(value))
        return 0x7e00;
    if (size >= 65520)
        return sign | HALF_EXPONENT;
    frexp(size, &exponent);
    /* Below 2^-14 the steps are 2^-24; above, a 1024th of the power of two. */
    if (size < 0x1p-14)
        return (uint16_t)(sign | (uint16_t)round_even(ldexp(size, 24)));
    /* Addition is right also if rounding makes the mantissa overflow: the carry increases the
     * exponent by one. */
    return (uint16_t)(sign | (uint16_t)(((exponent + 14) << 10) +
                                        round_even(ldexp(size, 11 - exponent)) - 1024));
}

static enum zarr_float kind_of_payload(uint64_t payload)
{
    return payload == 1 ? ZARR_FLOAT_MISSING : payload == 2 ? ZARR_FLOAT_FILL : ZARR_FLOAT_VALUE;
}

static enum zarr_float read_half(const uint8_t *at, double *out)
{
    uint16_t bits;

    memcpy(&bits, at, sizeof bits);
    *out = half_to_double(bits);
    return isnan(*out) ? kind_of_payload(bits & (HALF_MANTISSA >> 1)) : ZARR_FLOAT_VALUE;
}

static enum zarr_float read_single(const uint8_t *at, double *out)
{
    uint32_t bits;
    float value;

    memcpy(&bits, at, sizeof bits);
    memcpy(&value, at, sizeof value);
    *out = isnan(value) ? NAN : (double)value;
    return isnan(value) ? kind_of_payload(bits & 0x3fffff) : ZARR_FLOAT_VALUE;
}

static enum zarr_float read_double(const uint8_t *at, double *out)
{
    uint64_t bits;

    memcpy(&bits, at, sizeof bits);
    memcpy(out, at, sizeof *out);
    if (!isnan(*out))
        return ZARR_FLOAT_VALUE;
    *out = NAN;
    bits &= (UINT64_C(1) << 51) - 1;
    if (bits != 0 && bits % (UINT64_C(1) << PAYLOAD_WIDENED) == 0)
        bits >>= PAYLOAD_WIDENED;
    return kind_of_payload(bits);
}

void zarr_floats(const struct dtype *dtype, const uint8_t *data, size_t n, double *out,
                 uint8_t *kinds)
{
    for (size_t k = 0; k < n; k++, data += dtype->size) {
        enum zarr_float kind = dtype->size == 2   ? read_half(data, &out[k])
                               : dtype->size == 4 ? read_single(data, &out[k])
                                                  : read_double(data, &out[k]);

        if (kinds != NULL)
            kinds[k] = (uint8_t)kind;
    }
}
