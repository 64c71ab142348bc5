#include "encoderd/select/expr_eval.h"

#include "common/size.h"
#include "encoderd/vcz/holes.h"

#include <math.h>
#include <stdlib.h>

/* The evaluator's buffers hold as many variants as the batches that choose.c makes. */
#define BATCH_MAX UINT64_C(4096)

struct values *eval_values(struct expr_eval *eval, const struct bound *bound)
{
    return &eval->values[bound->slot];
}

static void *new_array(uint64_t n, uint64_t m, size_t size)
{
    uint64_t count;

    return size_mul(n, m, &count) && count < SIZE_MAX / size / 2 ? calloc(count + 1, size) : NULL;
}

static int make_room(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const uint64_t cells = bound_cells(eval->expr, bound), max = eval->max;
    bool ok = true;

    switch (bound->type) {
    case TYPE_IS_NUMBER:
        values->numbers = new_array(max, cells * bound->width, sizeof *values->numbers);
        ok = values->numbers != NULL;
        break;
    case TYPE_IS_STRING:
        values->strings = new_array(max, cells * bound->width, sizeof *values->strings);
        ok = values->strings != NULL;
        break;
    case TYPE_IS_TRUTH:
        values->site = new_array(max, 1, 1);
        values->samples = bound->per_sample ? new_array(max, cells, 1) : NULL;
        ok = values->site != NULL && (!bound->per_sample || values->samples != NULL);
        break;
    }
    return ok ? 0 : err_set(err, ERR_MEMORY, "out of memory for an expression");
}

static int open_array(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    struct batch *batch = eval->batch;
    const uint64_t cells = bound->per_sample ? bound->nread : 1;
    const size_t size = bound->type == TYPE_IS_STRING ? sizeof(struct str) : sizeof(double);

    values->column = column_new(bound->array, bound->read_samples, bound->nread, batch->decoder,
                                batch->budget, err);
    if (values->column == NULL)
        return -1;
    values->scratch = new_array(eval->max, cells * bound->array_width, size);
    return values->scratch != NULL ? 0
                                   : err_set(err, ERR_MEMORY, "out of memory for an expression");
}

/* A comparison's pattern is compiled once a thread: glibc locks it while it matches. */
static int compile_pattern(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *constant = bound->args[1];
    struct values *values = eval_values(eval, bound);

    if (bound->type != TYPE_IS_TRUTH || bound->kind == BOUND_COMPARE_FILTER ||
        bound->kind == BOUND_COMPARE_TYPE ||
        (bound->node->op != EXPR_LIKE && bound->node->op != EXPR_NOT_LIKE))
        return 0;
    values->pattern = calloc(1, sizeof *values->pattern);
    if (values->pattern == NULL ||
        regcomp(&values->pattern->regex, constant->text,
                REG_NOSUB | (constant->ignore_case ? REG_ICASE : 0)) != 0) {
        free(values->pattern);
        values->pattern = NULL;
        return err_set(err, ERR_MEMORY, "out of memory for a regular expression");
    }
    return 0;
}

