/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_bind_compare.h"

#include "encoderd/select/types.h"
#include "encoderd/vcz/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_constant_string(const struct bound *bound)
{
    return bound->kind == BOUND_CONSTANT && bound->type == TYPE_IS_STRING;
}

static bool is_equality(enum expr_op op)
{
    return op == EXPR_EQ || op == EXPR_NE;
}

static bool is_match(enum expr_op op)
{
    return op == EXPR_LIKE || op == EXPR_NOT_LIKE;
}

static struct bound *new_comparison(struct expr *expr, enum bound_kind kind,
                                    const struct expr_node *node, struct bound *a, struct bound *b,
                                    struct err *err)
{
    struct bound *bound = bound_new_of(expr, kind, node, TYPE_IS_TRUTH, a, b, err);

    if (bound == NULL)
        return NULL;
    return bound_mask_samples(expr, bound, true, err) == 0 ? bound : NULL;
}

/* Puts the column first and the constant second. */
static int put_first(struct expr *expr, const struct expr_node *node, enum bound_kind kind,
                     struct bound **a, struct bound **b, const char *what, struct err *err)
{
    if ((*a)->kind != kind) {
        struct bound *swap = *a;

        *a = *b;
        *b = swap;
    }
    if (!is_constant_string(*b))
        return bound_error(expr, (*b)->node, err, "%s can only be compared with a \"string\"",
                           what);
    if (!is_equality(node->op) && !is_match(node->op))
        return bound_error(expr, node, err, "%s can only be compared by =, !=, ~ and !~", what);
    return 0;
}

/* Takes a trailing "/i" off the pattern, and checks that it compiles. */
static int take_pattern(struct expr *expr, struct bound *pattern, struct err *err)
{
    size_t len = pattern->text_len;
    char why[128];
    regex_t regex;
    int rc;

    if (len > 2 && pattern->text[len - 1] == 'i' && pattern->text[len - 2] == '/' &&
        pattern->text[len - 3] != '\\') {
        pattern->text[len - 2] = '\0';
        pattern->text_len = len - 2;
        pattern->ignore_case = true;
    }
    rc = regcomp(&regex, pattern->text, REG_NOSUB);
    if (rc == 0) {
        regfree(&regex);
        return 0;
    }
    regerror(rc, &regex, why, sizeof why);
    return bound_error(expr, pattern->node, err, "this is no regular expression: %s", why);
}

static int add_filter(struct expr *expr, struct bound *bound, const struct bound *constant,
                      const char *at, size_t len, struct err *err)
{
    const struct strings *ids = &expr->filter_id;
    const struct str name = {.at = at, .len = len};
    char shown[TEXT_SHOW_MAX];

    for (size_t i = 0; i < ids->nitems; i++)
        if (names_compare(&ids->items[i], &name) == 0) {
            bound->filters[bound->nfilters++] = i;
            return 0;
        }
    return bound_error(expr, constant->node, err, "the store has no filter %s",
                       text_show(&name, shown));
}

/* "q10;s50", or "." for none. */
static int parse_filters(struct expr *expr, struct bound *bound, const struct bound *constant,
                         struct err *err)
{
    bool none = false;

    bound->filters = calloc(constant->text_len + 1, sizeof *bound->filters);
    if (bound->filters == NULL)
        return err_nomem(err, "an expression");
    for (const char *at = constant->text; *at != '\0';) {
        size_t len = strcspn(at, ";");

        if (len == 1 && at[0] == '.')
            none = true;
        else if (add_filter(expr, bound, constant, at, len, err) != 0)
            return -1;
        at += len + (at[len] != '\0');
    }
    if (none && bound->nfilters > 0)
        return bound_error(expr, constant->node, err,
                           "FILTER cannot be missing and have filters at once");
    return 0;
}

static struct bound *compare_filter(struct expr *expr, const struct expr_node *node,
                                    struct bound *a, struct bound *b, struct err *err)
{
    struct bound *bound;

    if (put_first(expr, node, BOUND_FILTER, &a, &b, "FILTER", err) != 0)
        return NULL;
    bound = new_comparison(expr, BOUND_COMPARE_FILTER, node, a, b, err);
    return bound != NULL && parse_filters(expr, bound, b, err) == 0 ? bound : NULL;
}

static struct bound *compare_file(struct expr *expr, const struct expr_node *node, struct bound *a,
                                  struct bound *b, struct err *err)
{
    struct bound *file = a->kind == BOUND_FILE ? a : b, *other = file == a ? b : a;

    if (other->type != TYPE_IS_STRING || other->kind == BOUND_GT || other->kind == BOUND_FILTER ||
        other->kind == BOUND_TYPE || other->kind == BOUND_FILE || is_constant_string(other)) {
        bound_error(expr, file->node, err,
                    "only ID and tags that hold strings can be compared with a file");
        return NULL;
    }
    if (!is_equality(node->op)) {
        bound_error(expr, node, err, "a file can only be compared by = and !=");
        return NULL;
    }
    return new_comparison(expr, other->kind == BOUND_ID ? BOUND_COMPARE_ID : BOUND_COMPARE_STRINGS,
                          node, other, file, err);
}

static struct bound *compare_id(struct expr *expr, const struct expr_node *node, struct bound *a,
                                struct bound *b, struct err *err)
{
    if (put_first(expr, node, BOUND_ID, &a, &b, "ID", err) != 0 ||
        (is_match(node->op) && take_pattern(expr, b, err) != 0))
        return NULL;
    return new_comparison(expr, BOUND_COMPARE_ID, node, a, b, err);
}

