/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/json_text.h"

#include "common/buf.h"
#include "common/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MARK        "as Python spells it"
#define WRAPPED_MAX 4096

/* The length of a string with both quotes, or up to the end of the text if the last quote is
 * missing. */
static size_t string_len(const char *text, size_t n)
{
    size_t at = 1;

    while (at < n && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < n ? at + 1 : n;
}

/* The value of an escape \uXXXX; -1 if the text is no such escape. */
static int escaped_unit(const char *text, size_t n)
{
    char digits[5] = {0};

    if (n < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    memcpy(digits, text + 2, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? (int)strtol(digits, NULL, 16) : -1;
}

static bool is_half(int unit, int first)
{
    return unit >= first && unit < first + 0x400;
}

/* The length of one character or escape of a string. *odd is true if the JSON reader refuses it:
 * half of a surrogate pair alone, which Python writes for a byte that is not UTF-8, and the
 * character 0. */
static size_t escape_len(const char *text, size_t n, bool *odd)
{
    const int unit = escaped_unit(text, n);

    *odd = unit == 0 || is_half(unit, 0xdc00) || is_half(unit, 0xd800);
    if (is_half(unit, 0xd800) && is_half(escaped_unit(text + 6, n - 6), 0xdc00)) {
        *odd = false;
        return 12;
    }
    if (unit >= 0)
        return 6;
    return text[0] == '\\' && n > 1 ? 2 : 1;
}

static bool is_odd_string(const char *text, size_t n)
{
    bool odd = false;

    for (size_t at = 0; at < n && !odd;)
        at += escape_len(text + at, n - at, &odd);
    return odd;
}

/* Writes a string in which each odd escape is replaced by its own spelling, letter by letter. */
static void put_odd_string(const char *text, size_t n, struct buf *out)
{
    for (size_t at = 0, len; at < n; at += len) {
        bool odd;

        len = escape_len(text + at, n - at, &odd);
        if (odd)
            buf_append_char(out, '\\');
        buf_append(out, text + at, len);
    }
}

static bool is_key(const char *after, size_t n)
{
    size_t at = 0;

    while (at < n && memchr(" \t\r\n", after[at], 4) != NULL)
        at++;
    return at < n && after[at] == ':';
}

/* The length of a run of characters that words and numbers consist of. */
static size_t word_len(const char *text, size_t n)
{
    size_t at = 0;

    while (at < n &&
           ((text[at] >= '0' && text[at] <= '9') || (text[at] >= 'a' && text[at] <= 'z') ||
            (text[at] >= 'A' && text[at] <= 'Z') || memchr("+-._", text[at], 4) != NULL))
        at++;
    return at;
}

static bool is_name(const char *word, size_t n)
{
    static const char *const names[] = {"NaN", "Infinity", "-Infinity"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n && memcmp(names[i], word, n) == 0)
            return true;
    return false;
}

/* Is it an integer that does not fit in 64 bits? A JSON number cannot begin with a zero, so "007"
 * is left to be refused. */
static bool is_long_number(const char *word, size_t n)
{
    const size_t sign = n > 0 && word[0] == '-';
    char digits[24] = {0};

    for (size_t i = sign; i < n; i++)
        if (word[i] < '0' || word[i] > '9')
            return false;
    if (n == sign || word[sign] == '0')
        return false;
    if (n >= sizeof digits)
        return true;
    memcpy(digits, word, n);
    errno = 0;
    strtoll(digits, NULL, 10);
    return errno == ERANGE;
}

/* Wraps each word that JSON does not have. False if there are none, or more than any real store
 * has: then the document would cost many times its length. */
static bool wrap_words(const char *text, size_t n, struct buf *out)
{
    unsigned nfound = 0;

    for (size_t at = 0, len; at < n; at += len) {
        const char *here = text + at;

        len = *here == '"' ? string_len(here, n - at) : word_len(here, n - at);
        if (*here == '"' && is_odd_string(here, len)) {
            const bool key = is_key(here + len, n - at - len);

            if (nfound++ == WRAPPED_MAX)
                return false;
            buf_append_str(out, key ? "" : "{\"" MARK "\":");
            put_odd_string(here, len, out);
            buf_append_str(out, key ? "" : "}");
            continue;
        }
        if (*here != '"' && (is_name(here, len) || is_long_number(here, len))) {
            if (nfound++ == WRAPPED_MAX)
                return false;
            buf_append_str(out, "{\"" MARK "\":\"");
            buf_append(out, here, len);
            buf_append_str(out, "\"}");
            continue;
        }
        len = len == 0 ? 1 : len;
        buf_append(out, here, len);
    }
    return nfound > 0;
}

json_t *json_text_load(const char *text, size_t n, size_t flags, json_error_t *at)
{
    CLEANUP(buf_free) struct buf wrapped = {0};
    json_t *top = json_loadb(text, n, flags, at);

    if (top != NULL || !wrap_words(text, n, &wrapped) || wrapped.failed)
        return top;
    return json_loadb((const char *)wrapped.data, wrapped.len, flags, at);
}

const char *json_text_python(const json_t *value)
{
    return json_string_value(json_object_get(value, MARK));
}
