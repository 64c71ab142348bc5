/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_bind: from a parsed expression to one that is bound to a store: types, arrays and samples.
 */
#include "common/size.h"
#include "encoderd/select/expr_bind_compare.h"
#include "encoderd/select/expr_bound.h"
#include "encoderd/select/expr_tags.h"
#include "encoderd/select/unpack.h"

#include <stdlib.h>
#include <string.h>

/* The most bytes that the values of all nodes may take for one batch. */
#define BATCH_NBYTES_MAX ((uint64_t)8 << 20)

static struct bound *bind_node(struct expr *expr, const struct expr_node *node, struct err *err);

static struct bound *bind_string(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct bound *bound = bound_new(expr, BOUND_CONSTANT, node, err);

    if (bound == NULL)
        return NULL;
    bound->type = TYPE_IS_STRING;
    bound->text = strndup(node->text, node->len);
    bound->text_len = node->len;
    if (bound->text == NULL) {
        err_nomem(err, "an expression");
        return NULL;
    }
    return bound;
}

static size_t word_length(const struct option_line *line)
{
    size_t n = 0;

    while (n < line->len && line->at[n] != ' ' && line->at[n] != '\t')
        n++;
    return n;
}

/* Reads the lines of a file, each up to its first white space. */
static int read_lines(struct bound *bound, const struct option_file *packed, struct err *err)
{
    struct option_line line = {0};
    struct option_file whole, *file = &whole;
    size_t n = 0;

    if (unpack_whole(packed, &bound->file_text, file, err) != 0)
        return -1;
    for (size_t at = 0; option_file_line(file, &at, &line);)
        n++;
    bound->file_lines.items = calloc(n + 1, sizeof *bound->file_lines.items);
    if (bound->file_lines.items == NULL)
        return err_nomem(err, "%s", file->name);
    for (size_t at = 0; option_file_line(file, &at, &line);)
        if (word_length(&line) > 0)
            bound->file_lines.items[bound->file_lines.nitems++] =
                (struct str){.at = line.at, .len = word_length(&line)};
    return names_init(&bound->file_names, bound->file_lines.items, bound->file_lines.nitems, err);
}

static struct bound *bind_file(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct bound *bound = bound_new(expr, BOUND_FILE, node, err);
    const struct option_file *file = expr_find_file(expr, node->text, node->len);

    if (bound == NULL)
        return NULL;
    bound->type = TYPE_IS_STRING;
    if (file == NULL) {
        bound_error(expr, node, err, "the file '%.*s' was not read", (int)node->len, node->text);
        return NULL;
    }
    return read_lines(bound, file, err) == 0 ? bound : NULL;
}

static const char *type_text(const struct bound *bound)
{
    switch (bound->type) {
    case TYPE_IS_NUMBER:
        return "a number";
    case TYPE_IS_STRING:
        return "a string";
    case TYPE_IS_TRUTH:
        break;
    }
    return "a comparison";
}

static int want_number(struct expr *expr, const struct bound *bound, struct err *err)
{
    if (bound->type == TYPE_IS_NUMBER)
        return 0;
    return bound_error(expr, bound->node, err, "expected a number, but this is %s",
                       type_text(bound));
}

/* Flags are true by themselves. */
static struct bound *want_truth(struct expr *expr, struct bound *bound, struct err *err)
{
    struct bound *flag;

    if (bound->type == TYPE_IS_TRUTH)
        return bound;
    if (!bound->flag || bound->width != 1) {
        bound_error(expr, bound->node, err,
                    "expected a comparison (or a flag), but this is %s; compare it with something",
                    type_text(bound));
        return NULL;
    }
    flag = bound_new_of(expr, BOUND_FLAG, bound->node, TYPE_IS_TRUTH, bound, NULL, err);
    if (flag == NULL)
        return NULL;
    return bound_mask_samples(expr, flag, false, err) == 0 ? flag : NULL;
}

static struct bound *bind_arithmetic(struct expr *expr, const struct expr_node *node,
                                     struct bound *a, struct bound *b, struct err *err)
{
    struct bound *bound;

    if (want_number(expr, a, err) != 0 || (b != NULL && want_number(expr, b, err) != 0))
        return NULL;
    bound = bound_new_of(expr, BOUND_ARITHMETIC, node, TYPE_IS_NUMBER, a, b, err);
    if (bound == NULL)
        return NULL;
    bound->width = b != NULL ? size_max(a->width, b->width) : a->width;
    return bound_mask_samples(expr, bound, false, err) == 0 ? bound : NULL;
}

static struct bound *bind_logic(struct expr *expr, const struct expr_node *node, struct bound *a,
                                struct bound *b, struct err *err)
{
    struct bound *bound;