static int open_genotypes(struct expr_eval *eval, struct err *err)
{
    const struct expr_context *context = &eval->expr->context;
    const struct vcz *vcz = context->vcz;
    struct batch *batch = eval->batch;
    const uint64_t max = eval->max;

    if (eval->expr->needs_genotype) {
        eval->genotype = column_new(vcz->genotype, context->sample_column, context->nsamples,
                                    batch->decoder, batch->budget, err);
        if (eval->genotype == NULL)
            return -1;
        column_on_absent(eval->genotype, holes_judge_calls, vcz->holes);
        eval->alleles = new_array(max, context->nsamples * vcz->ploidy, sizeof *eval->alleles);
    }
    if (eval->expr->needs_phase && vcz->phased != NULL) {
        eval->phased = column_new(vcz->phased, context->sample_column, context->nsamples,
                                  batch->decoder, batch->budget, err);
        if (eval->phased == NULL)
            return -1;
    }
    eval->phases =
        eval->expr->needs_phase ? new_array(max, context->nsamples, sizeof *eval->phases) : NULL;
    eval->an = new_array(max, 1, sizeof *eval->an);
    eval->nmissing = new_array(max, 1, sizeof *eval->nmissing);
    eval->ns = new_array(max, 1, sizeof *eval->ns);
    eval->ac = new_array(max, batch_allele_slots(batch), sizeof *eval->ac);
    if ((eval->genotype != NULL && eval->alleles == NULL) ||
        (eval->expr->needs_phase && eval->phases == NULL) || eval->an == NULL ||
        eval->nmissing == NULL || eval->ns == NULL || eval->ac == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for an expression");
    return 0;
}

static int open_one(struct expr_eval *eval, const struct zarr_array *array, size_t size,
                    struct column **column, void *buffer, struct err *err)
{
    void **out = buffer;

    if (array == NULL)
        return 0;
    *column = column_new(array, NULL, 0, eval->batch->decoder, eval->batch->budget, err);
    if (*column == NULL)
        return -1;
    *out = new_array(eval->max, column_array_width(array, false), size);
    return *out != NULL ? 0 : err_set(err, ERR_MEMORY, "out of memory for an expression");
}

static int open_all(struct expr_eval *eval, struct err *err)
{
    const struct expr *expr = eval->expr;

    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        if (make_room(eval, bound, err) != 0 || compile_pattern(eval, bound, err) != 0 ||
            (bound->array != NULL && open_array(eval, bound, err) != 0))
            return -1;
    if (open_one(eval, expr->ac, sizeof(double), &eval->stored_ac, &eval->stored_acs, err) != 0 ||
        open_one(eval, expr->an, sizeof(double), &eval->stored_an, &eval->stored_ans, err) != 0 ||
        open_one(eval, expr->filter, sizeof(int64_t), &eval->filter, &eval->filters, err) != 0)
        return -1;
    return open_genotypes(eval, err);
}

struct expr_eval *expr_eval_new(const struct expr *expr, struct batch *batch, struct err *err)
{
    struct expr_eval *eval = calloc(1, sizeof *eval);

    if (eval == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for an expression");
        return NULL;
    }
    eval->expr = expr;
    eval->batch = batch;
    eval->max = size_min(BATCH_MAX, expr_batch_max(expr));
    eval->values = calloc(expr->nslots + 1, sizeof *eval->values);
    if (eval->values == NULL)
        err_set(err, ERR_MEMORY, "out of memory for an expression");
    else if (open_all(eval, err) == 0)
        return eval;
    expr_eval_free(eval);
    return NULL;
}

static void values_free(struct values *values)
{
    column_free(values->column);
    free(values->numbers);
    free(values->strings);
    free(values->site);
    free(values->samples);
    free(values->scratch);
    free(values->gt_match);
    if (values->pattern != NULL) {
        regfree(&values->pattern->regex);
        buf_free(&values->pattern->text);
    }
    free(values->pattern);
}

void expr_eval_free(struct expr_eval *eval)
{
    if (eval == NULL)
        return;
    for (unsigned i = 0; eval->values != NULL && i < eval->expr->nslots; i++)
        values_free(&eval->values[i]);
    free(eval->values);
    column_free(eval->genotype);
    column_free(eval->phased);
    column_free(eval->stored_ac);
    column_free(eval->stored_an);
    column_free(eval->filter);
    free(eval->alleles);
    free(eval->phases);
    free(eval->an);
    free(eval->ac);
    free(eval->nmissing);
    free(eval->ns);
    free(eval->stored_acs);
    free(eval->stored_ans);
    free(eval->filters);
    free(eval);
}

uint64_t expr_eval_end(const struct expr_eval *eval, uint64_t variant, uint64_t end)
{
    const struct expr *expr = eval->expr;
    const struct vcz *vcz = expr->context.vcz;

    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        if (bound->array != NULL && bound->type == TYPE_IS_STRING)
            end = size_min(end, column_chunk_end(eval->values[bound->slot].column, variant));
    if (expr->needs_id && vcz->id != NULL) {
        uint64_t chunk = vcz->id->meta.chunk[0];

        end = size_min(end, variant - variant % chunk + chunk);
    }
    return end;
}

/* How many values are there, before what is not. */
static uint64_t count(const double *at, uint64_t width)
{
    uint64_t n = 0;

    while (n < width && !number_is_fill(at[n]))
        n++;
    return n;
}

static double operate(enum expr_op op, double a, double b)
{
    switch (op) {
    case EXPR_ADD:
        return a + b;
    case EXPR_SUB:
        return a - b;
    case EXPR_MUL:
        return a * b;
    case EXPR_DIV:
        return a / b;
    case EXPR_MOD:
        if (!(fabs(a) < 9e15) || !(fabs(b) < 9e15) || trunc(b) == 0)
            return number_missing();
        return fmod(trunc(a), trunc(b));
    default:
        return -a;
    }
}

/* One cell: a single value goes with every value of the other side; else values go in pairs. */
static void operate_cell(enum expr_op op, const double *a, uint64_t na, const double *b,
                         uint64_t nb, double *out, uint64_t width)
{
    uint64_t n = na == 0 || nb == 0 ? 0 : size_max(na, nb);

    for (uint64_t i = 0; i < width; i++) {
        double x, y;

        if (i >= n) {
            out[i] = number_fill();
            continue;
        }
        x = na == 1 ? a[0] : i < na ? a[i] : number_missing();
        y = nb == 1 ? b[0] : i < nb ? b[i] : number_missing();
        out[i] =
            number_is_missing(x) || number_is_missing(y) ? number_missing() : operate(op, x, y);
    }
}

static void eval_arithmetic(struct expr_eval *eval, const struct bound *bound)
{
    const struct bound *a = bound->args[0], *b = bound->nargs > 1 ? bound->args[1] : a;
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, a)->numbers, *y = eval_values(eval, b)->numbers;
    double *out = eval_values(eval, bound)->numbers;

    for (uint64_t i = 0; i < eval->batch->n * cells; i++) {
        const double *p = x + (a->per_sample == bound->per_sample ? i : i / cells) * a->width;
        const double *q = y + (b->per_sample == bound->per_sample ? i : i / cells) * b->width;

        operate_cell(bound->node->op, p, count(p, a->width), q, count(q, b->width),
                     out + i * bound->width, bound->width);
    }
}

