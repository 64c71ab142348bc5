/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/utf8.h"

/* The length of the well-formed character at `text`; 0 if there is none. The range of the second
 * byte excludes overlong forms, surrogates and values above U+10FFFF. */
static size_t char_len(const uint8_t *text, size_t n)
{
    uint8_t first = text[0], low = 0x80, high = 0xbf;
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (len == 0 || first > 0xf4 || len > n)
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++) {
        if (text[i] < low || text[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

size_t utf8_prefix(const uint8_t *text, size_t n)
{
    size_t at = 0;

    while (at < n) {
        size_t len = char_len(text + at, n - at);

        if (len == 0)
            break;
        at += len;
    }
    return at;
}

bool utf8_valid(const uint8_t *text, size_t n)
{
    return utf8_prefix(text, n) == n;
}

size_t utf8_put(uint32_t character, uint8_t to[4])
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len;

    if (character < 0x80) {
        to[0] = (uint8_t)character;
        return 1;
    }
    if (character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    to[0] = (uint8_t)(lead[len] | character);
    return len;
}
