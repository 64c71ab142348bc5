/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_tree: an expression as parsed, before it meets a store.
 */
#ifndef VCZFS_SELECT_EXPR_TREE_H
#define VCZFS_SELECT_EXPR_TREE_H

#include "common/expr_lex.h"

#include <stdint.h>

enum expr_op {
    EXPR_NUMBER,
    EXPR_STRING,
    EXPR_FILE,
    EXPR_TAG,
    EXPR_CALL,
    EXPR_NEGATE,
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_DIV,
    EXPR_MOD,
    EXPR_EQ,
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_LIKE,
    EXPR_NOT_LIKE,
    EXPR_AND,     /* & */
    EXPR_AND_ANY, /* && */
    EXPR_OR,      /* | */
    EXPR_OR_ANY,  /* || */
};

enum expr_func {
    FUNC_MAX,
    FUNC_MIN,
    FUNC_AVG,
    FUNC_MEDIAN,
    FUNC_STDEV,
    FUNC_SUM,
    FUNC_COUNT,
    FUNC_ABS,
    FUNC_STRLEN,
    FUNC_PHRED,
    FUNC_BINOM,
    FUNC_FISHER,
    FUNC_N_PASS,
    FUNC_F_PASS,
};

struct expr_range {
    uint64_t first, last; /* both included; last is UINT64_MAX if the range is open */
};

/* One part of a subscript: "", "*", "3", "0,2-4", "1-" or, for values only, "GT". */
struct expr_indices {
    bool of_call;              /* "GT": the values of the alleles in each call */
    bool given;                /* not "" and not "*" */
    bool single;               /* one number: ranges[0].first */
    struct expr_range *ranges; /* owned */
    size_t nranges;
};

struct expr_subscript {
    bool given;
    /* "samples:values"; without a colon, `first` is samples of a FORMAT tag, else values */
    bool colon;
    struct expr_indices first, second;
    const char *file; /* "@NAME" in place of samples: NAME, of file_len bytes */
    size_t file_len;
};

struct expr_node {
    enum expr_op op;
    size_t column; /* in the text, from 0 */
    struct expr_node *args[2];
    unsigned nargs;
    double number;
    const char *text; /* of strings, files and tags; points into the tree's text */
    size_t len;
    enum lex_scope scope;
    struct expr_subscript subscript;
    enum expr_func func;
    bool per_sample;        /* SMPL_ form of a function */
    struct expr_node *next; /* all nodes of the tree */
};

struct expr_tree {
    char *text; /* owned */
    struct expr_node *root;
    struct expr_node *nodes; /* owned */
    size_t nnodes;
};

/* ERR_USAGE with the column and what was expected there. */
int expr_parse(const char *text, struct expr_tree *out, struct err *err);
void expr_tree_free(struct expr_tree *tree);

/* Parses the subscript in `token`. */
int expr_parse_subscript(const char *text, const struct lex_token *token,
                         struct expr_subscript *out, struct err *err);
void expr_subscript_free(struct expr_subscript *subscript);

bool expr_indices_have(const struct expr_indices *indices, uint64_t i);

/* "MAX", "SMPL_MAX", ...; for messages. */
const char *expr_func_name(enum expr_func func);

#endif
