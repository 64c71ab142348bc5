/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/report_facts.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/format/formats.h"
#include "encoderd/vcz/contig_counts.h"
#include "encoderd/vcz/holes.h"

#include <string.h>

/* A report should take a second: with more variants than this, no format looks at every site. */
#define SCAN_VARIANTS_MAX UINT64_C(2000000)

/* If contigs cannot be counted, the report says why, and the rest of it is still made. */
static int count_contigs(const struct vcz *vcz, const struct pass_means *means,
                         struct report_facts *facts, struct err *err)
{
    facts->contig_nvariants = calloc(vcz->contigs.nitems + 1, sizeof *facts->contig_nvariants);
    if (facts->contig_nvariants == NULL)
        return err_nomem(err, "the contigs of %s", store_path(vcz->store));
    if (contig_counts(vcz, means->scratch_max, facts->contig_nvariants, &facts->contigs_why) == 0)
        facts->contigs_why.code = ERR_NONE;
    return 0;
}

static bool decoded_size(const struct zarr_meta *meta, uint64_t *out)
{
    uint64_t nbytes = meta->dtype.size;

    for (unsigned d = 0; d < meta->ndim; d++)
        if (!size_mul(nbytes, meta->shape[d], &nbytes))
            return false;
    *out = nbytes;
    return meta->dtype.kind != DTYPE_STRING;
}

struct facts_list {
    const struct vcz *vcz;
    struct report_facts *facts;
    size_t cap;
    struct err *err;
};

static int add_array(const char *name, void *arg)
{
    struct facts_list *listing = arg;
    struct report_facts *facts = listing->facts;
    struct report_array *fact;

    if (facts->narrays == listing->cap) {
        size_t cap = listing->cap > 0 ? listing->cap * 2 : 64;
        struct report_array *more = reallocarray(facts->arrays, cap, sizeof *more);

        if (more == NULL)
            return err_nomem(listing->err, "the report");
        facts->arrays = more;
        listing->cap = cap;
    }
    fact = &facts->arrays[facts->narrays];
    *fact = (struct report_array){.name = strdup(name)};
    if (fact->name == NULL)
        return err_nomem(listing->err, "the report");
    facts->narrays++;
    /* If an array cannot be read, the report says why, and the rest of it is still made. */
    if (zarr_array_open(listing->vcz->group, name, &fact->array, &fact->why) != 0)
        fact->array = NULL;
    else if (fact->array != NULL)
        fact->decoded_known = decoded_size(&fact->array->meta, &fact->decoded_nbytes);
    return store_usage(listing->vcz->store, name, &fact->stored_nobjects, &fact->stored_nbytes,
                       listing->err);
}

static int list_arrays(const struct vcz *vcz, struct report_facts *facts, struct err *err)
{
    struct facts_list listing = {.vcz = vcz, .facts = facts, .err = err};

    return zarr_group_arrays(vcz->group, add_array, &listing, err) != 0 ? -1 : 0;
}

static void add_file(struct report_view *view, const char *suffix, uint64_t nbytes, bool lazy)
{
    view->files[view->nfiles++] =
        (struct report_file){.suffix = suffix, .nbytes = nbytes, .lazy = lazy};
}

static void refuse(struct report_view *view, const struct err *why)
{
    view->refused = true;
    view->why = *why;
}

/* Lists the files that a mount would have. If the format refuses the store, that is reported; if
 * nobody waits for the report any more (ERR_PEER), it is an error. */
static int describe_view(const struct format *format, const struct selection *selection,
                         const struct format_options *asked, const struct pass_means *means,
                         struct report_view *out, struct err *err)
{
    struct format_options options = *asked;
    struct format_view view = {0};
    struct err why = {0};

    options.no_scan = row_map_nrows(&selection->rows) > SCAN_VARIANTS_MAX;
    *out = (struct report_view){.name = format->declared->name, .scanned = !options.no_scan};
    if (format->open(selection, &options, means, false, &view, &why) != 0) {
        if (why.code == ERR_PEER) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        refuse(out, &why);
        return 0;
    }
    add_file(out, view.format->declared->suffixes[0], format_stream_size(&view.layout), false);
    for (size_t i = 0; i < view.nsidecars; i++)
        add_file(out, view.sidecars[i].suffix, view.sidecars[i].size, view.sidecars[i].lazy);
    format->close(&view);
    return 0;
}

/* Refuses every view: something is missing in the store that each needs. */
static int refuse_views(const struct err *why, struct report_facts *facts)
{
    for (size_t i = 0; i < REPORT_VIEWS_MAX && format_at(i) != NULL; i++) {
        struct report_view *view = &facts->views[facts->nviews++];

        *view = (struct report_view){.name = format_at(i)->declared->name, .scanned = true};
        refuse(view, why);
    }
    return 0;
}

static int describe_views(const struct vcz *vcz, const struct selection_options *options,
                          const struct format_options *formats, const struct pass_means *means,
                          struct report_facts *facts, struct err *err)
{
    struct pass_means quietly = *means;
    struct selection selection;
    struct err why = {0};
    int rc = 0;

    if (vcz_need(vcz, VCZ_CALLS | VCZ_SAMPLES, &why) != 0)
        return refuse_views(&why, facts);
    if (selection_open(vcz, options, means, false, -1, &selection, err) != 0)
        return -1;
    /* Notices of formats are dropped: they are about making the files. */
    quietly.notices = NULL;
    for (size_t i = 0; means->notices != NULL && i < selection.notices.n; i++)
        notices_add(means->notices, "%s", selection.notices.text[i]);
    facts->selected = true;
    facts->shown_nsamples = selection.nsamples;
    facts->shown_nvariants = row_map_nrows(&selection.rows);
    if (holes_look_all(vcz->holes, selection.sample_column, selection.nsamples, means->notices,
                       &why) != 0)
        refuse_views(&why, facts);
    for (size_t i = facts->nviews; i < REPORT_VIEWS_MAX && format_at(i) != NULL && rc == 0; i++)
        rc = describe_view(format_at(i), &selection, formats, &quietly,
                           &facts->views[facts->nviews++], err);
    selection_close(&selection);
    return rc;
}

int report_facts_gather(const struct vcz *vcz, const struct selection_options *options,
                        const struct format_options *formats, const struct pass_means *means,
                        struct report_facts *out, struct err *err)
{
    if (store_usage(vcz->store, "", &out->stored_nobjects, &out->stored_nbytes, err) != 0 ||
        count_contigs(vcz, means, out, err) != 0 || list_arrays(vcz, out, err) != 0)
        return -1;
    return describe_views(vcz, options, formats, means, out, err);
}

void report_facts_clear(struct report_facts *facts)
{
    for (size_t i = 0; i < facts->narrays; i++) {
        free(facts->arrays[i].name);
        zarr_array_free(facts->arrays[i].array);
    }
    free(facts->arrays);
    free(facts->contig_nvariants);
    *facts = (struct report_facts){0};
}