const uint8_t eval_missing_equal[3] = {0, 0, 1}, eval_missing_differ[3] = {0, 1, 0},
              eval_missing_order[3] = {0, 0, 0};

/* bcftools compares as float, where the numbers are not too large for it. */
#define FLOAT_WHOLE_MAX 16777216

static bool compare_two(enum expr_op op, double a, double b)
{
    if (!(a > FLOAT_WHOLE_MAX || b > FLOAT_WHOLE_MAX)) {
        a = (double)(float)a;
        b = (double)(float)b;
    }
    switch (op) {
    case EXPR_EQ:
        return a == b;
    case EXPR_NE:
        return a != b;
    case EXPR_LT:
        return a < b;
    case EXPR_LE:
        return a <= b;
    case EXPR_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static const uint8_t *missing_rule(enum expr_op op)
{
    return op == EXPR_EQ   ? eval_missing_equal
           : op == EXPR_NE ? eval_missing_differ
                           : eval_missing_order;
}

static bool compare_values(enum expr_op op, double a, double b)
{
    unsigned nmissing = (unsigned)number_is_missing(a) + (unsigned)number_is_missing(b);

    return nmissing > 0 ? missing_rule(op)[nmissing] != 0 : compare_two(op, a, b);
}

/* Is it so for any pair? Nothing at all counts as one missing value. */
static bool compare_any(enum expr_op op, const double *a, uint64_t na, const double *b, uint64_t nb)
{
    for (uint64_t i = 0; i < size_max(na, 1); i++)
        for (uint64_t j = 0; j < size_max(nb, 1); j++)
            if (compare_values(op, na > 0 ? a[i] : number_missing(),
                               nb > 0 ? b[j] : number_missing()))
                return true;
    return false;
}

/* Two samples' values go in pairs. */
static bool compare_pairs(enum expr_op op, const double *a, uint64_t na, const double *b,
                          uint64_t nb)
{
    if (na <= 1 || nb <= 1)
        return compare_any(op, a, na, b, nb);
    for (uint64_t i = 0; i < size_max(na, nb); i++)
        if (compare_values(op, i < na ? a[i] : number_missing(), i < nb ? b[i] : number_missing()))
            return true;
    return false;
}

int eval_compare_numbers(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, a)->numbers, *y = eval_values(eval, b)->numbers;
    struct values *out = eval_values(eval, bound);
    const enum expr_op op = bound->node->op;

    (void)err;
    for (uint64_t row = 0, i = 0; row < eval->batch->n; row++) {
        uint8_t any = 0;

        for (uint64_t cell = 0; cell < cells; cell++, i++) {
            const double *p = x + (a->per_sample == bound->per_sample ? i : row) * a->width;
            const double *q = y + (b->per_sample == bound->per_sample ? i : row) * b->width;
            uint64_t np = count(p, a->width), nq = count(q, b->width);
            bool pass = bound_uses(bound, cell) &&
                        (a->per_sample && b->per_sample ? compare_pairs(op, p, np, q, nq)
                                                        : compare_any(op, p, np, q, nq));

            if (bound->per_sample)
                out->samples[i] = pass;
            any |= pass;
        }
        out->site[row] = any;
    }
    return 0;
}

static void eval_flag(struct expr_eval *eval, const struct bound *bound)
{
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, bound->args[0])->numbers;
    struct values *out = eval_values(eval, bound);

    for (uint64_t i = 0; i < eval->batch->n * cells; i++) {
        bool pass = !number_is_missing(x[i]) && x[i] != 0 && bound_uses(bound, i % cells);

        if (i % cells == 0)
            out->site[i / cells] = 0;
        out->site[i / cells] |= pass;
        if (bound->per_sample)
            out->samples[i] = pass;
    }
}