static struct bound *compare_type(struct expr *expr, const struct expr_node *node, struct bound *a,
                                  struct bound *b, struct err *err)
{
    struct bound *bound;
    unsigned type;

    if (put_first(expr, node, BOUND_TYPE, &a, &b, "TYPE", err) != 0)
        return NULL;
    type = types_named(b->text, b->text_len);
    if (type == 0) {
        bound_error(
            expr, b->node, err,
            "there is no such type; types are snp, indel, mnp, ref, bnd, overlap and other");
        return NULL;
    }
    bound = new_comparison(expr, BOUND_COMPARE_TYPE, node, a, b, err);
    if (bound != NULL)
        bound->number = type;
    return bound;
}

static const struct {
    const char *name, *as;
    enum gt_form form;
    bool exact_case;
} gt_names[] = {
    {"hom", "hom", GT_ZYGOSITY, false}, {"het", "het", GT_ZYGOSITY, false},
    {"hap", "hap", GT_ZYGOSITY, false}, {"mis", "mis", GT_PRESENCE, false},
    {"ref", "ref", GT_PRESENCE, false}, {"alt", "alt", GT_PRESENCE, false},
    {"rr", "rr", GT_LETTERS, false},    {"ra", "ra", GT_LETTERS, false},
    {"ar", "ra", GT_LETTERS, false},    {"aA", "aA", GT_LETTERS, true},
    {"Aa", "aA", GT_LETTERS, true},     {"aa", "aa", GT_LETTERS, false},
    {"a", "a", GT_LETTERS, false},      {"r", "r", GT_LETTERS, false},
};

static enum gt_form take_gt_name(struct bound *constant)
{
    for (size_t i = 0; i < sizeof gt_names / sizeof gt_names[0]; i++)
        if (gt_names[i].exact_case ? strcmp(gt_names[i].name, constant->text) == 0
                                   : strcasecmp(gt_names[i].name, constant->text) == 0) {
            strcpy(constant->text, gt_names[i].as);
            return gt_names[i].form;
        }
    return GT_TEXT;
}

static struct bound *compare_gt(struct expr *expr, const struct expr_node *node, struct bound *a,
                                struct bound *b, struct err *err)
{
    struct bound *bound;
    enum gt_form form;

    if (put_first(expr, node, BOUND_GT, &a, &b, "GT", err) != 0)
        return NULL;
    form = take_gt_name(b);
    if (is_match(node->op) && take_pattern(expr, b, err) != 0)
        return NULL;
    bound = new_comparison(expr, BOUND_COMPARE_GT, node, a, b, err);
    if (bound == NULL)
        return NULL;
    bound->gt_form = form;
    expr->needs_phase = expr->needs_phase || form == GT_TEXT;
    return bound;
}

static struct bound *compare_strings(struct expr *expr, const struct expr_node *node,
                                     struct bound *a, struct bound *b, struct err *err)
{
    if (!is_equality(node->op) && !is_match(node->op)) {
        bound_error(expr, node, err, "strings can only be compared by =, !=, ~ and !~");
        return NULL;
    }
    if (is_match(node->op) && !is_constant_string(b)) {
        bound_error(expr, b->node, err, "expected a regular expression in quotes");
        return NULL;
    }
    if (a->per_sample && b->per_sample) {
        bound_error(expr, node, err, "strings of samples cannot be compared with one another");
        return NULL;
    }
    if (is_match(node->op) && take_pattern(expr, b, err) != 0)
        return NULL;
    return new_comparison(expr, BOUND_COMPARE_STRINGS, node, a, b, err);
}

/* Turns "." that is compared with a number into a missing number. */
static void take_missing(const struct expr_node *node, struct bound *constant,
                         const struct bound *other)
{
    if (other->type != TYPE_IS_NUMBER || !is_equality(node->op) || !is_constant_string(constant) ||
        strcmp(constant->text, ".") != 0)
        return;
    constant->type = TYPE_IS_NUMBER;
    constant->number = column_from_bits(COLUMN_MISSING_BITS);
}

static bool either(const struct bound *a, const struct bound *b, enum bound_kind kind)
{
    return a->kind == kind || b->kind == kind;
}

struct bound *bind_comparison(struct expr *expr, const struct expr_node *node, struct bound *a,
                              struct bound *b, struct err *err)
{
    if (either(a, b, BOUND_FILE))
        return compare_file(expr, node, a, b, err);
    if (is_match(node->op) && !is_constant_string(b)) {
        bound_error(expr, b->node, err, "expected a regular expression in quotes");
        return NULL;
    }
    if (either(a, b, BOUND_FILTER))
        return compare_filter(expr, node, a, b, err);
    if (either(a, b, BOUND_TYPE))
        return compare_type(expr, node, a, b, err);
    if (either(a, b, BOUND_GT))
        return compare_gt(expr, node, a, b, err);
    if (either(a, b, BOUND_ID))
        return compare_id(expr, node, a, b, err);
    take_missing(node, a, b);
    take_missing(node, b, a);
    if (a->type == TYPE_IS_STRING && b->type == TYPE_IS_STRING)
        return compare_strings(expr, node, a, b, err);
    if (a->type != TYPE_IS_NUMBER || b->type != TYPE_IS_NUMBER || is_match(node->op)) {
        bound_error(expr, node, err,
                    is_match(node->op) ? "only strings can be compared by ~ and !~"
                                       : "a number cannot be compared with a string, nor a "
                                         "comparison with a value");
        return NULL;
    }
    return new_comparison(expr, BOUND_COMPARE_NUMBERS, node, a, b, err);
}
