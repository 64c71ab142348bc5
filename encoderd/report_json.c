#include "common/cleanup.h"
#include "encoderd/report_facts.h"

#include <jansson.h>
#include <string.h>

/* jansson's setters take NULL for a value that could not be made, and pass the failure on. */
static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Paths, and messages that name one, need not be UTF-8, which JSON must be: then what is not ASCII in
 * them becomes '?'. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    AUTO_FREE char *ascii = NULL;

    if (value != NULL)
        return value;
    ascii = strdup(text);
    if (ascii == NULL)
        return NULL;
    for (char *at = ascii; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_string(ascii);
}

static json_t *string_or_null(const char *text)
{
    return text != NULL ? text_json(text) : json_null();
}

static json_t *dims_json(const uint64_t *dims, unsigned ndim)
{
    json_t *list = json_array();

    for (unsigned d = 0; d < ndim; d++)
        if (json_array_append_new(list, number(dims[d])) != 0) {
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
    bool ok = set(object, "name", text_json(fact->name)) &&
              set(object, "stored_bytes", number(fact->stored_nbytes)) &&
              set(object, "stored_files", number(fact->stored_nobjects));

    if (meta == NULL)
        ok = ok && set(object, "error", text_json(fact->why.msg));
    else
        ok = ok && set(object, "shape", dims_json(meta->shape, meta->ndim)) &&
             set(object, "chunks", dims_json(meta->chunk, meta->ndim)) &&
             set(object, "dtype", json_string(dtype_name(&meta->dtype, dtype, sizeof dtype))) &&
             set(object, "codecs", json_string(meta->codec_text)) &&
             set(object, "decoded_bytes",
                 fact->decoded_known ? number(fact->decoded_nbytes) : json_null());
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *contig_json(const struct str *name, uint64_t nvariants)
{
    json_t *object = json_object();

    if (set(object, "name", json_stringn(name->at != NULL ? name->at : "", name->len)) &&
        set(object, "variants", number(nvariants)))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *view_json(const struct report_view *view)
{
    json_t *object = json_object(), *files = json_object();
    bool ok = set(object, "format", json_string(view->name)) &&
              set(object, "refused", view->refused ? text_json(view->why.msg) : json_null()) &&
              set(object, "scanned", json_boolean(view->scanned));

    for (size_t i = 0; i < view->nfiles; i++)
        ok = ok && set(files, view->files[i].suffix,
                       view->files[i].lazy ? json_null() : number(view->files[i].nbytes));
    /* Takes files in any case. */
    if (set(object, "files", files) && ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *contigs_json(const struct vcz *vcz, const struct report_facts *facts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < vcz->contigs.nitems; i++)
        if (json_array_append_new(
                list, contig_json(&vcz->contigs.items[i], facts->contig_nvariants[i])) != 0) {
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

static json_t *facts_json(const struct vcz *vcz, const struct report_facts *facts)
{
    json_t *object = json_object();

    if (set(object, "store", text_json(store_path(vcz->store))) &&
        set(object, "zarr_format", number(zarr_group_format(vcz->group))) &&
        set(object, "vcf_zarr_version",
            string_or_null(zarr_group_attr(vcz->group, "vcf_zarr_version"))) &&
        set(object, "source", string_or_null(zarr_group_attr(vcz->group, "source"))) &&
        set(object, "samples", number(vcz->nsamples)) &&
        set(object, "null_samples", number(vcz->nsamples_stored - vcz->nsamples)) &&
        set(object, "variants", number(vcz->nvariants)) &&
        set(object, "shown_samples", number(facts->shown_nsamples)) &&
        set(object, "shown_variants", number(facts->shown_nvariants)) &&
        set(object, "ploidy", number(vcz->ploidy)) &&
        set(object, "phasing_stored", json_boolean(vcz->phased != NULL)) &&
        set(object, "stored_bytes", number(facts->stored_nbytes)) &&
        set(object, "stored_files", number(facts->stored_nobjects)) &&
        set(object, "contigs", contigs_json(vcz, facts)) &&
        set(object, "arrays", arrays_json(facts)) && set(object, "views", views_json(facts)))
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
