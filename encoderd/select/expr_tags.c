/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_tags.h"

#include "common/cleanup.h"
#include "common/nearest.h"
#include "common/size.h"
#include "encoderd/select/unpack.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Columns of a VCF, in any case. They take precedence over an INFO tag of the same name. */
static const struct {
    const char *name;
    enum bound_kind kind;
    enum bound_type type;
} columns[] = {
    {"CHROM", BOUND_CHROM, TYPE_IS_STRING},
    {"POS", BOUND_POS, TYPE_IS_NUMBER},
    {"ID", BOUND_ID, TYPE_IS_STRING},
    {"REF", BOUND_REF, TYPE_IS_STRING},
    {"ALT", BOUND_ALT, TYPE_IS_STRING},
    {"QUAL", BOUND_ARRAY, TYPE_IS_NUMBER},
    {"FILTER", BOUND_FILTER, TYPE_IS_STRING},
    {"TYPE", BOUND_TYPE, TYPE_IS_STRING},
    {"N_ALT", BOUND_N_ALT, TYPE_IS_NUMBER},
    {"N_SAMPLES", BOUND_CONSTANT, TYPE_IS_NUMBER},
    {"N_MISSING", BOUND_N_MISSING, TYPE_IS_NUMBER},
    {"F_MISSING", BOUND_F_MISSING, TYPE_IS_NUMBER},
};

/* Computed if the store has no tag of that name, in any case. */
static const struct {
    const char *name;
    enum bound_kind kind;
} counted[] = {
    {"AN", BOUND_AN}, {"AC", BOUND_AC},   {"MAC", BOUND_MAC},   {"AF", BOUND_AF},
    {"NS", BOUND_NS}, {"MAF", BOUND_MAF}, {"ILEN", BOUND_ILEN},
};

/* Arrays that are columns of a VCF or parts of a call, and so are no tags. */
static const char *const reserved[] = {
    "variant_contig", "variant_position",   "variant_id",           "variant_id_mask",
    "variant_allele", "variant_quality",    "variant_filter",       "variant_length",
    "call_genotype",  "call_genotype_mask", "call_genotype_phased",
};

static bool is_reserved(const char *array)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(array, reserved[i]) == 0)
            return true;
    return false;
}

static bool is_named(const struct expr_node *node, const char *name)
{
    return node->len == strlen(name) && strncasecmp(node->text, name, node->len) == 0;
}

struct nearest_tag {
    const struct expr_node *node;
    struct nearest nearest;
};

static void consider(struct nearest_tag *tag, const char *prefix, const char *name)
{
    nearest_consider(&tag->nearest, prefix, name, strlen(name));
}

static int consider_array(const char *name, void *arg)
{
    struct nearest_tag *tag = arg;

    if (is_reserved(name))
        return 0;
    if (strncmp(name, "variant_", 8) == 0 && tag->node->scope != SCOPE_FORMAT)
        consider(tag, "INFO/", name + 8);
    if (strncmp(name, "call_", 5) == 0 && tag->node->scope != SCOPE_INFO)
        consider(tag, "FORMAT/", name + 5);
    return 0;
}

static int unknown_tag(const struct expr *expr, const struct expr_node *node, struct err *err)
{
    static const char *const prefixes[] = {"", "INFO/", "FORMAT/"};
    struct nearest_tag tag = {.node = node};
    char hint[NEAREST_HINT_MAX];

    nearest_begin(&tag.nearest, node->text, node->len);
    if (zarr_group_arrays(expr->context.vcz->group, consider_array, &tag, err) != 0)
        return -1;
    for (size_t i = 0; node->scope == SCOPE_ANY && i < sizeof columns / sizeof columns[0]; i++)
        consider(&tag, "", columns[i].name);
    for (size_t i = 0; node->scope != SCOPE_FORMAT && i < sizeof counted / sizeof counted[0]; i++)
        consider(&tag, "", counted[i].name);
    if (node->scope != SCOPE_INFO)
        consider(&tag, "FORMAT/", "GT");
    return bound_error(expr, node, err, "the store has no tag %s%.*s%s", prefixes[node->scope],
                       (int)(node->len < 64 ? node->len : 64), node->text,
                       nearest_hint(&tag.nearest, hint));
}

static int use_sample_lines(struct expr *expr, struct bound *bound, const struct option_file *file,
                            struct err *err)
{
    struct option_line line = {0};
    struct names names;
    int rc = 0;

