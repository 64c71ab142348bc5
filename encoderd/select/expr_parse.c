/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recursive descent. From loose to tight: | and ||, & and &&, comparisons, + and -, * / %, unary
 * minus. Arithmetic groups from the left. & with &&, and | with ||, group from the right, as in
 * bcftools: for conditions on samples, that makes a difference.
 */
#include "encoderd/select/expr_tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_LEN_MAX 65536
#define NODES_MAX    4096
#define DEPTH_MAX    200

struct parser {
    struct expr_tree *tree;
    struct lexer lexer;
    struct lex_token token; /* not yet consumed */
    unsigned depth;
    struct err *err;
};

static const struct {
    const char *name;
    enum expr_func func;
    bool may_be_per_sample;
} functions[] = {
    {"MAX", FUNC_MAX, true},        {"MIN", FUNC_MIN, true},        {"AVG", FUNC_AVG, true},
    {"MEAN", FUNC_AVG, true},       {"MEDIAN", FUNC_MEDIAN, true},  {"STDEV", FUNC_STDEV, true},
    {"SUM", FUNC_SUM, true},        {"COUNT", FUNC_COUNT, true},    {"ABS", FUNC_ABS, false},
    {"STRLEN", FUNC_STRLEN, false}, {"PHRED", FUNC_PHRED, false},   {"BINOM", FUNC_BINOM, false},
    {"FISHER", FUNC_FISHER, false}, {"N_PASS", FUNC_N_PASS, false}, {"F_PASS", FUNC_F_PASS, false},
};

const char *expr_func_name(enum expr_func func)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (functions[i].func == func)
            return functions[i].name;
    return "?";
}

static int advance(struct parser *parser)
{
    return lex_next(&parser->lexer, &parser->token, parser->err);
}

static int expected(const struct parser *parser, const char *what)
{
    const struct lex_token *token = &parser->token;

    if (token->kind == LEX_END)
        return lex_error(parser->err, parser->tree->text, token->column,
                         "expected %s, but the expression ends", what);
    return lex_error(parser->err, parser->tree->text, token->column, "expected %s, not '%.*s'",
                     what, (int)(token->len < 32 ? token->len : 32), token->text);
}

static struct expr_node *new_node(struct parser *parser, enum expr_op op, size_t column)
{
    struct expr_node *node;

    if (parser->tree->nnodes == NODES_MAX) {
        lex_error(parser->err, parser->tree->text, column, "the expression is too long");
        return NULL;
    }
    node = calloc(1, sizeof *node);
    if (node == NULL) {
        err_nomem(parser->err, "an expression");
        return NULL;
    }
    node->op = op;
    node->column = column;
    node->next = parser->tree->nodes;
    parser->tree->nodes = node;
    parser->tree->nnodes++;
    return node;
}

static struct expr_node *new_binary(struct parser *parser, enum expr_op op, size_t column,
                                    struct expr_node *a, struct expr_node *b)
{
    struct expr_node *node = new_node(parser, op, column);

    if (node != NULL) {
        node->args[0] = a;
        node->args[1] = b;
        node->nargs = 2;
    }
    return node;
}

static struct expr_node *parse_or(struct parser *parser);

static bool same_name(const struct lex_token *token, const char *name, size_t skip)
{
    return token->len == skip + strlen(name) &&
           strncasecmp(token->text + skip, name, token->len - skip) == 0;
}

static int find_function(const struct parser *parser, const struct lex_token *token,
                         struct expr_node *out)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        const char *name = functions[i].name;
        bool per_sample = functions[i].may_be_per_sample &&
                          ((token->len > 5 && strncasecmp(token->text, "SMPL_", 5) == 0 &&
                            same_name(token, name, 5)) ||
                           (token->len > 1 && strncasecmp(token->text, "s", 1) == 0 &&
                            same_name(token, name, 1)));

        if (!per_sample && !same_name(token, name, 0))
            continue;
        out->func = functions[i].func;
        out->per_sample = per_sample;
        return 0;
    }
    return lex_error(
        parser->err, parser->tree->text, token->column,
        "there is no function '%.*s'; functions are MAX, MIN, AVG, MEAN, MEDIAN, STDEV, "
        "SUM, COUNT (all also with SMPL_), ABS, STRLEN, PHRED, BINOM, FISHER, N_PASS and F_PASS",
        (int)(token->len < 32 ? token->len : 32), token->text);
}

static bool is_test(enum expr_func func)
{
    return func == FUNC_BINOM || func == FUNC_FISHER;
}

/* What follows the name and its '('. */
static struct expr_node *parse_call(struct parser *parser, const struct lex_token *name)
{
    struct expr_node *node = new_node(parser, EXPR_CALL, name->column);

