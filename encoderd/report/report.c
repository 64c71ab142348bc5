/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/report.h"

#include "common/cleanup.h"
#include "common/printable.h"
#include "common/size.h"
#include "encoderd/report/report_facts.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define AUTO_FACTS CLEANUP(report_facts_clear)

/* 1234567 as "1,234,567". */
#define GROUPED_MAX 28
static const char *grouped(uint64_t value, char out[GROUPED_MAX])
{
    char *at = out + GROUPED_MAX - 1;
    unsigned n = 0;

    *at = '\0';
    do {
        if (n > 0 && n % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + value % 10);
        value /= 10;
        n++;
    } while (value != 0);
    return at;
}

/* "14 x 5 x 2" */
static void add_dims(struct buf *out, const uint64_t *dims, unsigned ndim)
{
    for (unsigned d = 0; d < ndim; d++)
        buf_printf(out, "%s%" PRIu64, d > 0 ? " x " : "", dims[d]);
}

static void format_text(const struct vcz *vcz, struct buf *out)
{
    struct str source = {.at = zarr_group_attr(vcz->group, "source")};
    char shown[TEXT_SHOW_MAX];

    buf_printf(out, "format     VCF Zarr %s, Zarr v%u",
               vcz->version != NULL ? vcz->version : "of no version",
               zarr_group_format(vcz->group));
    if (source.at != NULL) {
        source.len = strlen(source.at);
        buf_printf(out, ", written by %s", text_show(&source, shown));
    }
    buf_append_char(out, '\n');
}

static void size_text(const struct vcz *vcz, struct buf *out)
{
    const bool samples_ok = vcz_need(vcz, VCZ_SAMPLES, NULL) == 0;
    const uint64_t nnull = samples_ok ? vcz->nsamples_stored - vcz->nsamples : 0;
    char number[GROUPED_MAX];

    buf_printf(out, "samples    %s",
               grouped(samples_ok ? vcz->nsamples : vcz->nsamples_stored, number));
    if (nnull > 0)
        buf_printf(out, " (and %s null, left out)", grouped(nnull, number));
    buf_printf(out, "\nvariants   %s\n",
               vcz->variants_from != NULL ? grouped(vcz->nvariants, number) : "not known");
}

static void ploidy_text(const struct vcz *vcz, struct buf *out)
{
    if (vcz->genotype == NULL)
        buf_append_str(out, "ploidy     no genotypes that can be read\n");
    else
        buf_printf(out, "ploidy     %u, %s\n", vcz->ploidy,
                   vcz_need(vcz, VCZ_PHASE, NULL) != 0 ? "phasing stored that cannot be used"
                   : vcz->phased != NULL               ? "phasing stored"
                                                       : "no phasing stored");
}

static void notices_text(const struct notices *notices, struct buf *out)
{
    for (size_t i = 0; i < notices->n; i++)
        buf_printf(out, "warning    %s\n", notices->text[i]);
}

static void head_text(const struct vcz *vcz, const struct report_facts *facts, struct buf *out)
{
    char number[GROUPED_MAX], size[24];

    buf_printf(out, "store      %s\n", store_path(vcz->store));
    format_text(vcz, out);
    size_text(vcz, out);
    ploidy_text(vcz, out);
    buf_printf(out, "stored     %s in %s files\n",
               size_format(facts->stored_nbytes, size, sizeof size),
               grouped(facts->stored_nobjects, number));
    notices_text(&vcz->notices, out);
}

static void selection_text(const struct vcz *vcz, const struct report_facts *facts, struct buf *out)
{
    char samples[GROUPED_MAX], variants[GROUPED_MAX];

    if (!facts->selected ||
        (facts->shown_nsamples == vcz->nsamples && facts->shown_nvariants == vcz->nvariants))
        return;
    buf_printf(out, "selected   %s samples, %s variants\n", grouped(facts->shown_nsamples, samples),
               grouped(facts->shown_nvariants, variants));
}

static void contigs_text(const struct vcz *vcz, const struct report_facts *facts, struct buf *out)
{
    char number[GROUPED_MAX], shown[TEXT_SHOW_MAX];
    size_t nempty = 0;

    if (facts->contigs_why.code != ERR_NONE) {
        buf_printf(out, "\nvariants of each contig  not known: %s\n", facts->contigs_why.msg);
        return;
    }
    buf_printf(out, "\n%15s  contig\n", "variants");
    for (size_t i = 0; i < vcz->contigs.nitems; i++) {
        const struct str *name = &vcz->contigs.items[i];

        if (facts->contig_nvariants[i] == 0) {
            nempty++;
            continue;
        }
        buf_printf(out, "%15s  ", grouped(facts->contig_nvariants[i], number));
        if (text_is_column(name))
            buf_append(out, name->at, name->len);
        else
            buf_append_str(out, text_show(name, shown));
        buf_append_char(out, '\n');
    }
    if (nempty > 0)
        buf_printf(out, "%15s  on %zu more contig%s\n", "0", nempty, nempty == 1 ? "" : "s");
}