    if (names_init(&names, expr->context.sample_id, expr->context.nsamples, err) != 0)
        return -1;
    for (size_t at = 0; rc == 0 && option_file_line(file, &at, &line);) {
        const struct str id = {.at = line.at, .len = line.len};
        uint64_t sample = names_find(&names, line.at, line.len);
        char shown[TEXT_SHOW_MAX];

        if (line.len == 0)
            continue;
        if (sample == names.n)
            rc = bound_error(expr, bound->node, err,
                             "%s, line %zu: sample %s is not among those selected", file->name,
                             line.number, text_show(&id, shown));
        else
            bound->used[sample] = 1;
    }
    names_free(&names);
    return rc;
}

static int use_sample_file(struct expr *expr, struct bound *bound, struct err *err)
{
    const struct expr_subscript *subscript = &bound->node->subscript;
    const struct option_file *packed = expr_find_file(expr, subscript->file, subscript->file_len);
    struct option_file file;
    struct buf text = {0};
    int rc;

    if (packed == NULL)
        return bound_error(expr, bound->node, err, "the file '%.*s' was not read",
                           (int)subscript->file_len, subscript->file);
    rc = unpack_whole(packed, &text, &file, err);
    if (rc == 0)
        rc = use_sample_lines(expr, bound, &file, err);
    buf_free(&text);
    return rc;
}

static int use_sample_indices(struct expr *expr, struct bound *bound,
                              const struct expr_indices *indices, struct err *err)
{
    const uint64_t n = expr->context.nsamples;

    for (size_t i = 0; i < indices->nranges; i++) {
        const struct expr_range *range = &indices->ranges[i];

        if (range->first >= n || (range->last != UINT64_MAX && range->last >= n))
            return bound_error(expr, bound->node, err,
                               "the subscript asks for sample %" PRIu64 ", but %" PRIu64
                               " are selected; they count from 0",
                               range->first >= n ? range->first : range->last, n);
        for (uint64_t s = range->first; s < n && s <= range->last; s++)
            bound->used[s] = 1;
    }
    return 0;
}

/* Sets which samples a FORMAT tag's subscript means. */
static int use_samples(struct expr *expr, struct bound *bound, struct err *err)
{
    const struct expr_subscript *subscript = &bound->node->subscript;

    if (!subscript->given || (subscript->file == NULL && !subscript->first.given))
        return 0;
    bound->used = calloc(expr->context.nsamples + 1, 1);
    if (bound->used == NULL)
        return err_nomem(err, "an expression");
    return subscript->file != NULL ? use_sample_file(expr, bound, err)
                                   : use_sample_indices(expr, bound, &subscript->first, err);
}

/* The samples that count: only these are read. */
static int list_read_samples(struct expr *expr, struct bound *bound, struct err *err)
{
    const struct expr_context *context = &expr->context;

    bound->read_samples = calloc(context->nsamples + 1, sizeof *bound->read_samples);
    if (bound->read_samples == NULL)
        return err_nomem(err, "an expression");
    for (uint64_t s = 0; s < context->nsamples; s++)
        if (bound_uses(bound, s))
            bound->read_samples[bound->nread++] = context->sample_column[s];
    return 0;
}

static uint64_t width_taken(const struct expr_indices *take, uint64_t width)
{
    uint64_t n = 0;

    if (take == NULL || !take->given)
        return width;
    for (uint64_t i = 0; i < width; i++)
        n += expr_indices_have(take, i);
    return size_max(1, n);
}

static int set_subscript(struct expr *expr, struct bound *bound, struct err *err)
{
    const struct expr_subscript *subscript = &bound->node->subscript;

    if (bound->per_sample) {
        bound->take = subscript->colon ? &subscript->second : NULL;
        return use_samples(expr, bound, err);
    }
    if (subscript->colon || subscript->file != NULL)
        return bound_error(expr, bound->node, err,
                           "'%.*s' is no FORMAT tag, so its subscript cannot name samples",
                           (int)bound->node->len, bound->node->text);
    bound->take = subscript->given ? &subscript->first : NULL;
    return 0;
}

/* "AD[GT]": the tag must have one value for each allele. */
static int take_of_call(struct expr *expr, struct bound *bound, struct err *err)
{
    if (bound->take == NULL || !bound->take->of_call)
        return 0;
    if (bound->array_width != column_array_width(expr->context.vcz->allele, false))
        return bound_error(expr, bound->node, err,
                           "%.*s does not have one value for each allele, for GT to choose from",
                           (int)bound->node->len, bound->node->text);
    bound->take_of_call = true;
    expr->needs_genotype = true;
    return 0;
}

/* Takes ownership of the array, also if it fails. */
static struct bound *bind_array(struct expr *expr, const struct expr_node *node,
                                struct zarr_array *array, bool per_sample, struct err *err)
{
    struct bound *bound = bound_new(expr, BOUND_ARRAY, node, err);

