/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_tree.h"

#include <stdlib.h>
#include <string.h>

/* No axis is longer than that. */
#define INDEX_MAX UINT64_C(1000000000)

/* The part of a subscript that is being read. */
struct subscript_cursor {
    const char *text; /* of the whole expression */
    const char *at, *end;
    struct err *err;
};

static int bad(const struct subscript_cursor *cursor, const char *what)
{
    return lex_error(cursor->err, cursor->text, (size_t)(cursor->at - cursor->text), "%s", what);
}

static int parse_index(struct subscript_cursor *cursor, uint64_t *out)
{
    const char *begin = cursor->at;
    uint64_t value = 0;

    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        value = value * 10 + (uint64_t)(*cursor->at - '0');
        if (value > INDEX_MAX)
            return bad(cursor, "this index is too large");
    }
    if (cursor->at == begin)
        return bad(cursor, "expected an index, a range of indices or *");
    *out = value;
    return 0;
}

static int parse_range(struct subscript_cursor *cursor, struct expr_range *out)
{
    if (parse_index(cursor, &out->first) != 0)
        return -1;
    out->last = out->first;
    if (cursor->at == cursor->end || *cursor->at != '-')
        return 0;
    cursor->at++;
    out->last = UINT64_MAX;
    if (cursor->at == cursor->end || *cursor->at == ',')
        return 0;
    if (parse_index(cursor, &out->last) != 0)
        return -1;
    return out->last >= out->first ? 0 : bad(cursor, "this range ends before it begins");
}

static int parse_indices(struct subscript_cursor *cursor, struct expr_indices *out)
{
    size_t len = (size_t)(cursor->end - cursor->at);

    if (len == 0 || (len == 1 && *cursor->at == '*'))
        return 0;
    if (len == 2 && memcmp(cursor->at, "GT", 2) == 0) {
        out->of_call = true;
        return 0;
    }
    out->given = true;
    for (;;) {
        struct expr_range *ranges = reallocarray(out->ranges, out->nranges + 1, sizeof *ranges);

        if (ranges == NULL)
            return err_nomem(cursor->err, "an expression");
        out->ranges = ranges;
        if (parse_range(cursor, &ranges[out->nranges]) != 0)
            return -1;
        out->nranges++;
        if (cursor->at == cursor->end)
            break;
        if (*cursor->at != ',')
            return bad(cursor, "expected ',', '-', ':' or ']'");
        cursor->at++;
    }
    out->single = out->nranges == 1 && out->ranges[0].first == out->ranges[0].last;
    return 0;
}

int expr_parse_subscript(const char *text, const struct lex_token *token,
                         struct expr_subscript *out, struct err *err)
{
    const char *begin = token->text, *end = begin + token->len;
    const char *colon = memrchr(begin, ':', token->len);
    struct subscript_cursor cursor = {.text = text, .at = begin, .end = end, .err = err};

    *out = (struct expr_subscript){.given = true};
    if (lex_subscript_file(token, &out->file, &out->file_len)) {
        if (out->file_len == 0)
            return bad(&cursor, "expected a file name after @");
        colon = out->file + out->file_len < end ? out->file + out->file_len : NULL;
    } else {
        cursor.end = colon != NULL ? colon : end;
        if (parse_indices(&cursor, &out->first) != 0)
            return -1;
    }
    out->colon = colon != NULL;
    if (out->first.of_call) {
        if (out->colon)
            return bad(&cursor, "GT chooses values, not samples");
        /* AD[GT] is AD[:GT]. */
        out->colon = true;
        out->second = out->first;
        out->first = (struct expr_indices){0};
        return 0;
    }
    if (colon == NULL)
        return 0;
    cursor.at = colon + 1;
    cursor.end = end;
    return parse_indices(&cursor, &out->second);
}

void expr_subscript_free(struct expr_subscript *subscript)
{
    free(subscript->first.ranges);
    free(subscript->second.ranges);
    *subscript = (struct expr_subscript){0};
}

bool expr_indices_have(const struct expr_indices *indices, uint64_t i)
{
    for (size_t k = 0; k < indices->nranges; k++)
        if (i >= indices->ranges[k].first && i <= indices->ranges[k].last)
            return true;
    return !indices->given;
}
