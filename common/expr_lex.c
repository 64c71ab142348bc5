/* SPDX-License-Identifier: Apache-2.0 */
#include "common/expr_lex.h"

#include "common/cleanup.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How much of an expression a message quotes before and after the column. */
#define QUOTE_MAX 200

int lex_error(struct err *err, const char *text, size_t column, const char *fmt, ...)
{
    char what[ERR_MSG_MAX / 2], quote[QUOTE_MAX + 1];
    size_t len = strlen(text), n = 0;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    for (; n < len && n < QUOTE_MAX; n++)
        quote[n] = iscntrl((unsigned char)text[n]) ? ' ' : text[n];
    quote[n] = '\0';
    return err_set(err, ERR_USAGE, "%s%s: column %zu: %s", quote, n < len ? "..." : "", column + 1,
                   what);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool skip_prefix(const char **at, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncasecmp(*at, prefix, len) != 0)
        return false;
    *at += len;
    return true;
}

/* The length of a number like "0x1F", with a point and an exponent as strtod allows; 0 if it is
 * none. */
static size_t hex_length(const char *at)
{
    char *end;

    strtod(at, &end);
    return is_name_char(*end) ? 0 : (size_t)(end - at);
}

/* The length of digits, '.', digits and exponent, or 0. strtod alone would accept "inf", too. */
static size_t number_length(const char *at)
{
    size_t n = strspn(at, "0123456789"), digits = n;

    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        return hex_length(at);
    if (at[n] == '.') {
        size_t more = strspn(at + n + 1, "0123456789");

        n += 1 + more;
        digits += more;
    }
    if (digits == 0)
        return 0;
    if (at[n] == 'e' || at[n] == 'E') {
        size_t sign = at[n + 1] == '+' || at[n + 1] == '-';
        size_t more = strspn(at + n + 1 + sign, "0123456789");

        n += more > 0 ? 1 + sign + more : 0;
    }
    return is_name_char(at[n]) ? 0 : n;
}

static int lex_quoted(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    const char *at = lexer->text + lexer->at, *end = strchr(at + 1, at[0]);

    if (end == NULL)
        return lex_error(err, lexer->text, lexer->at, "this string has no closing %c", at[0]);
    out->kind = LEX_STRING;
    out->text = at + 1;
    out->len = (size_t)(end - out->text);
    lexer->at += out->len + 2;
    return 0;
}

static int lex_subscript(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    const char *at = lexer->text + lexer->at, *end = strchr(at, ']');

    if (end == NULL)
        return lex_error(err, lexer->text, lexer->at, "this subscript has no closing ]");
    out->kind = LEX_SUBSCRIPT;
    out->text = at + 1;
    out->len = (size_t)(end - out->text);
    lexer->at += out->len + 2;
    return 0;
}

static int lex_file(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    const char *at = lexer->text + lexer->at + 1;
    size_t len = strcspn(at, " \t\n\r=!&|()");

    if (len == 0)
        return lex_error(err, lexer->text, lexer->at, "expected a file name after @");
    out->kind = LEX_FILE;
    out->text = at;
    out->len = len;
    lexer->at += len + 1;
    return 0;
}

static const struct {
    char text[3];
    enum lex_kind kind;
} operators[] = {
    {"&&", LEX_AND_ANY}, {"||", LEX_OR_ANY},   {"==", LEX_EQ},  {"!=", LEX_NE},  {"<=", LEX_LE},
    {">=", LEX_GE},      {"!~", LEX_NOT_LIKE}, {"&", LEX_AND},  {"|", LEX_OR},   {"=", LEX_EQ},
    {"<", LEX_LT},       {">", LEX_GT},        {"~", LEX_LIKE}, {"+", LEX_ADD},  {"-", LEX_SUB},
    {"*", LEX_MUL},      {"/", LEX_DIV},       {"%", LEX_MOD},  {"(", LEX_LEFT}, {")", LEX_RIGHT},
    {",", LEX_COMMA},
};