    a = want_truth(expr, a, err);
    b = a != NULL ? want_truth(expr, b, err) : NULL;
    bound = b != NULL ? bound_new_of(expr, BOUND_LOGIC, node, TYPE_IS_TRUTH, a, b, err) : NULL;
    if (bound == NULL)
        return NULL;
    return bound_mask_samples(expr, bound, false, err) == 0 ? bound : NULL;
}

/* Checks that the argument suits the function. May replace it by its truth value. */
static int check_argument(struct expr *expr, enum expr_func func, struct bound **arg,
                          struct err *err)
{
    switch (func) {
    case FUNC_COUNT:
        if ((*arg)->kind == BOUND_GT || (*arg)->kind == BOUND_FILTER || (*arg)->kind == BOUND_TYPE)
            break;
        return 0;
    case FUNC_STRLEN:
        if ((*arg)->type != TYPE_IS_STRING || (*arg)->kind == BOUND_GT ||
            (*arg)->kind == BOUND_FILTER || (*arg)->kind == BOUND_TYPE ||
            (*arg)->kind == BOUND_FILE)
            return bound_error(expr, (*arg)->node, err, "STRLEN needs a tag that holds strings");
        return 0;
    case FUNC_N_PASS:
    case FUNC_F_PASS:
        *arg = want_truth(expr, *arg, err);
        if (*arg == NULL)
            return -1;
        if (!(*arg)->per_sample)
            return bound_error(expr, (*arg)->node, err, "%s counts samples: it needs a FORMAT tag",
                               expr_func_name(func));
        return 0;
    default:
        return want_number(expr, *arg, err);
    }
    return bound_error(expr, (*arg)->node, err, "COUNT needs a tag or a comparison");
}

static bool keeps_shape(const struct bound *bound)
{
    enum expr_func func = bound->node->func;

    return func == FUNC_ABS || func == FUNC_PHRED || func == FUNC_STRLEN;
}

static bool is_chosen(const struct bound *arg)
{
    return arg->take != NULL && arg->take->given;
}

/* True for binom(AD), and for fisher(ADF,ADR) unless subscripts choose the values. */
static bool values_by_call(const struct bound *bound)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];

    if (bound->node->func == FUNC_BINOM)
        return bound->nargs == 1 && a->per_sample;
    return bound->node->func == FUNC_FISHER && bound->nargs == 2 && a->per_sample &&
           b->per_sample && !is_chosen(a) && !is_chosen(b);
}

static struct bound *finish_call(struct expr *expr, struct bound *bound, struct err *err)
{
    const struct expr_node *node = bound->node;
    bool test = node->func == FUNC_BINOM || node->func == FUNC_FISHER;

    if (keeps_shape(bound))
        bound->width = bound->args[0]->width;
    bound->by_call = values_by_call(bound);
    expr->needs_genotype = expr->needs_genotype || bound->by_call;
    if (test && bound->nargs == 2 && bound->args[0]->per_sample != bound->args[1]->per_sample) {
        bound_error(expr, node, err, "%s needs two INFO or two FORMAT values, not one of each",
                    expr_func_name(node->func));
        return NULL;
    }
    if (!keeps_shape(bound) && !test && !node->per_sample)
        return bound;
    return bound_mask_samples(expr, bound, true, err) == 0 ? bound : NULL;
}

static struct bound *bind_call(struct expr *expr, const struct expr_node *node, struct bound *a,
                               struct bound *b, struct err *err)
{
    struct bound *bound;

    if (check_argument(expr, node->func, &a, err) != 0 ||
        (b != NULL && check_argument(expr, node->func, &b, err) != 0))
        return NULL;
    bound = bound_new_of(expr, BOUND_CALL, node, TYPE_IS_NUMBER, a, b, err);
    return bound != NULL ? finish_call(expr, bound, err) : NULL;
}

static struct bound *bind_operator(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct bound *a = bind_node(expr, node->args[0], err), *b = NULL;

    if (a != NULL && node->nargs > 1)
        b = bind_node(expr, node->args[1], err);
    if (a == NULL || (node->nargs > 1 && b == NULL))
        return NULL;
    if (node->op == EXPR_CALL)
        return bind_call(expr, node, a, b, err);
    if (node->op >= EXPR_NEGATE && node->op <= EXPR_MOD)
        return bind_arithmetic(expr, node, a, b, err);
    if (node->op >= EXPR_EQ && node->op <= EXPR_NOT_LIKE)
        return bind_comparison(expr, node, a, b, err);
    return bind_logic(expr, node, a, b, err);
}

