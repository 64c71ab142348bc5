/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_fill: fill values, which are the elements of absent chunks.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/meta/floats.h"
#include "encoderd/zarr/meta/json_text.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Limited, because each element of each absent chunk repeats the text. Real fill values are "", "."
 * or a word. */
#define FILL_STRING_MAX 1024

static int bad_fill(const char *array, const struct zarr_meta *meta, struct err *err)
{
    char name[24];

    return err_set(err, ERR_CORRUPT, "%s: its fill_value is not a value of its type, %s", array,
                   dtype_name(&meta->dtype, name, sizeof name));
}

static int fill_bool(const char *array, const json_t *value, struct zarr_meta *meta,
                     struct err *err)
{
    bool number =
        json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= 1;

    if (!json_is_boolean(value) && !number)
        return bad_fill(array, meta, err);
    meta->fill[0] = json_is_true(value) || (number && json_integer_value(value) == 1);
    return 0;
}

static void store_native(int64_t value, uint32_t size, uint8_t fill[8])
{
    uint64_t bits = (uint64_t)value;

    switch (size) {
    case 1:
        fill[0] = (uint8_t)bits;
        break;
    case 2:
        memcpy(fill, &(uint16_t){(uint16_t)bits}, 2);
        break;
    case 4:
        memcpy(fill, &(uint32_t){(uint32_t)bits}, 4);
        break;
    default:
        memcpy(fill, &bits, 8);
    }
}

/* An unsigned 64-bit number that the JSON reader cannot hold comes as the text of its digits. */
static bool fill_wide(const json_t *value, struct zarr_meta *meta)
{
    const char *text = json_text_python(value);
    uint64_t number;

    if (text == NULL || meta->dtype.kind != DTYPE_UINT || meta->dtype.size != 8 ||
        strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    number = strtoull(text, NULL, 10);
    if (errno != 0 || number <= INT64_MAX)
        return false;
    store_native((int64_t)number, 8, meta->fill);
    return true;
}

static int fill_int(const char *array, const json_t *value, struct zarr_meta *meta, struct err *err)
{
    bool is_signed = meta->dtype.kind == DTYPE_INT;
    unsigned bits = meta->dtype.size * 8 - is_signed;
    int64_t max = bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
    int64_t min = is_signed ? -max - 1 : 0;
    int64_t number = json_integer_value(value);

    if (fill_wide(value, meta))
        return 0;
    /* Some writers convert the fill value from a float and write integers as "0.0". */
    if (json_is_real(value)) {
        double real = json_real_value(value);

        if (!(real >= -9007199254740992.0 && real <= 9007199254740992.0))
            return bad_fill(array, meta, err);
        number = (int64_t)real;
        if ((double)number != real)
            return bad_fill(array, meta, err);
    } else if (!json_is_integer(value)) {
        return bad_fill(array, meta, err);
    }
    if (number < min || number > max)
        return bad_fill(array, meta, err);
    store_native(number, meta->dtype.size, meta->fill);
    return 0;
}

static void store_float(double value, uint32_t size, uint8_t fill[8])
{
    uint16_t half = half_from_double(value);
    float single = (float)value;

    if (size == 2)
        memcpy(fill, &half, 2);
    else if (size == 4)
        memcpy(fill, &single, 4);
    else
        memcpy(fill, &value, 8);
}

static bool float_by_name(const char *text, double *out)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, text) == 0) {
            *out = names[i].value;
            return true;
        }
    return false;
}

/* v3 writes a NaN with a payload as its bits: "0x7f800001". */
static bool float_by_bits(const char *text, uint32_t size, uint8_t fill[8])
{
    size_t digits = (size_t)size * 2;
    uint64_t bits;

    if (strncmp(text, "0x", 2) != 0 || strlen(text) != digits + 2 ||
        strspn(text + 2, "0123456789abcdefABCDEF") != digits)
        return false;
    bits = strtoull(text + 2, NULL, 16);
    store_native((int64_t)bits, size, fill);
    return true;
}

static int fill_float(const char *array, const json_t *value, struct zarr_meta *meta,
                      struct err *err)
{
    const char *python = json_text_python(value);
    const char *text = python != NULL ? python : json_string_value(value);
    double number = json_number_value(value);

    if (text != NULL && float_by_bits(text, meta->dtype.size, meta->fill))
        return 0;
    if (!json_is_number(value) && (text == NULL || !float_by_name(text, &number)))
        return bad_fill(array, meta, err);
    store_float(number, meta->dtype.size, meta->fill);
    return 0;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Decodes into `out`, which has room for strlen(text) bytes. Returns the decoded size, or -1. */
static ssize_t base64_decode(const char *text, char *out)
{
    size_t n = strcspn(text, "="), used = 0;
    uint32_t bits = 0;

    if (strlen(text) % 4 != 0 || strlen(text) - n > 2 || strspn(text + n, "=") != strlen(text) - n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int digit = base64_digit(text[i]);

        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            out[used++] = (char)(bits >> (6 - i % 4 * 2));
    }
    return (ssize_t)used;
}

static int fill_bytes(const char *array, const char *text, struct zarr_meta *meta, struct err *err)
{
    AUTO_FREE char *bytes = calloc(1, strlen(text) + 1);
    ssize_t n;

    if (bytes == NULL)
        return err_nomem(err, "array %s", array);
    n = base64_decode(text, bytes);
    while (n > 0 && bytes[n - 1] == '\0')
        n--;
    if (n < 0 || (uint64_t)n > meta->dtype.size || strlen(bytes) != (size_t)n)
        return bad_fill(array, meta, err);
    meta->fill_string = steal_ptr(&bytes);
    return 0;
}

static int fill_text(const char *array, const json_t *value, struct zarr_meta *meta,
                     struct err *err)
{
    const char *text = json_string_value(value);

    /* zarr-python 2 wrote 0 as the default for |O. */
    if (json_is_integer(value) && json_integer_value(value) == 0)
        return 0;
    if (text == NULL)
        return bad_fill(array, meta, err);
    if (*text == '\0')
        return 0;
    if (strlen(text) > FILL_STRING_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: its fill_value is a string of %zu bytes; vczfs reads those of up to %d",
                       array, strlen(text), FILL_STRING_MAX);
    if (meta->dtype.kind == DTYPE_BYTES)
        return fill_bytes(array, text, meta, err);
    meta->fill_string = strdup(text);
    if (meta->fill_string == NULL)
        return err_nomem(err, "array %s", array);
    return 0;
}

int meta_fill(const char *array, const json_t *value, struct zarr_meta *meta, struct err *err)
{
    memset(meta->fill, 0, sizeof meta->fill);
    if (value == NULL || json_is_null(value))
        return 0;
    switch (meta->dtype.kind) {
    case DTYPE_BOOL:
        return fill_bool(array, value, meta, err);
    case DTYPE_INT:
    case DTYPE_UINT:
        return fill_int(array, value, meta, err);
    case DTYPE_FLOAT:
        return fill_float(array, value, meta, err);
    case DTYPE_STRING:
    case DTYPE_BYTES:
    case DTYPE_UCS4:
        return fill_text(array, value, meta, err);
    }
    return bad_fill(array, meta, err);
}
