/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cleanup.h"
#include "encoderd/report/report_facts.h"
#include "encoderd/report/report_value.h"

#include <jansson.h>

static json_t *string_or_null(const char *text)
{
    return text != NULL ? report_string(text) : json_null();
}

static json_t *dims_json(const uint64_t *dims, unsigned ndim)
{
    json_t *list = json_array();

    for (unsigned d = 0; d < ndim; d++)
        if (json_array_append_new(list, report_number(dims[d])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *array_json(const struct report_array *fact)
{
    const struct zarr_meta *meta = fact->array != NULL ? &fact->array->meta : NULL;
    json_t *object = json_object();
    char dtype[32];
    bool ok = report_set(object, "name", report_string(fact->name)) &&
              report_set(object, "stored_bytes", report_number(fact->stored_nbytes)) &&
              report_set(object, "stored_files", report_number(fact->stored_nobjects));

    if (meta == NULL)
        ok = ok && report_set(object, "error", report_string(fact->why.msg));
    else
        ok = ok && report_set(object, "shape", dims_json(meta->shape, meta->ndim)) &&
             report_set(object, "chunks", dims_json(meta->chunk, meta->ndim)) &&
             report_set(object, "dtype",
                        json_string(dtype_name(&meta->dtype, dtype, sizeof dtype))) &&
             report_set(object, "codecs", json_string(meta->codec_text)) &&
             report_set(object, "decoded_bytes",
                        fact->decoded_known ? report_number(fact->decoded_nbytes) : json_null());
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *number_or_null(bool known, uint64_t value)
{
    return known ? report_number(value) : json_null();
}

static json_t *contig_json(const struct str *name, bool known, uint64_t nvariants)
{
    json_t *object = json_object();

    if (report_set(object, "name", json_stringn(name->at != NULL ? name->at : "", name->len)) &&
        report_set(object, "variants", number_or_null(known, nvariants)))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *view_json(const struct report_view *view)
{
    json_t *object = json_object(), *files = json_object();
    bool ok =
        report_set(object, "format", json_string(view->name)) &&
        report_set(object, "refused", view->refused ? report_string(view->why.msg) : json_null()) &&
        report_set(object, "scanned", json_boolean(view->scanned));

    for (size_t i = 0; i < view->nfiles; i++)
        ok = ok &&
             report_set(files, view->files[i].suffix,
                        view->files[i].lazy ? json_null() : report_number(view->files[i].nbytes));
    /* Takes files in any case. */
    if (report_set(object, "files", files) && ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *contigs_json(const struct vcz *vcz, const struct report_facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < vcz->contigs.nitems; i++)
        if (json_array_append_new(list, contig_json(&vcz->contigs.items[i],
                                                    facts->contigs_why.code == ERR_NONE,
                                                    facts->contig_nvariants[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *arrays_json(const struct report_facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < facts->narrays; i++)
        if (json_array_append_new(list, array_json(&facts->arrays[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *views_json(const struct report_facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < facts->nviews; i++)
        if (json_array_append_new(list, view_json(&facts->views[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *warnings_json(const struct notices *notices)
{
    json_t *list = json_array();

    for (size_t i = 0; i < notices->n; i++)
        if (json_array_append_new(list, report_string(notices->text[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *facts_json(const struct vcz *vcz, const struct report_facts *facts)
{
    const bool samples_ok = vcz_need(vcz, VCZ_SAMPLES, NULL) == 0;
    const bool contigs_ok = facts->contigs_why.code == ERR_NONE;
    json_t *object = json_object();

    if (report_set(object, "store", report_string(store_path(vcz->store))) &&
        report_set(object, "zarr_format", report_number(zarr_group_format(vcz->group))) &&
        report_set(object, "vcf_zarr_version", string_or_null(vcz->version)) &&
        report_set(object, "source", string_or_null(zarr_group_attr(vcz->group, "source"))) &&
        report_set(object, "samples",
                   report_number(samples_ok ? vcz->nsamples : vcz->nsamples_stored)) &&
        report_set(object, "null_samples",
                   number_or_null(samples_ok, vcz->nsamples_stored - vcz->nsamples)) &&
        report_set(object, "variants",
                   number_or_null(vcz->variants_from != NULL, vcz->nvariants)) &&
        report_set(object, "shown_samples",
                   number_or_null(facts->selected, facts->shown_nsamples)) &&
        report_set(object, "shown_variants",
                   number_or_null(facts->selected, facts->shown_nvariants)) &&
        report_set(object, "ploidy", number_or_null(vcz->genotype != NULL, vcz->ploidy)) &&
        report_set(object, "phasing_stored", json_boolean(vcz->phased != NULL)) &&
        report_set(object, "stored_bytes", report_number(facts->stored_nbytes)) &&
        report_set(object, "stored_files", report_number(facts->stored_nobjects)) &&
        report_set(object, "warnings", warnings_json(&vcz->notices)) &&
        report_set(object, "contigs", contigs_json(vcz, facts)) &&
        report_set(object, "contigs_error",
                   contigs_ok ? json_null() : report_string(facts->contigs_why.msg)) &&
        report_set(object, "arrays", arrays_json(facts)) &&
        report_set(object, "views", views_json(facts)))
        return object;
    json_decref(object);
    return NULL;
}

int report_json(const struct vcz *vcz, const struct report_facts *facts, struct buf *out,
                struct err *err)
{
    json_t *object = facts_json(vcz, facts);
    AUTO_FREE char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;

    json_decref(object);
    if (text != NULL) {
        buf_append_str(out, text);
        buf_append_char(out, '\n');
    }
    if (text == NULL || out->failed)
        return err_set(err, ERR_MEMORY, "cannot make the report on %s as JSON",
                       store_path(vcz->store));
    return 0;
}