/* The samples of a or b at one variant; all fail where a side has none. */
static const uint8_t *samples_at(struct expr_eval *eval, const struct bound *bound, uint64_t row)
{
    return bound->per_sample
               ? eval_values(eval, bound)->samples + row * eval->expr->context.nsamples
               : NULL;
}

/* bcftools' rules of which samples pass when sides are joined; one side may have no samples. */
static uint8_t join_samples(enum expr_op op, const uint8_t *a, const uint8_t *b, bool all,
                            uint64_t s)
{
    if (all)
        return 1;
    if (a == NULL || b == NULL)
        return (a != NULL ? a : b)[s];
    return op == EXPR_AND ? a[s] & b[s] : a[s] | b[s];
}

static void join_row(struct expr_eval *eval, const struct bound *bound, uint64_t row)
{
    const struct bound *left = bound->args[0], *right = bound->args[1];
    const enum expr_op op = bound->node->op;
    const uint64_t nsamples = eval->expr->context.nsamples;
    bool a = eval_values(eval, left)->site[row], b = eval_values(eval, right)->site[row];
    bool is_and = op == EXPR_AND || op == EXPR_AND_ANY, any = false;
    bool pass = is_and ? a && b : a || b;
    /* With ||, one true side selects every sample, unless the other side is of the site and false. */
    bool all = op == EXPR_OR_ANY && (left->per_sample || a) && (right->per_sample || b);
    struct values *out = eval_values(eval, bound);

    for (uint64_t s = 0; bound->per_sample && s < nsamples; s++) {
        uint8_t one = pass && bound_uses(bound, s)
                          ? join_samples(op, samples_at(eval, left, row),
                                         samples_at(eval, right, row), all, s)
                          : 0;

        out->samples[row * nsamples + s] = one;
        any = any || one;
    }
    /* With &, both must be true of one sample. */
    out->site[row] = op == EXPR_AND && left->per_sample && right->per_sample ? any : pass;
}