    if (bound == NULL) {
        zarr_array_free(array);
        return NULL;
    }
    bound->array = array;
    bound->per_sample = per_sample;
    bound->type = column_array_is_string(array) ? TYPE_IS_STRING : TYPE_IS_NUMBER;
    bound->flag = array->meta.dtype.kind == DTYPE_BOOL;
    bound->array_width = column_array_width(array, per_sample);
    if (set_subscript(expr, bound, err) != 0 || take_of_call(expr, bound, err) != 0 ||
        (per_sample && list_read_samples(expr, bound, err) != 0))
        return NULL;
    bound->width = width_taken(bound->take, bound->array_width);
    return bound;
}

/* *out is NULL if the store has no such tag. */
static int open_tag(const struct expr *expr, const struct expr_node *node, bool format,
                    struct zarr_array **out, struct err *err)
{
    char name[256];
    int n = snprintf(name, sizeof name, "%s%.*s", format ? "call_" : "variant_", (int)node->len,
                     node->text);

    *out = NULL;
    if (n < 0 || (size_t)n >= sizeof name || is_reserved(name))
        return 0;
    return column_array_open(expr->context.vcz, name, format, out, err);
}

static struct bound *bind_gt(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct bound *bound = bound_new(expr, BOUND_GT, node, err);

    if (bound == NULL)
        return NULL;
    bound->type = TYPE_IS_STRING;
    bound->per_sample = true;
    expr->needs_genotype = true;
    if (node->subscript.second.of_call) {
        bound_error(expr, node, err, "GT does not have one value for each allele");
        return NULL;
    }
    return set_subscript(expr, bound, err) == 0 ? bound : NULL;
}

static struct bound *bind_quality(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct zarr_array *array;
    struct bound *bound;

    if (column_array_open(expr->context.vcz, "variant_quality", false, &array, err) != 0)
        return NULL;
    if (array != NULL)
        return bind_array(expr, node, array, false, err);
    bound = bound_new(expr, BOUND_CONSTANT, node, err);
    if (bound != NULL)
        bound->number = column_from_bits(COLUMN_MISSING_BITS);
    return bound;
}

static int open_filters(struct expr *expr, struct err *err)
{
    const struct vcz *vcz = expr->context.vcz;
    struct zarr_array *ids = NULL;
    struct decoder *decoder;
    int rc = -1;

    if (expr->filter != NULL)
        return 0;
    if (column_array_open(vcz, "variant_filter", false, &expr->filter, err) != 0 ||
        zarr_array_open(vcz->group, "filter_id", &ids, err) != 0)
        return -1;
    if (expr->filter == NULL || ids == NULL) {
        zarr_array_free(ids);
        return err_set(err, ERR_DATA, "%s has no arrays variant_filter and filter_id",
                       store_path(vcz->store));
    }
    decoder = decoder_new(expr->context.scratch_max, err);
    if (decoder != NULL && zarr_array_strings(decoder, ids, &expr->filter_id, err) == 0)
        rc = 0;
    decoder_free(decoder);
    zarr_array_free(ids);
    if (rc == 0 &&
        (expr->filter_id.nitems != column_array_width(expr->filter, false) ||
         column_array_is_string(expr->filter) || expr->filter->meta.dtype.kind == DTYPE_FLOAT))
        rc = err_set(err, ERR_CORRUPT, "%s: arrays variant_filter and filter_id do not agree",
                     store_path(vcz->store));
    return rc;
}

static struct bound *bind_column(struct expr *expr, const struct expr_node *node, size_t i,
                                 struct err *err)
{
    const enum bound_kind kind = columns[i].kind;
    struct bound *bound;

    if (node->subscript.given && kind != BOUND_ALT) {
        bound_error(expr, node, err, "%s is one value and takes no subscript", columns[i].name);
        return NULL;
    }
    if (kind == BOUND_ARRAY)
        return bind_quality(expr, node, err);
    if (kind == BOUND_FILTER && open_filters(expr, err) != 0)
        return NULL;
    bound = bound_new(expr, kind, node, err);
    if (bound == NULL)
        return NULL;
    bound->type = columns[i].type;
    bound->number = (double)expr->context.nsamples;
    expr->needs_allele = expr->needs_allele || kind == BOUND_REF || kind == BOUND_ALT ||
                         kind == BOUND_TYPE || kind == BOUND_N_ALT;
    expr->needs_id = expr->needs_id || kind == BOUND_ID;
    expr->needs_genotype =
        expr->needs_genotype || kind == BOUND_N_MISSING || kind == BOUND_F_MISSING;
    if (kind != BOUND_ALT)
        return bound;
    bound->array_width = size_max(1, column_array_width(expr->context.vcz->allele, false) - 1);
    if (set_subscript(expr, bound, err) != 0)
        return NULL;
    bound->width = width_taken(bound->take, bound->array_width);
    return bound;
}

