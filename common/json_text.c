/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json_text.h"

/* The length of the UTF-8 character at text; 0 if there is none. Over-long forms and surrogates are
 * accepted, because programs that read logs accept them. */
static size_t utf8_length(const unsigned char *text)
{
    size_t len = text[0] < 0x80   ? 1
                 : text[0] < 0xc2 ? 0
                 : text[0] < 0xe0 ? 2
                 : text[0] < 0xf0 ? 3
                                  : 4;

    if (text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

void json_append_text(struct buf *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        size_t len = utf8_length(at);

        if (len == 0 || *at < 0x20 || *at == 0x7f) {
            buf_printf(out, "\\u%04x", *at);
            len = 1;
        } else {
            if (*at == '"' || *at == '\\')
                buf_append_char(out, '\\');
            buf_append(out, at, len);
        }
        at += len;
    }
}

void json_append_string(struct buf *out, const char *text)
{
    if (text == NULL) {
        buf_append_str(out, "null");
        return;
    }
    buf_append_char(out, '"');
    json_append_text(out, text);
    buf_append_char(out, '"');
}
