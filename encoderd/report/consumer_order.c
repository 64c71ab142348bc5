/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/consumer_order.h"

#include "encoderd/format/chromosome.h"
#include "encoderd/report/consumer_contigs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool unsorted_positions(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey_count *unsorted = &look->survey.unsorted;

    (void)rule;
    if (unsorted->n > 0)
        buf_printf(said,
                   "%" PRIu64 " variant%s at a lower position than the one before (first: %s)",
                   unsorted->n, unsorted->n == 1 ? " is" : "s are", unsorted->first);
    return unsorted->n > 0;
}

/* Contigs with the same code are one chromosome to plink. */
static uint64_t plink_key(const struct look *look, uint64_t contig)
{
    struct chromosome chromosome;

    return chromosome_of(&look->vcz->contigs.items[contig], look->nautosomes, &chromosome) &&
                   chromosome.code >= 0
               ? (uint64_t)chromosome.code
               : CHROMOSOME_CODES + contig;
}

bool split_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    bool *seen = calloc(CHROMOSOME_CODES + look->vcz->contigs.nitems, sizeof *seen);
    uint64_t before = UINT64_MAX;
    bool found = false;

    (void)rule;
    said->failed |= seen == NULL;
    for (size_t i = 0; seen != NULL && i < survey->nruns && !found; i++) {
        const uint64_t key = plink_key(look, survey->runs[i].contig);

        found = key != before && seen[key];
        if (found) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_append_str(said, " is in several pieces, others between them");
        }
        seen[key] = true;
        before = key;
    }
    free(seen);
    return found;
}

bool descending_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    int before = 0;

    for (size_t i = 0; i < survey->nruns; i++) {
        const int number = read_contig(look, rule, survey->runs[i].contig).number;

        if (number != 0 && number < before) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_printf(said, ", chromosome %d to it, comes after %d", number, before);
            return true;
        }
        if (number != 0)
            before = number;
    }
    return false;
}

#define AUTOSOMES   22
#define NUMBERS_MAX 26

/* True if a chromosome, by the program's number, comes again after another one. */
bool returning_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    bool seen[NUMBERS_MAX + 1] = {false};
    int before = 0;

    for (size_t i = 0; i < survey->nruns; i++) {
        const int number = read_contig(look, rule, survey->runs[i].contig).number;

        if (number != 0 && number != before && seen[number]) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_printf(said, ", chromosome %d to it, comes after %d and is not the first", number,
                       before);
            return true;
        }
        seen[number] = true;
        before = number;
    }
    return false;
}

/* True if of two neighbouring chromosomes in the view the higher one begins or ends before the
 * lower. */
bool mixed_autosomes(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    uint64_t first[AUTOSOMES + 1] = {0}, end[AUTOSOMES + 1] = {0};

    for (size_t i = 0; i < survey->nruns; i++) {
        const struct survey_run *run = &survey->runs[i];
        const struct contig_reading reading = read_contig(look, rule, run->contig);
        const int n = reading.how == TAKEN && reading.number <= AUTOSOMES ? reading.number : 0;

        if (end[n] == 0)
            first[n] = run->row;
        end[n] = run->row + run->nrows;
    }
    for (int n = 2; n <= AUTOSOMES; n++)
        if (end[n] > 0 && end[n - 1] > 0 && (first[n] < first[n - 1] || end[n] < end[n - 1])) {
            buf_printf(said, "chromosome %d begins or ends before %d", n, n - 1);
            return true;
        }
    return false;
}

static bool is_number(const struct str *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->at[i] < '0' || text->at[i] > '9')
            return false;
    return text->len > 0;
}

static bool all_numbers(const struct look *look)
{
    for (size_t i = 0; i < look->survey.nruns; i++)
        if (!is_number(&look->vcz->contigs.items[look->survey.runs[i].contig]))
            return false;
    return true;
}

/* Compares names as R's data.table sorts them in a column; there are no leading zeroes. */
static int compare_names(const struct str *a, const struct str *b, bool numbers)
{
    const int rc = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

    if (numbers && a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return rc != 0 ? rc : (a->len > b->len) - (a->len < b->len);
}

bool first_not_least(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    const struct str *names = look->vcz->contigs.items;
    const bool numbers = all_numbers(look);

    (void)rule;
    for (size_t i = 0; i < survey->nruns; i++) {
        const struct survey_run *run = &survey->runs[i];
        const int order =
            compare_names(&names[run->contig], &names[survey->runs[0].contig], numbers);

        if (order < 0 || (order == 0 && run->least < survey->first_position)) {
            buf_append_str(said, "the first variant is not the first by contig and position: ");
            say_contig(said, &names[run->contig]);
            buf_printf(said, ":%" PRId64 " is before it", run->least);
            return true;
        }
    }
    return false;
}
