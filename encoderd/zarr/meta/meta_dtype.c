/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_dtype: the dtypes of v2 metadata, which v2 filters use, too.
 */
#include "encoderd/zarr/meta/meta_impl.h"

#include <stdio.h>
#include <string.h>

/* Types that numpy has (dates, durations, complex numbers, void, long double) are unsupported; all
 * others are wrong. */
static int bad_dtype(const char *array, const char *text, struct err *err)
{
    const bool known = strlen(text) >= 3 && strchr("|<>", text[0]) != NULL &&
                       (strchr("MmcV", text[1]) != NULL || strcmp(text + 1, "f16") == 0 ||
                        strcmp(text + 1, "f12") == 0);

    return err_set(err, known ? ERR_UNSUPPORTED : ERR_CORRUPT, "%s: dtype \"%.64s\" is %s", array,
                   text, known ? "not supported" : "none that there is");
}

static int number_dtype(const char *array, const char *text, uint32_t size, struct dtype *out,
                        struct err *err)
{
    bool whole = size == 1 || size == 2 || size == 4 || size == 8;

    switch (text[1]) {
    case 'b':
        *out = (struct dtype){DTYPE_BOOL, 1, false};
        return size == 1 ? 0 : bad_dtype(array, text, err);
    case 'i':
        *out = (struct dtype){DTYPE_INT, size, false};
        break;
    case 'u':
        *out = (struct dtype){DTYPE_UINT, size, false};
        break;
    case 'f':
        *out = (struct dtype){DTYPE_FLOAT, size, false};
        whole = whole && size > 1;
        break;
    default:
        return bad_dtype(array, text, err);
    }
    if (!whole || (size > 1 && text[0] == '|'))
        return bad_dtype(array, text, err);
    out->big_endian = size > 1 && text[0] == '>';
    return 0;
}

/* Parses a dtype like "<i2": byte order, kind, size (for kind U, in characters). */
int meta_dtype_v2(const char *array, const json_t *value, struct dtype *out, struct err *err)
{
    const char *text = json_string_value(value);
    unsigned size;
    int used = 0;

    if (text == NULL)
        return err_set(err, json_is_array(value) ? ERR_UNSUPPORTED : ERR_CORRUPT,
                       "%s: its dtype is not a simple type", array);
    if (strcmp(text, "|O") == 0) {
        *out = (struct dtype){DTYPE_STRING, 0, false};
        return 0;
    }
    if (strlen(text) < 3 || strlen(text) > 10 || strchr("|<>", text[0]) == NULL || text[2] < '1' ||
        /* NOLINTNEXTLINE(cert-err34-c): eight digits at most */
        text[2] > '9' || sscanf(text + 2, "%u%n", &size, &used) != 1 || text[2 + used] != '\0')
        return bad_dtype(array, text, err);
    if (text[1] == 'S') {
        *out = (struct dtype){DTYPE_BYTES, size, false};
        return 0;
    }
    if (text[1] == 'U') {
        *out = (struct dtype){DTYPE_UCS4, size * 4, text[0] == '>'};
        return text[0] == '|' ? bad_dtype(array, text, err) : 0;
    }
    return number_dtype(array, text, size, out, err);
}
