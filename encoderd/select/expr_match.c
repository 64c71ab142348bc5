/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_match.h"

static bool match_regex(struct pattern *pattern, const char *at, size_t len)
{
    if (pattern->text.failed)
        return false;
    buf_reset(&pattern->text);
    buf_append(&pattern->text, at, len);
    buf_append_char(&pattern->text, '\0');
    return !pattern->text.failed &&
           regexec(&pattern->regex, (const char *)pattern->text.data, 0, NULL, 0) == 0;
}

/* The next piece of a text; false after the last. An empty piece ends the text, as in bcftools. */
static bool next_piece(const char **at, const char *end, struct str *piece)
{
    const char *comma;

    if (*at >= end)
        return false;
    comma = memchr(*at, ',', (size_t)(end - *at));
    piece->at = *at;
    piece->len = (size_t)((comma != NULL ? comma : end) - *at);
    *at = comma != NULL ? comma + 1 : end;
    return true;
}

static bool is_dot(const struct str *piece)
{
    return piece->len == 1 && piece->at[0] == '.';
}

static bool match_piece(enum expr_op op, const struct str *piece, const char *constant, size_t len)
{
    const char *at = constant, *end = constant + len;
    struct str other;

    while (next_piece(&at, end, &other)) {
        unsigned nmissing = (unsigned)is_dot(piece) + (unsigned)is_dot(&other);
        bool equal = piece->len == other.len && memcmp(piece->at, other.at, other.len) == 0;

        if (nmissing > 0 ? (op == EXPR_EQ ? nmissing == 2 : nmissing == 1)
                         : equal == (op == EXPR_EQ))
            return true;
    }
    return false;
}

static bool match_pattern(enum expr_op op, const struct str *piece, struct pattern *pattern)
{
    if (op == EXPR_NOT_LIKE && is_dot(piece))
        return true;
    return match_regex(pattern, piece->at, piece->len) == (op == EXPR_LIKE);
}

bool eval_match(enum expr_op op, const struct str *text, const char *constant, size_t len,
                struct pattern *pattern)
{
    const char *at = text->at, *end = text->at + text->len;
    struct str piece;

    while (next_piece(&at, end, &piece))
        if (pattern != NULL ? match_pattern(op, &piece, pattern)
                            : match_piece(op, &piece, constant, len))
            return true;
    return false;
}

static bool has_dot(const struct str *text)
{
    const char *at = text->at, *end = text->at + text->len;
    struct str piece;

    while (next_piece(&at, end, &piece))
        if (is_dot(&piece))
            return true;
    return false;
}

/* One side is empty. Does the comparison pass, given that the other side may be "." or empty? */
static bool match_nothing(enum expr_op op, const struct str *other)
{
    unsigned nmissing = other->len == 0 || has_dot(other) ? 2 : 1;

    return op == EXPR_EQ || op == EXPR_LIKE ? nmissing == 2 : nmissing == 1;
}

static bool match_cells(enum expr_op op, const struct str *a, uint64_t na, const struct str *b,
                        uint64_t nb, struct pattern *pattern)
{
    if (a[0].len == 0)
        return match_nothing(op, &b[0]);
    if (b[0].len == 0 && pattern == NULL)
        return match_nothing(op, &a[0]);
    for (uint64_t i = 0; i < na && a[i].len > 0; i++)
        for (uint64_t j = 0; j < nb && (j == 0 || b[j].len > 0); j++)
            if (eval_match(op, &a[i], b[j].at, b[j].len, pattern))
                return true;
    return false;
}

/* True if the file has any of the values, or any part of a value between commas. */
static bool match_file(const struct bound *file, const struct str *at, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        for (size_t begin = 0, end; begin < at[i].len; begin = end + 1) {
            const char *comma = memchr(at[i].at + begin, ',', at[i].len - begin);

            end = comma != NULL ? (size_t)(comma - at[i].at) : at[i].len;
            if (names_find(&file->file_names, at[i].at + begin, end - begin) < file->file_names.n)
                return true;
        }
    return false;
}

static bool compare_cells(const struct bound *bound, const struct str *p, const struct str *q,
                          struct pattern *pattern)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];

    if (b->kind == BOUND_FILE)
        return match_file(b, p, a->width) == (bound->node->op == EXPR_EQ);
    return match_cells(bound->node->op, p, a->width, q, b->width, pattern);
}

int eval_compare_strings(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];
    const uint64_t cells = bound_cells(eval->expr, bound);
    const struct str *x = eval_values(eval, a)->strings, *y = eval_values(eval, b)->strings;
    struct values *out = eval_values(eval, bound);

    (void)err;
    for (uint64_t i = 0; i < eval->batch->n * cells; i++) {
        const struct str *p = x + (a->per_sample == bound->per_sample ? i : i / cells) * a->width;
        const struct str *q = y + (b->per_sample == bound->per_sample ? i : i / cells) * b->width;
        bool pass = bound_uses(bound, i % cells) && compare_cells(bound, p, q, out->pattern);

        if (i % cells == 0)
            out->site[i / cells] = 0;
        out->site[i / cells] |= pass;
        if (bound->per_sample)
            out->samples[i] = pass;
    }
    return 0;
}

static bool match_id(const struct bound *bound, const struct str *id, struct pattern *pattern)
{
    const struct bound *other = bound->args[1];

    if (other->kind == BOUND_FILE)
        return names_find(&other->file_names, id->at, id->len) < other->file_names.n;
    if (pattern != NULL)
        return match_regex(pattern, id->at, id->len);
    return id->len == other->text_len && memcmp(id->at, other->text, id->len) == 0;
}

/* An ID is compared as a whole, and "." is an ID like any other. */
int eval_compare_id(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct str *ids = eval_values(eval, bound->args[0])->strings;
    struct values *out = eval_values(eval, bound);
    const enum expr_op op = bound->node->op;
    bool wanted = op == EXPR_EQ || op == EXPR_LIKE;

    (void)err;
    for (uint64_t i = 0; i < eval->batch->n; i++)
        out->site[i] = match_id(bound, &ids[i], out->pattern) == wanted;
    return 0;
}

static bool match_filters(const struct bound *bound, const int64_t *filters, uint64_t width)
{
    uint64_t nset = 0, nhit = 0;
    bool all;

    for (uint64_t i = 0; i < width; i++)
        nset += filters[i] != 0;
    for (size_t i = 0; i < bound->nfilters; i++)
        nhit += filters[bound->filters[i]] != 0;
    all = bound->nfilters > 0 ? nhit == bound->nfilters : nset == 0;
    switch (bound->node->op) {
    case EXPR_EQ:
        return all && nset == bound->nfilters;
    case EXPR_NE:
        return !(all && nset == bound->nfilters);
    case EXPR_LIKE:
        return all;
    default:
        return !all;
    }
}

int eval_compare_filter(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const uint64_t width = eval->expr->filter_id.nitems;
    uint8_t *out = eval_values(eval, bound)->site;

    (void)err;
    for (uint64_t i = 0; i < eval->batch->n; i++)
        out[i] = match_filters(bound, eval->filters + i * width, width);
    return 0;
}