static void array_text(const struct report_array *fact, int width, struct buf *out)
{
    struct buf shape = {0}, chunk = {0};
    char stored[24], decoded[24] = "-", ratio[24] = "-", dtype[32];

    if (fact->array == NULL) {
        buf_printf(out, "%-*s  not readable: %s\n", width, fact->name, fact->why.msg);
        return;
    }
    add_dims(&shape, fact->array->meta.shape, fact->array->meta.ndim);
    add_dims(&chunk, fact->array->meta.chunk, fact->array->meta.ndim);
    if (fact->decoded_known) {
        size_format(fact->decoded_nbytes, decoded, sizeof decoded);
        if (fact->stored_nbytes > 0)
            snprintf(ratio, sizeof ratio, "%.1f",
                     (double)fact->decoded_nbytes / (double)fact->stored_nbytes);
    }
    buf_printf(out, "%-*s  %-9s %10s %10s %8s  %-22.*s  %-18.*s  %s\n", width, fact->name,
               dtype_name(&fact->array->meta.dtype, dtype, sizeof dtype),
               size_format(fact->stored_nbytes, stored, sizeof stored), decoded, ratio,
               (int)shape.len, (const char *)shape.data, (int)chunk.len, (const char *)chunk.data,
               fact->array->meta.codec_text);
    buf_free(&shape);
    buf_free(&chunk);
}

static void arrays_text(const struct report_facts *facts, struct buf *out)
{
    int width = 5;

    for (size_t i = 0; i < facts->narrays; i++)
        if ((int)strlen(facts->arrays[i].name) > width)
            width = (int)strlen(facts->arrays[i].name);
    buf_printf(out, "\n%-*s  %-9s %10s %10s %8s  %-22s  %-18s  %s\n", width, "array", "type",
               "stored", "decoded", "ratio", "shape", "chunks", "codecs");
    for (size_t i = 0; i < facts->narrays; i++)
        array_text(&facts->arrays[i], width, out);
}

static void view_text(const struct report_view *view, struct buf *out)
{
    char number[GROUPED_MAX], size[24];

    buf_printf(out, "\nas %s", view->name);
    if (view->refused) {
        buf_printf(out, "  not possible: %s\n", view->why.msg);
        return;
    }
    buf_append_char(out, '\n');
    for (size_t i = 0; i < view->nfiles; i++) {
        const struct report_file *file = &view->files[i];

        if (file->lazy)
            buf_printf(out, "  %-9s made when somebody looks for it\n", file->suffix);
        else
            buf_printf(out, "  %-9s %17s bytes  (%s)\n", file->suffix,
                       grouped(file->nbytes, number), size_format(file->nbytes, size, sizeof size));
    }
    if (!view->scanned)
        buf_append_str(out,
                       "  the rest, and whether every site can be shown, is known after a scan "
                       "of all sites, at mount\n");
}

static void facts_text(const struct vcz *vcz, const struct report_facts *facts, struct buf *out)
{
    size_t begin = out->len;

    head_text(vcz, facts, out);
    selection_text(vcz, facts, out);
    for (size_t i = 0; i < facts->nviews; i++)
        view_text(&facts->views[i], out);
    contigs_text(vcz, facts, out);
    arrays_text(facts, out);
    /* Names and messages may hold anything that the store's writer put there, also control
     * sequences that a terminal would obey. */
    if (!out->failed)
        printable_lines((char *)out->data + begin, out->len - begin);
}

int report_write(const struct vcz *vcz, const struct selection_options *options,
                 const struct format_options *formats, const struct pass_means *means, bool json,
                 struct buf *out, struct err *err)
{
    AUTO_FACTS struct report_facts facts = {0};

    if (report_facts_gather(vcz, options, formats, means, &facts, err) != 0)
        return -1;
    if (json)
        return report_json(vcz, &facts, out, err);
    facts_text(vcz, &facts, out);
    if (out->failed)
        return err_nomem(err, "the report on %s", store_path(vcz->store));
    return 0;
}