static bool any_site(const uint8_t *site, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (site[i])
            return true;
    return false;
}

static int eval_logic(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const enum expr_op op = bound->node->op;
    bool is_and = op == EXPR_AND || op == EXPR_AND_ANY;
    struct values *out = eval_values(eval, bound);
    const uint64_t n = eval->batch->n;

    if (eval_node(eval, bound->args[0], err) != 0)
        return -1;
    /* Where nothing is left of the batch, the other side's arrays need not be read. */
    if (is_and && !any_site(eval_values(eval, bound->args[0])->site, n)) {
        memset(out->site, 0, n);
        if (bound->per_sample)
            memset(out->samples, 0, n * eval->expr->context.nsamples);
        return 0;
    }
    if (eval_node(eval, bound->args[1], err) != 0)
        return -1;
    for (uint64_t row = 0; row < n; row++)
        join_row(eval, bound, row);
    return 0;
}

static void eval_compare_type(struct expr_eval *eval, const struct bound *bound)
{
    const double *types = eval_values(eval, bound->args[0])->numbers;
    uint8_t *out = eval_values(eval, bound)->site;
    unsigned wanted = (unsigned)bound->number;

    for (uint64_t i = 0; i < eval->batch->n; i++) {
        unsigned has = (unsigned)types[i];

        switch (bound->node->op) {
        case EXPR_EQ:
            out[i] = has == wanted;
            break;
        case EXPR_NE:
            out[i] = has != wanted;
            break;
        case EXPR_LIKE:
            out[i] = (has & wanted) != 0;
            break;
        default:
            out[i] = (has & wanted) == 0;
        }
    }
}

static int eval_operator(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    switch (bound->kind) {
    case BOUND_ARITHMETIC:
        eval_arithmetic(eval, bound);
        return 0;
    case BOUND_FLAG:
        eval_flag(eval, bound);
        return 0;
    case BOUND_COMPARE_TYPE:
        eval_compare_type(eval, bound);
        return 0;
    case BOUND_COMPARE_NUMBERS:
        return eval_compare_numbers(eval, bound, err);
    case BOUND_COMPARE_STRINGS:
        return eval_compare_strings(eval, bound, err);
    case BOUND_COMPARE_ID:
        return eval_compare_id(eval, bound, err);
    case BOUND_COMPARE_FILTER:
        return eval_compare_filter(eval, bound, err);
    case BOUND_COMPARE_GT:
        return eval_compare_gt(eval, bound, err);
    default:
        return eval_call(eval, bound, err);
    }
}

int eval_node(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    if (bound->kind == BOUND_LOGIC)
        return eval_logic(eval, bound, err);
    if (bound->nargs == 0)
        return eval_load(eval, bound, err);
    for (unsigned i = 0; i < bound->nargs; i++)
        if (eval_node(eval, bound->args[i], err) != 0)
            return -1;
    return eval_operator(eval, bound, err);
}

int expr_eval_run(struct expr_eval *eval, uint8_t *pass, struct err *err)
{
    eval->have_genotype = eval->have_phase = eval->have_counts = false;
    if (eval->batch->n > eval->max)
        return err_set(err, ERR_BUDGET, "an expression is asked for too many variants at once");
    if (eval_node(eval, eval->expr->root, err) != 0)
        return -1;
    for (unsigned i = 0; i < eval->expr->nslots; i++)
        if (eval->values[i].pattern != NULL && eval->values[i].pattern->text.failed)
            return err_set(err, ERR_MEMORY, "out of memory for a regular expression");
    memcpy(pass, eval_values(eval, eval->expr->root)->site, eval->batch->n);
    return 0;
}