    if (node == NULL || find_function(parser, name, node) != 0 || advance(parser) != 0)
        return NULL;
    for (;;) {
        struct expr_node *arg = parse_or(parser);

        if (arg == NULL)
            return NULL;
        node->args[node->nargs++] = arg;
        if (parser->token.kind != LEX_COMMA)
            break;
        if (node->nargs == (is_test(node->func) ? 2 : 1)) {
            expected(parser, is_test(node->func) ? "')': this function has one or two arguments"
                                                 : "')': this function has one argument");
            return NULL;
        }
        if (advance(parser) != 0)
            return NULL;
    }
    if (parser->token.kind != LEX_RIGHT) {
        expected(parser, "')' or an operator");
        return NULL;
    }
    return advance(parser) == 0 ? node : NULL;
}

static struct expr_node *parse_tag(struct parser *parser)
{
    const struct lex_token name = parser->token;
    struct expr_node *node;

    if (advance(parser) != 0)
        return NULL;
    if (parser->token.kind == LEX_LEFT && name.scope == SCOPE_ANY)
        return parse_call(parser, &name);
    node = new_node(parser, EXPR_TAG, name.column);
    if (node == NULL)
        return NULL;
    node->text = name.text;
    node->len = name.len;
    node->scope = name.scope;
    if (parser->token.kind != LEX_SUBSCRIPT)
        return node;
    if (expr_parse_subscript(parser->tree->text, &parser->token, &node->subscript, parser->err) !=
        0)
        return NULL;
    return advance(parser) == 0 ? node : NULL;
}

static struct expr_node *parse_literal(struct parser *parser, enum expr_op op)
{
    struct expr_node *node = new_node(parser, op, parser->token.column);

    if (node == NULL)
        return NULL;
    node->text = parser->token.text;
    node->len = parser->token.len;
    node->number = parser->token.number;
    return advance(parser) == 0 ? node : NULL;
}

static struct expr_node *parse_group(struct parser *parser)
{
    struct expr_node *node;

    if (advance(parser) != 0)
        return NULL;
    node = parse_or(parser);
    if (node == NULL)
        return NULL;
    if (parser->token.kind != LEX_RIGHT) {
        expected(parser, "')' or an operator");
        return NULL;
    }
    return advance(parser) == 0 ? node : NULL;
}

static struct expr_node *parse_unary(struct parser *parser);

static struct expr_node *parse_negation(struct parser *parser)
{
    struct expr_node *node = new_node(parser, EXPR_NEGATE, parser->token.column);

    if (node == NULL || advance(parser) != 0)
        return NULL;
    node->args[0] = parse_unary(parser);
    node->nargs = 1;
    return node->args[0] != NULL ? node : NULL;
}

static struct expr_node *parse_operand(struct parser *parser)
{
    switch (parser->token.kind) {
    case LEX_NUMBER:
        return parse_literal(parser, EXPR_NUMBER);
    case LEX_STRING:
        return parse_literal(parser, EXPR_STRING);
    case LEX_FILE:
        return parse_literal(parser, EXPR_FILE);
    case LEX_NAME:
        return parse_tag(parser);
    case LEX_LEFT:
        return parse_group(parser);
    case LEX_SUB:
        return parse_negation(parser);
    default:
        expected(parser, "a value (a tag, a number, a \"string\", a function or '(')");
        return NULL;
    }
}

static struct expr_node *parse_unary(struct parser *parser)
{
    struct expr_node *node;

    if (parser->depth == DEPTH_MAX) {
        lex_error(parser->err, parser->tree->text, parser->token.column,
                  "the expression is nested too deeply");
        return NULL;
    }
    parser->depth++;
    node = parse_operand(parser);
    parser->depth--;
    return node;
}

static bool op_of(enum lex_kind kind, const enum lex_kind *kinds, const enum expr_op *ops, size_t n,
                  enum expr_op *out)
{
    for (size_t i = 0; i < n; i++)
        if (kinds[i] == kind) {
            *out = ops[i];
            return true;
        }
    return false;
}

static struct expr_node *parse_product(struct parser *parser)
{
    static const enum lex_kind kinds[] = {LEX_MUL, LEX_DIV, LEX_MOD};
    static const enum expr_op ops[] = {EXPR_MUL, EXPR_DIV, EXPR_MOD};
    struct expr_node *node = parse_unary(parser), *right;
    enum expr_op op;

