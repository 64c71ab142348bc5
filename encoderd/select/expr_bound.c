/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_bound.h"

#include <stdlib.h>
#include <string.h>

struct bound *bound_new(struct expr *expr, enum bound_kind kind, const struct expr_node *node,
                        struct err *err)
{
    struct bound *bound = calloc(1, sizeof *bound);

    if (bound == NULL) {
        err_nomem(err, "an expression");
        return NULL;
    }
    bound->kind = kind;
    bound->node = node;
    bound->width = bound->array_width = 1;
    bound->slot = expr->nslots++;
    bound->next = expr->nodes;
    expr->nodes = bound;
    return bound;
}

struct bound *bound_new_of(struct expr *expr, enum bound_kind kind, const struct expr_node *node,
                           enum bound_type type, struct bound *a, struct bound *b, struct err *err)
{
    struct bound *bound = bound_new(expr, kind, node, err);

    if (bound == NULL)
        return NULL;
    bound->type = type;
    bound->args[0] = a;
    bound->args[1] = b;
    bound->nargs = b != NULL ? 2 : 1;
    return bound;
}

int bound_mask_samples(const struct expr *expr, struct bound *out, bool both, struct err *err)
{
    const struct bound *a = out->args[0], *b = out->nargs > 1 ? out->args[1] : out->args[0];
    bool two = a->per_sample && b->per_sample;

    out->per_sample = a->per_sample || b->per_sample;
    if (!out->per_sample || (two && !both && (a->used == NULL || b->used == NULL)) ||
        ((!a->per_sample || a->used == NULL) && (!b->per_sample || b->used == NULL)))
        return 0;
    out->used = calloc(expr->context.nsamples + 1, 1);
    if (out->used == NULL)
        return err_nomem(err, "an expression");
    for (uint64_t s = 0; s < expr->context.nsamples; s++) {
        bool in_a = a->per_sample && bound_uses(a, s), in_b = b->per_sample && bound_uses(b, s);

        out->used[s] = two && both ? in_a && in_b : in_a || in_b;
    }
    return 0;
}

const struct option_file *expr_find_file(const struct expr *expr, const char *name, size_t len)
{
    for (size_t i = 0; i < expr->context.nfiles; i++)
        if (strlen(expr->context.files[i].name) == len &&
            memcmp(expr->context.files[i].name, name, len) == 0)
            return &expr->context.files[i];
    return NULL;
}

static void bound_free(struct bound *bound)
{
    zarr_array_free(bound->array);
    names_free(&bound->file_names);
    free(bound->file_lines.items);
    buf_free(&bound->file_text);
    free(bound->read_samples);
    free(bound->filters);
    free(bound->used);
    free(bound->text);
    free(bound);
}

void expr_free(struct expr *expr)
{
    if (expr == NULL)
        return;
    for (struct bound *bound = expr->nodes, *next; bound != NULL; bound = next) {
        next = bound->next;
        bound_free(bound);
    }
    zarr_array_free(expr->filter);
    zarr_array_free(expr->ac);
    zarr_array_free(expr->an);
    strings_free(&expr->filter_id);
    expr_tree_free(&expr->tree);
    free(expr);
}
