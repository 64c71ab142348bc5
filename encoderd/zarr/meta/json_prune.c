/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/json_prune.h"

#include <string.h>

/* Measured memory costs of nodes of the tree: a bracket with its table, a string (or a member's
 * name), any other word. */
#define COST_OBJECT 384
#define COST_ARRAY  192
#define COST_STRING 144
#define COST_WORD   80
/* The cost of a byte of text. The text is kept with room to grow, stands in the tree again, and
 * once more if json_text.h must wrap words. */
#define COST_BYTE 4

/* Line numbers stop here: a mistake after this line is reported at this line. */
#define LINES_MAX 65536

static const char *const wanted[] = {"source", "vcf_zarr_version", "contigs",
                                     "max_alt_alleles_seen", "_ARRAY_DIMENSIONS"};

void json_prune_begin(struct json_prune *prune, struct buf *out, size_t cost_max,
                      bool top_is_attributes)
{
    *prune = (struct json_prune){
        .out = out, .cost_max = cost_max, .top_is_attributes = top_is_attributes, .line = 1};
}

static void charge(struct json_prune *prune, size_t n)
{
    if (prune->dropping || prune->costly)
        return;
    prune->costly = n > prune->cost_max - prune->cost;
    prune->cost += prune->costly ? 0 : n;
}

static void put(struct json_prune *prune, const char *text, size_t n)
{
    charge(prune, n * COST_BYTE);
    if (!prune->dropping && !prune->costly)
        buf_append(prune->out, text, n);
}

static bool is_string(const struct json_prune *prune, const char *text)
{
    return prune->string_len == strlen(text) && memcmp(prune->string, text, prune->string_len) == 0;
}

static bool is_wanted(const struct json_prune *prune)
{
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (is_string(prune, wanted[i]))
            return true;
    return false;
}

static bool names_attributes(const struct json_prune *prune)
{
    static const char end[] = "/.zattrs";
    const size_t n = sizeof end - 1;

    return is_string(prune, "attributes") || is_string(prune, end + 1) ||
           (prune->string_len >= n && prune->string_len <= sizeof prune->string &&
            memcmp(prune->string + prune->string_len - n, end, n) == 0);
}

static bool among_attributes(const struct json_prune *prune)
{
    return prune->attributes > 0 && prune->depth == prune->attributes;
}

/* Call it where a value begins. False if no value may begin here. */
static bool begin_value(struct json_prune *prune)
{
    if (!among_attributes(prune))
        return true;
    prune->bad = prune->bad || prune->expect != PRUNE_VALUE;
    prune->expect = PRUNE_AFTER;
    return !prune->bad;
}

static void open_bracket(struct json_prune *prune, char c)
{
    const bool named = prune->depth == 0 ? prune->top_is_attributes
                                         : prune->after_colon && names_attributes(prune);

    if (!begin_value(prune))
        return;
    if (prune->depth == JSON_PRUNE_DEPTH_MAX) {
        prune->bad = true;
        return;
    }
    prune->kinds[prune->depth++] = (uint8_t)c;
    if (c == '{' && named && prune->attributes == 0) {
        prune->attributes = prune->depth;
        prune->expect = PRUNE_FIRST;
        prune->nkept = 0;
    }
    charge(prune, c == '{' ? COST_OBJECT : COST_ARRAY);
    put(prune, &c, 1);
}

static void close_bracket(struct json_prune *prune, char c)
{
    if (prune->depth == 0 || prune->kinds[prune->depth - 1] != (c == '}' ? '{' : '[') ||
        (among_attributes(prune) && prune->expect != PRUNE_FIRST && prune->expect != PRUNE_AFTER)) {
        prune->bad = true;
        return;
    }
    if (among_attributes(prune)) {
        prune->attributes = 0;
        prune->dropping = false;
    }
    prune->depth--;
    put(prune, &c, 1);
}

/* Between attributes the comma is written later, before the next attribute that is kept. */
static void comma(struct json_prune *prune)
{
    if (!among_attributes(prune)) {
        put(prune, ",", 1);
        return;
    }
    prune->bad = prune->expect != PRUNE_AFTER;
    prune->expect = PRUNE_KEY;
    prune->dropping = false;
}

static void colon(struct json_prune *prune)
{
    if (among_attributes(prune)) {
        prune->bad = prune->expect != PRUNE_COLON;
        prune->expect = PRUNE_VALUE;
    }
    put(prune, ":", 1);
}

static void begin_string(struct json_prune *prune)
{
    prune->token = PRUNE_STRING;
    prune->string_len = 0;
    prune->key =
        among_attributes(prune) && (prune->expect == PRUNE_FIRST || prune->expect == PRUNE_KEY);
    if (prune->key || !begin_value(prune))
        return;
    charge(prune, COST_STRING);
    put(prune, "\"", 1);
}

static void end_attribute_name(struct json_prune *prune)
{
    prune->expect = PRUNE_COLON;
    prune->dropping = !is_wanted(prune);
    charge(prune, COST_STRING);
    put(prune, ",", prune->dropping || prune->nkept == 0 ? 0 : 1);
    prune->nkept += !prune->dropping;
    put(prune, "\"", 1);
    put(prune, prune->string, prune->dropping ? 0 : prune->string_len);
    put(prune, "\"", 1);
}

static void feed_string(struct json_prune *prune, char c)
{
    if (c == '"' && !prune->escaped) {
        prune->token = PRUNE_OTHER;
        if (prune->key)
            end_attribute_name(prune);
        else
            put(prune, "\"", 1);
        return;
    }
    prune->escaped = c == '\\' && !prune->escaped;
    if (prune->string_len < sizeof prune->string)
        prune->string[prune->string_len] = c;
    prune->string_len++;
    if (!prune->key)
        put(prune, &c, 1);
}

/* Keeps line ends, because messages name lines. Of other space it keeps one character, because that
 * may separate two words. */
static void feed_space(struct json_prune *prune, char c)
{
    const bool dropping = prune->dropping, line = c == '\n' && prune->line < LINES_MAX;

    prune->dropping = dropping && !line;
    if (line || prune->token != PRUNE_SPACE)
        put(prune, line ? "\n" : " ", 1);
    prune->dropping = dropping;
    prune->token = PRUNE_SPACE;
}

static void feed_word(struct json_prune *prune, char c)
{
    if (prune->token != PRUNE_WORD) {
        begin_value(prune);
        charge(prune, COST_WORD);
    }
    prune->token = PRUNE_WORD;
    put(prune, &c, 1);
}

static void feed_mark(struct json_prune *prune, char c)
{
    prune->token = PRUNE_OTHER;
    switch (c) {
    case '"':
        begin_string(prune);
        break;
    case '{':
    case '[':
        open_bracket(prune, c);
        break;
    case '}':
    case ']':
        close_bracket(prune, c);
        break;
    case ',':
        comma(prune);
        break;
    default:
        colon(prune);
    }
    prune->after_colon = c == ':';
}

void json_prune_feed(struct json_prune *prune, const uint8_t *text, size_t n)
{
    for (size_t i = 0; i < n && !prune->bad && !prune->costly; i++) {
        const char c = (char)text[i];

        if (prune->token == PRUNE_STRING)
            feed_string(prune, c);
        else if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            feed_space(prune, c);
        else if (c != '\0' && strchr("\"{}[],:", c) != NULL)
            feed_mark(prune, c);
        else
            feed_word(prune, c);
        prune->line += c == '\n';
    }
}