    while (node != NULL && op_of(parser->token.kind, kinds, ops, 3, &op)) {
        size_t column = parser->token.column;

        if (advance(parser) != 0)
            return NULL;
        right = parse_unary(parser);
        node = right != NULL ? new_binary(parser, op, column, node, right) : NULL;
    }
    return node;
}

static struct expr_node *parse_sum(struct parser *parser)
{
    static const enum lex_kind kinds[] = {LEX_ADD, LEX_SUB};
    static const enum expr_op ops[] = {EXPR_ADD, EXPR_SUB};
    struct expr_node *node = parse_product(parser), *right;
    enum expr_op op;

    while (node != NULL && op_of(parser->token.kind, kinds, ops, 2, &op)) {
        size_t column = parser->token.column;

        if (advance(parser) != 0)
            return NULL;
        right = parse_product(parser);
        node = right != NULL ? new_binary(parser, op, column, node, right) : NULL;
    }
    return node;
}

static struct expr_node *parse_comparison(struct parser *parser)
{
    static const enum lex_kind kinds[] = {LEX_EQ, LEX_NE, LEX_LT,   LEX_LE,
                                          LEX_GT, LEX_GE, LEX_LIKE, LEX_NOT_LIKE};
    static const enum expr_op ops[] = {EXPR_EQ, EXPR_NE, EXPR_LT,   EXPR_LE,
                                       EXPR_GT, EXPR_GE, EXPR_LIKE, EXPR_NOT_LIKE};
    struct expr_node *left = parse_sum(parser), *right;
    size_t column = parser->token.column;
    enum expr_op op, again;

    if (left == NULL || !op_of(parser->token.kind, kinds, ops, 8, &op))
        return left;
    if (advance(parser) != 0)
        return NULL;
    right = parse_sum(parser);
    if (right == NULL)
        return NULL;
    if (op_of(parser->token.kind, kinds, ops, 8, &again)) {
        expected(parser, "& or |: comparisons cannot be chained");
        return NULL;
    }
    return new_binary(parser, op, column, left, right);
}

/* Operands joined by either of two operators, grouped from the right. */
static struct expr_node *parse_joined(struct parser *parser,
                                      struct expr_node *(*parse_part)(struct parser *parser),
                                      const enum lex_kind kinds[2], const enum expr_op ops[2])
{
    struct expr_node *root = parse_part(parser), **last = &root;
    enum expr_op op;

    while (root != NULL && op_of(parser->token.kind, kinds, ops, 2, &op)) {
        size_t column = parser->token.column;
        struct expr_node *right, *node;

        if (advance(parser) != 0)
            return NULL;
        right = parse_part(parser);
        node = right != NULL ? new_binary(parser, op, column, *last, right) : NULL;
        if (node == NULL)
            return NULL;
        *last = node;
        last = &node->args[1];
    }
    return root;
}

static struct expr_node *parse_and(struct parser *parser)
{
    static const enum lex_kind kinds[2] = {LEX_AND, LEX_AND_ANY};
    static const enum expr_op ops[2] = {EXPR_AND, EXPR_AND_ANY};

    return parse_joined(parser, parse_comparison, kinds, ops);
}

static struct expr_node *parse_or(struct parser *parser)
{
    static const enum lex_kind kinds[2] = {LEX_OR, LEX_OR_ANY};
    static const enum expr_op ops[2] = {EXPR_OR, EXPR_OR_ANY};

    return parse_joined(parser, parse_and, kinds, ops);
}

static int parse_text(struct parser *parser)
{
    if (advance(parser) != 0)
        return -1;
    if (parser->token.kind == LEX_END)
        return expected(parser, "an expression");
    parser->tree->root = parse_or(parser);
    if (parser->tree->root == NULL)
        return -1;
    return parser->token.kind == LEX_END ? 0
                                         : expected(parser, "an operator or the expression's end");
}

int expr_parse(const char *text, struct expr_tree *out, struct err *err)
{
    struct parser parser = {.tree = out, .err = err};

    *out = (struct expr_tree){0};
    if (strlen(text) > TEXT_LEN_MAX)
        return err_set(err, ERR_USAGE, "the expression is longer than %d characters", TEXT_LEN_MAX);
    out->text = strdup(text);
    if (out->text == NULL)
        return err_nomem(err, "an expression");
    parser.lexer.text = out->text;
    if (parse_text(&parser) == 0)
        return 0;
    expr_tree_free(out);
    return -1;
}

void expr_tree_free(struct expr_tree *tree)
{
    for (struct expr_node *node = tree->nodes, *next; node != NULL; node = next) {
        next = node->next;
        expr_subscript_free(&node->subscript);
        free(node);
    }
    free(tree->text);
    *tree = (struct expr_tree){0};
}
