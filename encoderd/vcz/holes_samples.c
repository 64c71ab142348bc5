/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_samples: samples without any stored genotypes.
 */
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/holes_grid.h"
#include "encoderd/vcz/holes_state.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most names that are looked up in the search for columns of chunks without a stored chunk. */
#define SAMPLES_NAMES_MAX (UINT64_C(1) << 18)
/* In a store with more variants than this, no sample has only REF alleles. */
#define CONFIRMED_VARIANTS UINT64_C(20000)
#define NAMES_SHOWN        3

/* True if the store's counts are exactly those of its genotypes, with the fill value in all holes:
 * then the writer meant the holes to be the fill value. (If an append of samples was interrupted,
 * their calls are not in variant_AN.) */
static int is_confirmed(const struct holes *holes, bool *out, struct err *err)
{
    struct tallies *tallies = NULL;
    enum tally tally = TALLY_AGREES;
    int rc = 0;

    *out = false;
    if (holes->vcz->nvariants > CONFIRMED_VARIANTS)
        return 0;
    if (tallies_open(holes->vcz, holes->scratch_max, &tallies, err) != 0)
        return -1;
    for (uint64_t v = 0;
         tallies != NULL && v < holes->vcz->nvariants && rc == 0 && tally == TALLY_AGREES; v++)
        rc = tallies_compare(tallies, v, true, &tally, err);
    *out = tallies != NULL && tally == TALLY_AGREES;
    tallies_free(tallies);
    return rc;
}

/* Samples without any stored genotypes. */
struct unwritten {
    uint64_t n;
    char names[NAMES_SHOWN * (TEXT_SHOW_MAX + 2)];
};

static void add_unwritten(const struct vcz *vcz, uint64_t column, struct unwritten *unwritten)
{
    char shown[TEXT_SHOW_MAX];
    const size_t used = strlen(unwritten->names);

    for (uint64_t i = 0; i < vcz->nsamples && unwritten->n < NAMES_SHOWN; i++)
        if (vcz->sample_column[i] == column)
            snprintf(unwritten->names + used, sizeof unwritten->names - used, "%s%s",
                     used > 0 ? ", " : "", text_show(&vcz->sample_id[i], shown));
    unwritten->n++;
}

static int refuse_samples(const struct vcz *vcz, const struct unwritten *unwritten, struct err *err)
{
    return err_set(
        err, ERR_CORRUPT,
        "%s: no genotypes are stored of %" PRIu64 " sample%s (%s%s): their IDs are there, "
        "and not one chunk of call_genotype with their calls: an append that did not "
        "finish, or an incomplete copy. Append or copy them again, or leave them out "
        "(--samples); with --absent-chunks fill every call of theirs is shown as %s",
        store_path(vcz->store), unwritten->n, unwritten->n == 1 ? "" : "s", unwritten->names,
        unwritten->n > NAMES_SHOWN ? ", ..." : "", holes_fill_text(&vcz->genotype->meta));
}

/* Sets `stored` for each column of chunks that has a stored chunk. */
static int look_columns(const struct vcz *vcz, bool *stored, struct err *err)
{
    uint64_t left = SAMPLES_NAMES_MAX;

    for (uint64_t s = 0; s < vcz->genotype->meta.nchunks[1]; s++)
        if (holes_look_column(vcz, s, &left, &stored[s], err) != 0)
            return -1;
    return 0;
}

int holes_look_samples(const struct holes *holes, const uint64_t *columns, uint64_t n,
                       struct err *err)
{
    struct unwritten unwritten = {0};
    AUTO_FREE bool *stored = NULL;
    bool confirmed = false;
    const struct zarr_meta *meta;

    if (holes == NULL || holes->vcz->nvariants == 0 ||
        vcz_need(holes->vcz, VCZ_CALLS | VCZ_SAMPLES, NULL) != 0)
        return 0;
    meta = &holes->vcz->genotype->meta;
    /* A store with a single column of chunks is not refused: if it has few variants, its calls may
     * all be REF, and its writer may have omitted all chunks. */
    if (meta->nchunks[1] < 2)
        return 0;
    stored = calloc(meta->nchunks[1] + 1, sizeof *stored);
    if (stored == NULL)
        return err_nomem(err, "what is missing");
    if (look_columns(holes->vcz, stored, err) != 0)
        return -1;
    for (uint64_t i = 0; i < n; i++)
        if (!stored[columns[i] / meta->chunk[1]])
            add_unwritten(holes->vcz, columns[i], &unwritten);
    if (unwritten.n == 0)
        return 0;
    if (is_confirmed(holes, &confirmed, err) != 0)
        return -1;
    return confirmed ? 0 : refuse_samples(holes->vcz, &unwritten, err);
}
