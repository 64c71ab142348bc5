/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/consumer_values.h"

#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <string.h>

bool far_positions(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey_count *far = &look->survey.far;

    (void)rule;
    if (far->n > 0)
        buf_printf(said, "%" PRIu64 " position%s above 2147483646 (first: %s)", far->n,
                   far->n == 1 ? " is" : "s are", far->first);
    return far->n > 0;
}

bool same_ids(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    const uint64_t nunnamed = survey->nunnamed > 1 ? survey->nunnamed - 1 : 0;
    const uint64_t n = survey->nsame_id + nunnamed;

    (void)rule;
    if (n > 0)
        buf_printf(
            said, "%s%" PRIu64 " variant%s the ID of an earlier one, %" PRIu64 " of them '.'",
            survey->all_compared ? "" : "at least ", n, n == 1 ? " has" : "s have", nunnamed);
    return n > 0;
}

bool more_variants(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const uint64_t n = row_map_nrows(&look->selection.rows);

    if (n > rule->limit)
        buf_printf(said, "%" PRIu64 " variants are more than %" PRIu64, n, rule->limit);
    return n > rule->limit;
}

bool more_samples(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    if (look->selection.nsamples > rule->limit)
        buf_printf(said, "%" PRIu64 " samples are more than %" PRIu64, look->selection.nsamples,
                   rule->limit);
    return look->selection.nsamples > rule->limit;
}

bool fewer_samples(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const uint64_t n = look->selection.nsamples;

    if (n < rule->limit)
        buf_printf(said, "%" PRIu64 " sample%s fewer than %" PRIu64, n, n == 1 ? " is" : "s are",
                   rule->limit);
    return n < rule->limit;
}

bool no_variants(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "there is no variant");
    return row_map_nrows(&look->selection.rows) == 0;
}

bool sample_na(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "a sample is called NA");
    for (uint64_t i = 0; i < look->selection.nsamples; i++)
        if (text_equal(&look->selection.sample_id[i], "NA"))
            return true;
    return false;
}

/* True if all samples' IDs contain the same one of these characters. */
bool separators(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    for (const char *at = ",|;"; *at != '\0'; at++) {
        uint64_t i = 0;

        while (i < look->selection.nsamples && memchr(look->selection.sample_id[i].at, *at,
                                                      look->selection.sample_id[i].len) != NULL)
            i++;
        if (i == look->selection.nsamples) {
            buf_printf(said, "every sample's ID has a '%c' in it", *at);
            return true;
        }
    }
    return false;
}

bool one_family(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "the first column is 0 for every sample (--fid 0)");
    return look->fid_zero && look->selection.nsamples > 1;
}

bool phased_calls(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "calls are shown with their phase (--phased)");
    return look->phased && look->vcz->phased != NULL;
}

bool haploid_calls(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    (void)rule;
    if (!look->haploid)
        return false;
    if (look->vcz->ploidy == 1)
        buf_append_str(said, "every call is haploid (--haploid)");
    else if (look->calls_known)
        buf_printf(said, "%" PRIu64 " variant%s haploid calls (--haploid)", look->nhaploid,
                   look->nhaploid == 1 ? " has" : "s have");
    else
        buf_append_str(said, "haploid calls are shown so (--haploid), if there are any, which "
                             "--check finds out");
    return look->vcz->ploidy == 1 || !look->calls_known || look->nhaploid > 0;
}
