/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/text.h"

#include <stdio.h>
#include <string.h>

/* True if there is white space or a C1 control character at at[0] >= 0x80 of UTF-8 text, of which
 * `left` bytes remain. White space is Unicode's property White_Space. */
static bool wide_space(const uint8_t *at, size_t left)
{
    if (at[0] == 0xc2)
        return left >= 2 && at[1] <= 0xa0;
    if (left < 3)
        return false;
    if (at[0] == 0xe1)
        return at[1] == 0x9a && at[2] == 0x80;
    if (at[0] == 0xe2 && at[1] == 0x80)
        return at[2] <= 0x8a || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf;
    if (at[0] == 0xe2)
        return at[1] == 0x81 && at[2] == 0x9f;
    return at[0] == 0xe3 && at[1] == 0x80 && at[2] == 0x80;
}

bool text_is_column(const struct str *text)
{
    const uint8_t *at = (const uint8_t *)text->at;

    for (size_t i = 0; i < text->len; i++) {
        if (at[i] <= 0x20 || at[i] == 0x7f)
            return false;
        if (at[i] >= 0x80 && wide_space(at + i, text->len - i))
            return false;
    }
    return text->len > 0;
}

bool text_equal(const struct str *a, const char *b)
{
    return a->len == strlen(b) && memcmp(a->at, b, a->len) == 0;
}

char *text_show(const struct str *text, char buf[TEXT_SHOW_MAX])
{
    /* Leaves room for the longest text of one byte, "...", the quote and the terminator. */
    const size_t limit = TEXT_SHOW_MAX - 9;
    size_t used = 0, i;

    buf[used++] = '\'';
    for (i = 0; i < text->len && used < limit; i++) {
        uint8_t c = (uint8_t)text->at[i];

        /* C1 control characters are c2 80 to c2 9f; terminals may obey them too. */
        bool c1 = (c == 0xc2 && i + 1 < text->len && (uint8_t)text->at[i + 1] < 0xa0) ||
                  (i > 0 && (uint8_t)text->at[i - 1] == 0xc2 && c < 0xa0);

        if (c < 0x20 || c == 0x7f || c1)
            used += (size_t)snprintf(buf + used, 5, "\\x%02x", c);
        else
            buf[used++] = (char)c;
    }
    /* Removes all of a character that was cut in two. */
    if (i < text->len && ((uint8_t)text->at[i] & 0xc0) == 0x80) {
        while (used > 1 && ((uint8_t)buf[used - 1] & 0xc0) == 0x80)
            used--;
        if (used > 1)
            used--;
    }
    snprintf(buf + used, TEXT_SHOW_MAX - used, "%s'", i < text->len ? "..." : "");
    return buf;
}