static struct bound *bind_node(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct bound *bound;

    switch (node->op) {
    case EXPR_NUMBER:
        bound = bound_new(expr, BOUND_CONSTANT, node, err);
        if (bound != NULL)
            bound->number = node->number;
        return bound;
    case EXPR_STRING:
        return bind_string(expr, node, err);
    case EXPR_FILE:
        return bind_file(expr, node, err);
    case EXPR_TAG:
        return bind_tag(expr, node, err);
    default:
        return bind_operator(expr, node, err);
    }
}

/* FILTER, TYPE, GT and files have no value: they may only stand in comparisons (compare_file checks
 * what a file is compared with). */
static int check_operands(struct expr *expr, struct err *err)
{
    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        for (unsigned i = 0; i < bound->nargs; i++) {
            const struct bound *arg = bound->args[i];
            bool special = arg->kind == BOUND_FILTER || arg->kind == BOUND_TYPE ||
                           arg->kind == BOUND_GT ||
                           (arg->kind == BOUND_FILE && bound->kind != BOUND_COMPARE_STRINGS);

            if (special && (bound->kind == BOUND_CALL || bound->kind == BOUND_COMPARE_STRINGS ||
                            bound->kind == BOUND_COMPARE_NUMBERS))
                return bound_error(expr, arg->node, err, "this can only be compared with a string");
        }
    return 0;
}

static uint64_t node_nbytes(const struct expr *expr, const struct bound *bound)
{
    uint64_t cells = bound->per_sample ? expr->context.nsamples : 1;

    switch (bound->type) {
    case TYPE_IS_NUMBER:
        return cells * (bound->width + bound->array_width) * sizeof(double);
    case TYPE_IS_STRING:
        return cells * (bound->width + bound->array_width) * sizeof(struct str);
    case TYPE_IS_TRUTH:
        break;
    }
    return 1 + cells;
}

static int bind(struct expr *expr, struct err *err)
{
    struct bound *root = bind_node(expr, expr->tree.root, err);

    if (root != NULL)
        root = want_truth(expr, root, err);
    if (root == NULL || check_operands(expr, err) != 0)
        return -1;
    expr->root = root;
    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        expr->row_nbytes += node_nbytes(expr, bound);
    if (expr->needs_genotype)
        expr->row_nbytes +=
            expr->context.nsamples * (expr->context.vcz->ploidy + 1) * sizeof(int64_t);
    return 0;
}

/* Parts of a site that a store may lack, and that the expression reads. */
static unsigned optional_parts(const struct expr *expr)
{
    return (expr->needs_id ? VCZ_IDS : 0u) | (expr->needs_phase ? VCZ_PHASE : 0u);
}

int expr_open(const char *text, const struct expr_context *context, struct expr **out,
              struct err *err)
{
    struct expr *expr = calloc(1, sizeof *expr);

    *out = NULL;
    if (expr == NULL)
        return err_nomem(err, "an expression");
    expr->context = *context;
    if (expr_parse(text, &expr->tree, err) == 0 && vcz_need(context->vcz, VCZ_ALLELES, err) == 0 &&
        bind(expr, err) == 0 && vcz_need(context->vcz, optional_parts(expr), err) == 0) {
        *out = expr;
        return 0;
    }
    expr_free(expr);
    return err_prefix(err, "%s", context->option);
}

const struct zarr_array *expr_only_array(const struct expr *expr)
{
    const struct vcz *vcz = expr->context.vcz;
    const struct zarr_array *arrays[5] = {expr->filter, expr->ac, expr->an,
                                          expr->needs_allele ? vcz->allele : NULL,
                                          expr->needs_id ? vcz->id : NULL};
    const struct zarr_array *only = NULL;
    unsigned n = 0;

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (arrays[i] != NULL) {
            only = arrays[i];
            n++;
        }
    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        /* Each name in the expression has its own struct zarr_array. */
        if (bound->array != NULL && (only == NULL || strcmp(only->name, bound->array->name) != 0)) {
            only = bound->array;
            n += bound->per_sample ? 2 : 1;
        }
    return n == 1 && !expr->needs_genotype && !expr->needs_phase ? only : NULL;
}

uint64_t expr_stride(const struct expr *expr)
{
    const struct vcz *vcz = expr->context.vcz;
    uint64_t stride = 1;

    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        if (bound->array != NULL)
            stride = size_max(stride, column_array_stride(bound->array));
    if (expr->filter != NULL)
        stride = size_max(stride, column_array_stride(expr->filter));
    if (expr->needs_genotype)
        stride = size_max(stride, column_array_stride(vcz->genotype));
    if (expr->needs_allele)
        stride = size_max(stride, column_array_stride(vcz->allele));
    if (expr->needs_id && vcz->id != NULL)
        stride = size_max(stride, column_array_stride(vcz->id));
    return stride;
}

uint64_t expr_batch_max(const struct expr *expr)
{
    return size_max(1, BATCH_NBYTES_MAX / size_max(1, expr->row_nbytes));
}