static int lex_operator(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    const char *at = lexer->text + lexer->at;

    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        size_t len = strlen(operators[i].text);

        if (strncmp(at, operators[i].text, len) != 0)
            continue;
        out->kind = operators[i].kind;
        out->text = at;
        out->len = len;
        lexer->at += len;
        return 0;
    }
    if (isprint((unsigned char)at[0]))
        return lex_error(err, lexer->text, lexer->at, "'%c' has no meaning here", at[0]);
    return lex_error(err, lexer->text, lexer->at, "the byte 0x%02x has no meaning here",
                     (unsigned char)at[0]);
}

/* A name may begin with "INFO/" and the like, or with the '%' of older expressions. */
static bool lex_name(struct lexer *lexer, struct lex_token *out)
{
    const char *begin = lexer->text + lexer->at, *at = begin;

    if (*at == '%' && !lexer->after_operand)
        at++;
    if (skip_prefix(&at, "INFO/"))
        out->scope = SCOPE_INFO;
    else if (skip_prefix(&at, "FORMAT/") || skip_prefix(&at, "FMT/"))
        out->scope = SCOPE_FORMAT;
    out->text = at;
    while (is_name_char(*at))
        at++;
    out->len = (size_t)(at - out->text);
    out->kind = LEX_NAME;
    if (out->len > 0)
        lexer->at += (size_t)(at - begin);
    return out->len > 0;
}

static int lex_word(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    const char *at = lexer->text + lexer->at;
    size_t len;

    switch (*at) {
    case '\0':
        out->kind = LEX_END;
        return 0;
    case '"':
    case '\'':
        return lex_quoted(lexer, out, err);
    case '@':
        return lex_file(lexer, out, err);
    case '[':
        return lex_subscript(lexer, out, err);
    default:
        break;
    }
    len = number_length(at);
    if (len > 0) {
        out->kind = LEX_NUMBER;
        out->text = at;
        out->len = len;
        out->number = strtod(at, NULL);
        lexer->at += len;
        return 0;
    }
    return lex_name(lexer, out) ? 0 : lex_operator(lexer, out, err);
}

int lex_next(struct lexer *lexer, struct lex_token *out, struct err *err)
{
    while (isspace((unsigned char)lexer->text[lexer->at]))
        lexer->at++;
    *out = (struct lex_token){.column = lexer->at, .text = lexer->text + lexer->at};
    if (lex_word(lexer, out, err) != 0)
        return -1;
    lexer->after_operand = out->kind == LEX_NUMBER || out->kind == LEX_STRING ||
                           out->kind == LEX_NAME || out->kind == LEX_FILE ||
                           out->kind == LEX_SUBSCRIPT || out->kind == LEX_RIGHT;
    return 0;
}

/* The length of a file's name in a subscript, without what may follow it: ":" and indices, or
 * GT. */
static size_t file_name_length(const char *at, size_t len)
{
    size_t n = len;

    if (len > 3 && memcmp(at + len - 3, ":GT", 3) == 0)
        return len - 3;
    while (n > 0 && at[n - 1] != ':' && memchr("0123456789*,-", at[n - 1], 13) != NULL)
        n--;
    return n > 1 && at[n - 1] == ':' ? n - 1 : len;
}

bool lex_subscript_file(const struct lex_token *token, const char **name, size_t *len)
{
    if (token->kind != LEX_SUBSCRIPT || token->len == 0 || token->text[0] != '@')
        return false;
    *name = token->text + 1;
    *len = file_name_length(*name, token->len - 1);
    return true;
}

int expr_list_files(const char *expression, int (*visit)(const char *name, void *arg), void *arg)
{
    struct lexer lexer = {.text = expression};
    struct lex_token token;

    while (lex_next(&lexer, &token, NULL) == 0 && token.kind != LEX_END) {
        AUTO_FREE char *name = NULL;
        const char *text = token.text;
        size_t len = token.len;
        int rc;

        if (token.kind != LEX_FILE && !lex_subscript_file(&token, &text, &len))
            continue;
        name = strndup(text, len);
        if (name == NULL)
            return -1;
        rc = visit(name, arg);
        if (rc != 0)
            return rc;
    }
    return 0;
}
