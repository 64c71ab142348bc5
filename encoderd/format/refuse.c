/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/refuse.h"

#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>

void refuse_show_place(const struct site *site, char out[REFUSE_PLACE_MAX])
{
    char shown[TEXT_SHOW_MAX];

    if (text_is_column(&site->contig) && site->contig.len < TEXT_SHOW_MAX)
        snprintf(out, REFUSE_PLACE_MAX, "%.*s:%" PRId64, (int)site->contig.len, site->contig.at,
                 site->position);
    else
        snprintf(out, REFUSE_PLACE_MAX, "contig %s, position %" PRId64,
                 text_show(&site->contig, shown), site->position);
}

void refuse_count(struct refuse_tally *tally, const struct site *site)
{
    char place[REFUSE_PLACE_MAX];

    if (tally->n++ > 0)
        return;
    if (site->contig_index < 0) {
        buf_printf(&tally->first, "first: variant %" PRIu64, site->variant);
        return;
    }
    refuse_show_place(site, place);
    buf_printf(&tally->first, "first: %s, variant %" PRIu64, place, site->variant);
}

static void count_name(struct refuse_tally *tally, const struct site *site, const char *what,
                       const struct str *name, const char *why)
{
    char place[REFUSE_PLACE_MAX], shown[TEXT_SHOW_MAX];

    if (tally->n++ > 0)
        return;
    refuse_show_place(site, place);
    buf_printf(&tally->first, "first: variant %" PRIu64 " (%s): its %s %s %s", site->variant, place,
               what, text_show(name, shown), why);
}

bool refuse_count_names(struct refuse_tally *tally, const struct site *site, const char *contig_why,
                        const struct site_places *places)
{
    static const char *const whats[] = {"REF", "ALT"};
    const char *why;

    if (contig_why != NULL) {
        count_name(tally, site, "contig", &site->contig, contig_why);
        return true;
    }
    if ((why = misread_why(places->id, &site->id)) != NULL) {
        count_name(tally, site, "ID", &site->id, why);
        return true;
    }
    for (unsigned i = 0; i < site->nalleles; i++) {
        if ((why = misread_why(places->allele, &site->alleles[i])) == NULL)
            continue;
        count_name(tally, site, whats[i > 0], &site->alleles[i], why);
        return true;
    }
    return false;
}

void refuse_add(struct refuse_tally *sum, const struct refuse_tally *piece)
{
    if (piece->n > 0 && sum->n == 0)
        buf_append(&sum->first, piece->first.data, piece->first.len);
    sum->n += piece->n;
}

void refuse_clear_tally(struct refuse_tally *tally)
{
    buf_free(&tally->first);
}

/* The length of the text about the first site, for "%.*s". */
static int first_len(const struct refuse_tally *tally)
{
    return tally->first.data != NULL ? (int)tally->first.len : 0;
}

static const char *first_text(const struct refuse_tally *tally)
{
    return tally->first.data != NULL ? (const char *)tally->first.data : "";
}

int refuse_multiallelic(const struct selection *selection, const struct refuse_tally *tally,
                        struct err *err)
{
    const uint64_t nrows = row_map_nrows(&selection->rows);

    return err_set(err, ERR_DATA,
                   "%s: %" PRIu64 " of %" PRIu64 " variant%s %s more than two alleles (%.*s); "
                   "two-allele records cannot hold them. Use --max-alleles 2 to leave them out, "
                   "or split them first with `bcftools norm -m-`",
                   store_path(selection->vcz->store), tally->n, nrows, nrows == 1 ? "" : "s",
                   tally->n == 1 ? "has" : "have", first_len(tally), first_text(tally));
}

int refuse_names(const struct selection *selection, const struct refuse_tally *tally,
                 const char *suffix, const char *without, struct err *err)
{
    const uint64_t nrows = row_map_nrows(&selection->rows);

    return err_set(err, ERR_DATA,
                   "%s: %" PRIu64 " of %" PRIu64 " variant%s %s a name that cannot stand in the %s "
                   "(%.*s). Leave them out with --targets or --exclude, rename them in the store%s",
                   store_path(selection->vcz->store), tally->n, nrows, nrows == 1 ? "" : "s",
                   tally->n == 1 ? "has" : "have", suffix, first_len(tally), first_text(tally),
                   without);
}

int refuse_samples(const struct selection *selection, enum misread_place place, const char *suffix,
                   const char *without, struct err *err)
{
    const char *why = NULL;
    char shown[TEXT_SHOW_MAX];
    uint64_t n = 0, first = 0;

    for (uint64_t i = 0; i < selection->nsamples; i++) {
        const char *said = misread_why(place, &selection->sample_id[i]);

        if (said == NULL || n++ > 0)
            continue;
        why = said;
        first = i;
    }
    if (n == 0)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %" PRIu64 " of %" PRIu64 " sample ID%s cannot stand in the %s (first: "
                   "sample %" PRIu64 ", %s, %s). Leave them out with --samples, rename them in the "
                   "store, or use %s to do without them there",
                   store_path(selection->vcz->store), n, selection->nsamples,
                   selection->nsamples == 1 ? "" : "s", suffix, first,
                   text_show(&selection->sample_id[first], shown), why, without);
}

/* Allele `i` of the run. */
static int run_allele(const struct call_run *run, uint64_t i)
{
    unsigned value = 0;

    if (run->planes.at == NULL)
        return run->alleles[i];
    i += run->first;
    for (unsigned p = 0; p < run->planes.n; p++) {
        unsigned byte = run->planes.at[p * run->planes.nbytes + i / 8];

        value |= (byte >> (i % 8) & 1u) << p;
    }
    return (int8_t)(uint8_t)value;
}

static bool is_bad(int a, int b)
{
    return a > 1 || b > 1 || a < VCZ_INT_FILL || b < VCZ_INT_FILL ||
           (a == VCZ_INT_FILL && b != VCZ_INT_FILL);
}

static uint64_t first_bad(const struct call_run *run)
{
    uint64_t call = 0;

    for (; call < run->ncalls; call++) {
        const int a = run_allele(run, call * run->ploidy);
        const int b = run->ploidy == 2 ? run_allele(run, call * 2 + 1) : VCZ_INT_FILL;

        if (is_bad(a, b))
            break;
    }
    return call;
}

/* Writes where the run's variant is; if its site cannot be read, only that. */
static void find_place(const struct vcz *vcz, size_t scratch_max, uint64_t variant, char *out)
{
    struct sites_reader *reader = sites_reader_of(vcz, VCZ_PLACES, scratch_max, NULL);
    struct site site;

    snprintf(out, REFUSE_PLACE_MAX, "site unreadable");
    if (reader != NULL && sites_get_place(reader, variant, &site, NULL) == 0)
        refuse_show_place(&site, out);
    sites_reader_free(reader);
}

int refuse_call(const struct format_view *view, size_t scratch_max, const struct call_run *run,
                struct err *err)
{
    const struct selection *selection = view->selection;
    char place[REFUSE_PLACE_MAX], sample[TEXT_SHOW_MAX] = "unknown";
    const uint64_t call = first_bad(run);

    if (call < run->ncalls)
        text_show(&selection->sample_id[run->sample + call], sample);
    find_place(selection->vcz, scratch_max, run->variant, place);
    return err_set(
        err, ERR_DATA,
        "%s: call_genotype: variant %" PRIu64
        " (%s) has a genotype that a two-allele record cannot have (allele 2 or more, or "
        "a fill value before an allele): row %" PRIu64 ", sample %s",
        store_path(selection->vcz->store), run->variant, place, run->row, sample);
}
