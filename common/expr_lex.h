/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_lex: the words of an expression.
 *
 * Depends on common/ only, because the front uses it, too: it has to find and read the files that
 * an expression names.
 */
#ifndef VCZFS_COMMON_EXPR_LEX_H
#define VCZFS_COMMON_EXPR_LEX_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

enum lex_kind {
    LEX_END,
    LEX_NUMBER,
    LEX_STRING,    /* text: what is between the quotes */
    LEX_NAME,      /* a tag, a column or a function, with "INFO/" and the like */
    LEX_FILE,      /* text: what follows the '@' */
    LEX_SUBSCRIPT, /* text: what is between '[' and ']' */
    LEX_LEFT,
    LEX_RIGHT,
    LEX_COMMA,
    LEX_OR_ANY,  /* || */
    LEX_OR,      /* | */
    LEX_AND_ANY, /* && */
    LEX_AND,     /* & */
    LEX_EQ,
    LEX_NE,
    LEX_LT,
    LEX_LE,
    LEX_GT,
    LEX_GE,
    LEX_LIKE,
    LEX_NOT_LIKE,
    LEX_ADD,
    LEX_SUB,
    LEX_MUL,
    LEX_DIV,
    LEX_MOD,
};

enum lex_scope { SCOPE_ANY, SCOPE_INFO, SCOPE_FORMAT };

struct lex_token {
    enum lex_kind kind;
    size_t column; /* from 0 */
    const char *text;
    size_t len;
    enum lex_scope scope; /* LEX_NAME */
    double number;        /* LEX_NUMBER */
};

struct lexer {
    const char *text; /* borrowed; terminated */
    size_t at;
    /* The word before the next one was an operand. Then '%' and '-' are operators, and '[' begins a
     * subscript. */
    bool after_operand;
};

/* The next word. ERR_USAGE, with the column, if the text there is no word. */
int lex_next(struct lexer *lexer, struct lex_token *out, struct err *err);

/* Sets an error whose message begins with "at column 5: ", like all messages about expressions.
 * Returns -1. */
int lex_error(struct err *err, const char *text, size_t column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Is the subscript a file of sample names, "@NAME" or "@NAME:INDICES"? Then *name and *len say
 * where NAME is. */
bool lex_subscript_file(const struct lex_token *token, const char **name, size_t *len);

/* Calls visit with the name of each file that the expression refers to (ID=@NAME, GT[@NAME]), as
 * written; a name may come several times. Stops without an error at the first word that is no
 * expression, because the parser reports that. If visit returns non-zero, stops and returns that
 * value. -1: out of memory. */
int expr_list_files(const char *expression, int (*visit)(const char *name, void *arg), void *arg);

#endif
