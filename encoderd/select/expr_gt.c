/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_gt.h"

#include "encoderd/select/expr_genotypes.h"
#include "encoderd/select/expr_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Results for calls whose alleles are all below this are remembered. */
#define REMEMBERED  16
#define NREMEMBERED ((REMEMBERED + 2) * (REMEMBERED + 2) * 2)

enum { UNKNOWN, NO, YES };

/* bcftools takes a call as missing if any of its alleles is. */
static bool call_is_missing(const struct call *call)
{
    return call->a < 0 || call->b == VCZ_INT_MISSING;
}

static const char *call_letters(const struct call *call)
{
    bool ref = call->a == 0 || call->b == 0;

    if (call->b < 0)
        return ref ? "r" : "a";
    if (call->a == call->b)
        return ref ? "rr" : "aa";
    return ref ? "ra" : "aA";
}

static void put_allele(char **at, const char *end, int64_t allele)
{
    int n = allele < 0 ? snprintf(*at, (size_t)(end - *at), ".")
                       : snprintf(*at, (size_t)(end - *at), "%" PRId64, allele);

    *at += n;
}

#define CALL_TEXT_MAX 48

static const char *call_text(const struct call *call, char buf[CALL_TEXT_MAX])
{
    char *at = buf, *end = buf + CALL_TEXT_MAX;

    put_allele(&at, end, call->a);
    if (call->b != VCZ_INT_FILL) {
        *at++ = call->phased ? '|' : '/';
        put_allele(&at, end, call->b);
    }
    return buf;
}

/* The text of a call in the comparison's form. */
static const char *call_word(enum gt_form form, const struct call *call, char buf[CALL_TEXT_MAX])
{
    if (form == GT_TEXT)
        return call_text(call, buf);
    if (call_is_missing(call))
        return form == GT_PRESENCE ? "mis" : ".";
    switch (form) {
    case GT_ZYGOSITY:
        return call->b < 0 ? "hap" : call->a == call->b ? "hom" : "het";
    case GT_PRESENCE:
        return call->a == 0 && call->b <= 0 ? "ref" : "alt";
    default:
        return call_letters(call);
    }
}

static bool match_call(const struct bound *bound, const struct call *call, struct pattern *pattern)
{
    const struct bound *constant = bound->args[1];
    char buf[CALL_TEXT_MAX];
    struct str word = {.at = call_word(bound->gt_form, call, buf)};

    word.len = strlen(word.at);
    return eval_match(bound->node->op, &word, constant->text, constant->text_len, pattern);
}

/* There are few different calls and many samples: the result for a call is used again for equal
 * calls. */
static bool match_remembered(const struct bound *bound, struct values *values,
                             const struct call *call)
{
    const int64_t a = call->a + 2, b = call->b + 2;
    uint8_t *known;

    if (a < 0 || b < 0 || a >= REMEMBERED + 2 || b >= REMEMBERED + 2)
        return match_call(bound, call, values->pattern);
    known = &values->gt_match[(a * (REMEMBERED + 2) + b) * 2 + call->phased];
    if (*known == UNKNOWN)
        *known = match_call(bound, call, values->pattern) ? YES : NO;
    return *known == YES;
}

int eval_compare_gt(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const uint64_t nsamples = eval->expr->context.nsamples;
    bool by_phase = bound->gt_form == GT_TEXT && eval->phased != NULL;
    struct values *out = eval_values(eval, bound);

    if (out->gt_match == NULL)
        out->gt_match = calloc(NREMEMBERED, 1);
    if (out->gt_match == NULL)
        return err_nomem(err, "an expression");
    if (by_phase && eval_phases(eval, err) != 0)
        return -1;
    for (uint64_t row = 0; row < eval->batch->n; row++) {
        uint8_t *samples = out->samples + row * nsamples, any = 0;

        for (uint64_t s = 0; s < nsamples; s++) {
            struct call call = call_at(eval, row * nsamples + s);

            call.phased = by_phase && eval->phases[row * nsamples + s] != 0;
            samples[s] = bound_uses(bound, s) && match_remembered(bound, out, &call);
            any |= samples[s];
        }
        out->site[row] = any;
    }
    return 0;
}