static int open_stored_counts(struct expr *expr, struct err *err)
{
    const struct vcz *vcz = expr->context.vcz;

    if ((expr->ac != NULL && expr->an != NULL) || expr->context.samples_chosen)
        return 0;
    zarr_array_free(expr->ac);
    zarr_array_free(expr->an);
    expr->ac = expr->an = NULL;
    if (column_array_open(vcz, "variant_AC", false, &expr->ac, err) != 0 ||
        column_array_open(vcz, "variant_AN", false, &expr->an, err) != 0)
        return -1;
    if (expr->ac != NULL && expr->an != NULL && !column_array_is_string(expr->ac) &&
        !column_array_is_string(expr->an) && column_array_width(expr->an, false) == 1)
        return 0;
    zarr_array_free(expr->ac);
    zarr_array_free(expr->an);
    expr->ac = expr->an = NULL;
    return 0;
}

/* As in bcftools, AC and the like without a subscript mean the first ALT's, if they are counted
 * here. */
static const struct expr_indices *first_alt(void)
{
    static const struct expr_range first = {.first = 0, .last = 0};
    static const struct expr_indices indices = {.given = true,
                                                .single = true,
                                                .ranges = (struct expr_range *)(uintptr_t)&first,
                                                .nranges = 1};

    return &indices;
}

static struct bound *bind_counted(struct expr *expr, const struct expr_node *node,
                                  enum bound_kind kind, struct err *err)
{
    struct bound *bound = bound_new(expr, kind, node, err);
    bool per_allele = kind != BOUND_AN && kind != BOUND_NS;

    if (bound == NULL)
        return NULL;
    bound->type = TYPE_IS_NUMBER;
    expr->needs_allele = true;
    expr->needs_genotype = expr->needs_genotype || kind != BOUND_ILEN;
    bound->array_width =
        per_allele ? size_max(1, column_array_width(expr->context.vcz->allele, false) - 1) : 1;
    if (set_subscript(expr, bound, err) != 0 ||
        (kind != BOUND_ILEN && kind != BOUND_NS && open_stored_counts(expr, err) != 0))
        return NULL;
    if (per_allele && kind != BOUND_ILEN && !node->subscript.given)
        bound->take = first_alt();
    bound->width = width_taken(bound->take, bound->array_width);
    return bound;
}

/* The counted tag of that name, or NULL. */
static struct bound *bind_if_counted(struct expr *expr, const struct expr_node *node, bool *found,
                                     struct err *err)
{
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (is_named(node, counted[i].name)) {
            *found = true;
            return bind_counted(expr, node, counted[i].kind, err);
        }
    *found = false;
    return NULL;
}

/* True if the store's value must not be used: the user chose samples (even if all of them), so
 * counts are made over those. The prefix INFO/ asks for the store's value nevertheless. */
static bool stored_is_stale(const struct expr *expr, const struct expr_node *node)
{
    return node->scope == SCOPE_ANY && expr->context.samples_chosen &&
           strncasecmp(node->text, "ILEN", node->len) != 0;
}

struct bound *bind_tag(struct expr *expr, const struct expr_node *node, struct err *err)
{
    struct zarr_array *info = NULL, *format = NULL;
    bool is_gt = node->len == 2 && memcmp(node->text, "GT", 2) == 0, found;
    struct bound *bound;

    for (size_t i = 0; node->scope == SCOPE_ANY && i < sizeof columns / sizeof columns[0]; i++)
        if (is_named(node, columns[i].name))
            return bind_column(expr, node, i, err);
    if (stored_is_stale(expr, node)) {
        bound = bind_if_counted(expr, node, &found, err);
        if (found)
            return bound;
    }
    if ((node->scope != SCOPE_FORMAT && open_tag(expr, node, false, &info, err) != 0) ||
        (node->scope != SCOPE_INFO && !is_gt && open_tag(expr, node, true, &format, err) != 0)) {
        zarr_array_free(info);
        return NULL;
    }
    if (info != NULL && (format != NULL || (is_gt && node->scope == SCOPE_ANY))) {
        bound_error(expr, node, err,
                    "%.*s is ambiguous: the store has INFO/%.*s and FORMAT/%.*s; say which",
                    (int)node->len, node->text, (int)node->len, node->text, (int)node->len,
                    node->text);
        zarr_array_free(info);
        zarr_array_free(format);
        return NULL;
    }
    if (info != NULL || format != NULL)
        return bind_array(expr, node, info != NULL ? info : format, format != NULL, err);
    if (is_gt && node->scope != SCOPE_INFO)
        return bind_gt(expr, node, err);
    if (node->scope != SCOPE_FORMAT) {
        bound = bind_if_counted(expr, node, &found, err);
        if (found)
            return bound;
    }
    unknown_tag(expr, node, err);
    return NULL;
}
