/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_bound: an expression that is bound to a store: every node has a type, a place for its values
 * and the arrays that it reads. The insides of expr.h, shared by expr_*.c.
 *
 * Values of a node over a batch of n variants:
 *   numbers  n × (per_sample ? nsamples : 1) × width doubles; COLUMN_MISSING is a missing value,
 *            COLUMN_FILL pads a shorter list at its end
 *   strings  the same of struct str; "." is a missing value, len 0 is padding
 *   truth    one byte a variant and, if per_sample, also one a sample
 */
#ifndef VCZFS_SELECT_EXPR_BOUND_H
#define VCZFS_SELECT_EXPR_BOUND_H

#include "encoderd/select/expr.h"
#include "encoderd/select/expr_tree.h"
#include "encoderd/select/names.h"

#include <regex.h>

enum bound_type { TYPE_IS_NUMBER, TYPE_IS_STRING, TYPE_IS_TRUTH };

enum bound_kind {
    BOUND_CONSTANT, /* number or string */
    BOUND_ARRAY,
    BOUND_CHROM,
    BOUND_POS,
    BOUND_ID,
    BOUND_REF,
    BOUND_ALT,
    BOUND_TYPE,
    BOUND_FILTER,
    BOUND_GT,
    BOUND_ILEN,
    BOUND_N_ALT,
    BOUND_N_MISSING,
    BOUND_F_MISSING,
    BOUND_NS,
    BOUND_AN,
    BOUND_AC,
    BOUND_AF,
    BOUND_MAC,
    BOUND_MAF,
    BOUND_FILE,
    BOUND_ARITHMETIC,
    BOUND_COMPARE_NUMBERS,
    BOUND_COMPARE_STRINGS,
    BOUND_COMPARE_FILTER,
    BOUND_COMPARE_ID,
    BOUND_COMPARE_TYPE,
    BOUND_COMPARE_GT,
    BOUND_FLAG, /* a flag where a truth is expected */
    BOUND_LOGIC,
    BOUND_CALL,
};

/* What a GT is compared by. */
enum gt_form {
    GT_TEXT,     /* "0/1" */
    GT_ZYGOSITY, /* hom het hap */
    GT_PRESENCE, /* ref alt mis */
    GT_LETTERS   /* rr ra aa aA r a */
};

struct bound {
    enum bound_kind kind;
    enum bound_type type;
    const struct expr_node *node; /* for its column, operator and function */
    struct bound *args[2];
    unsigned nargs;
    unsigned slot; /* of its values */
    bool per_sample;
    uint64_t width;
    /* Which samples count, one byte each; NULL: all. Owned. */
    uint8_t *used;

    double number; /* BOUND_CONSTANT; and what TYPE is compared with */
    char *text;    /* BOUND_CONSTANT: the string, terminated; owned */
    size_t text_len;
    bool ignore_case; /* a pattern that ended in /i, which is no longer in `text` */
    bool flag;        /* BOUND_ARRAY of booleans */
    bool by_call;     /* a test whose values are chosen by each sample's genotype */

    struct zarr_array *array;        /* owned */
    const struct expr_indices *take; /* which of the array's values; NULL: all */
    bool take_of_call;               /* take->of_call: see expr_indices */
    uint64_t array_width;
    uint64_t *read_samples; /* owned; columns to read, those used, in output order */
    uint64_t nread;

    enum gt_form gt_form;
    uint64_t *filters; /* owned; numbers into filter_id, which FILTER is compared with */
    size_t nfilters;
    /* BOUND_FILE; items owned. Their text belongs to the option file, or to file_text if that was
     * compressed. */
    struct strings file_lines;
    struct buf file_text; /* owned */
    struct names file_names;

    struct bound *next; /* all nodes of the expression */
};

struct expr {
    struct expr_context context;
    struct expr_tree tree;
    struct bound *root;
    struct bound *nodes; /* owned */
    unsigned nslots;
    struct zarr_array *filter, *ac, *an; /* owned; NULL if absent or not needed */
    struct strings filter_id;
    bool needs_genotype, needs_phase, needs_allele, needs_id;
    uint64_t row_nbytes; /* about how many bytes the values of one variant take */
};

/* Message about a node's place. */
#define bound_error(expr, node, err, ...)                                                          \
    lex_error((err), (expr)->tree.text, (node)->column, __VA_ARGS__)

struct bound *bound_new(struct expr *expr, enum bound_kind kind, const struct expr_node *node,
                        struct err *err);
/* Makes a node with these arguments; b may be NULL. */
struct bound *bound_new_of(struct expr *expr, enum bound_kind kind, const struct expr_node *node,
                           enum bound_type type, struct bound *a, struct bound *b, struct err *err);

/* The contents of the file `name`, or NULL. */
const struct option_file *expr_find_file(const struct expr *expr, const char *name, size_t len);

/* Sets the samples that count for both arguments, or for at least one of them. NULL: all. */
int bound_mask_samples(const struct expr *expr, struct bound *out, bool both, struct err *err);

static inline bool bound_uses(const struct bound *bound, uint64_t sample)
{
    return bound->used == NULL || bound->used[sample] != 0;
}

#endif
