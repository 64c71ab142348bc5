/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/consumers.h"

#include "common/cleanup.h"
#include "common/printable.h"
#include "encoderd/format/each.h"
#include "encoderd/report/consumer_rules.h"
#include "encoderd/report/report_value.h"
#include "encoderd/vcz/holes.h"

#include <stdlib.h>

static const char *const verdict_words[] = {"refuses", "misreads", "leaves out", "does not get"};

static const struct shown {
    const struct format *format;
    const char *files;
    unsigned programs; /* programs that read the format */
} shown[NFORMATS] = {
    {&format_plink, ".bed .bim .fam", ~BGENIX},
    {&format_bgen, ".bgen .sample .bgen.bgi", ~PLINK19},
};

/* Counts the selection's variants that have haploid calls, that is, those that GT="hap" selects for
 * the same samples. */
static int count_haploid(const struct look *look, const struct selection_options *options,
                         const struct pass_means *means, uint64_t *out, struct err *err)
{
    struct selection_options haploid = {
        .samples = options->samples,
        .samples_file = options->samples_file,
        .force_samples = options->force_samples,
        .include = "GT=\"hap\"",
    };
    struct selection selection;
    struct row_cursor row;

    if (selection_open(look->vcz, &haploid, means, false, -1, &selection, err) != 0)
        return -1;
    *out = 0;
    row = row_map_from(&selection.rows, 0);
    for (; row.at.index < row_map_nrows(&selection.rows); row_cursor_next(&row))
        *out += row_map_shows(&look->selection.rows, row.at.store, row.at.variant);
    selection_close(&selection);
    return 0;
}

/* Refuses every format: something is missing in the store that each needs. */
static void refuse_all(struct look *look, const struct err *why)
{
    for (size_t i = 0; i < NFORMATS; i++) {
        look->refused[i] = true;
        look->why[i] = *why;
    }
}

/* Finds out whether a mount would show the format. */
static int try_format(struct look *look, size_t i, const struct pass_means *means, struct err *err)
{
    struct format_view view = {0};

    if (shown[i].format->open(&look->selection, look->formats, means, false, &view,
                              &look->why[i]) == 0) {
        shown[i].format->close(&view);
        return 0;
    }
    look->refused[i] = true;
    if (look->why[i].code == ERR_PEER && err != NULL)
        *err = look->why[i];
    return look->why[i].code == ERR_PEER ? -1 : 0;
}

static bool is_shown(const struct look *look, enum consumer consumer, unsigned formats)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if ((formats & 1u << i) != 0 && (shown[i].programs & PROGRAM(consumer)) != 0 &&
            !look->refused[i])
            return true;
    return false;
}

static int look_around(struct look *look, const struct selection_options *options,
                       const struct pass_means *means, enum consumer consumer, bool at_calls,
                       struct err *err)
{
    struct pass_means quietly = *means;

    quietly.notices = NULL;
    for (size_t i = 0; i < NFORMATS; i++)
        if ((shown[i].programs & PROGRAM(consumer)) != 0 && try_format(look, i, &quietly, err) != 0)
            return -1;
    if (!is_shown(look, consumer, AS_PLINK | AS_BGEN))
        return 0;
    if (survey_make(&look->selection, means, &look->survey, err) != 0)
        return -1;
    look->calls_known = at_calls && look->vcz->ploidy == 2 && look->haploid;
    return look->calls_known ? count_haploid(look, options, means, &look->nhaploid, err) : 0;
}

struct finding {
    const char *verdict, *files, *what, *why, *evidence;
};

/* Where findings go. */
struct findings {
    json_t *list; /* NULL: text */
    struct buf *out;
    bool failed;
    uint64_t n;
};

static void put_finding(struct findings *sink, const struct finding *finding)
{
    const size_t begin = sink->out->len;
    json_t *object;

    sink->n++;
    if (sink->list == NULL) {
        buf_printf(sink->out, "%s %s: %s%s%s\n", finding->verdict, finding->files, finding->what,
                   finding->why != NULL ? ": " : "", finding->why != NULL ? finding->why : "");
        if (!sink->out->failed)
            printable_lines((char *)sink->out->data + begin, sink->out->len - begin);
        return;
    }
    object = json_object();
    sink->failed |= !(
        report_set(object, "verdict", json_string(finding->verdict)) &&
        report_set(object, "files", json_string(finding->files)) &&
        report_set(object, "what", report_string(finding->what)) &&
        report_set(object, "why", finding->why != NULL ? json_string(finding->why) : json_null()) &&
        report_set(object, "evidence", json_string(finding->evidence)));
    sink->failed |= json_array_append_new(sink->list, object) != 0;
}

static void find_by_rule(const struct look *look, enum consumer consumer,
                         const struct consumer_rule *rule, struct findings *sink)
{
    struct finding finding = {verdict_words[rule->verdict], rule->files, NULL, rule->why,
                              rule->evidence};
    struct buf said = {0};

    if ((rule->programs & PROGRAM(consumer)) != 0 && is_shown(look, consumer, rule->format) &&
        rule->holds(look, rule, &said)) {
        buf_append_char(&said, '\0');
        finding.what = (const char *)said.data;
        if (!said.failed)
            put_finding(sink, &finding);
    }
    sink->failed |= said.failed;
    buf_free(&said);
}

static void find_all(const struct look *look, enum consumer consumer, struct findings *sink)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if ((shown[i].programs & PROGRAM(consumer)) != 0 && look->refused[i]) {
            const struct finding finding = {verdict_words[DOES_NOT_GET], shown[i].files,
                                            look->why[i].msg, NULL, "vczfs"};

            put_finding(sink, &finding);
        }
    for (size_t i = 0; i < consumer_nrules; i++)
        find_by_rule(look, consumer, &consumer_rules[i], sink);
}

static int write_json(struct findings *sink, enum consumer consumer)
{
    json_t *object = json_object();
    AUTO_FREE char *text = NULL;

    if (report_set(object, "program", json_string(consumer_name(consumer))) &&
        report_set(object, "findings", json_incref(sink->list)))
        text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    json_decref(sink->list);
    if (text == NULL)
        return -1;
    buf_append_str(sink->out, text);
    buf_append_char(sink->out, '\n');
    return 0;
}

static int write_findings(const struct look *look, enum consumer consumer, bool json,
                          struct buf *out, struct err *err)
{
    struct findings sink = {.list = json ? json_array() : NULL, .out = out};

    sink.failed = json && sink.list == NULL;
    find_all(look, consumer, &sink);
    if (json && write_json(&sink, consumer) != 0)
        sink.failed = true;
    if (!json && sink.n == 0)
        buf_printf(out, "nothing known that %s would mind\n", consumer_name(consumer));
    if (sink.failed || out->failed)
        return err_nomem(err, "the report on %s", store_path(look->vcz->store));
    return 0;
}

int consumers_write(const struct vcz *vcz, const struct selection_options *options,
                    const struct format_options *formats, const struct pass_means *means,
                    enum consumer consumer, bool look_at_calls, bool json, struct buf *out,
                    struct err *err)
{
    struct look look = {
        .vcz = vcz,
        .formats = formats,
        .nautosomes = (unsigned)format_option(formats, &declared_plink, "chr-set"),
        .fid_zero = format_option(formats, &declared_bgen, "fid") != 0,
        .phased = format_option(formats, &declared_bgen, "phased") != 0,
        .haploid = format_option(formats, &declared_bgen, "haploid") != 0,
    };
    struct err why = {0};
    int rc = 0;

    if (vcz_need(vcz, VCZ_CALLS | VCZ_SAMPLES, &why) != 0) {
        refuse_all(&look, &why);
        return write_findings(&look, consumer, json, out, err);
    }
    if (selection_open(vcz, options, means, false, -1, &look.selection, err) != 0)
        return -1;
    for (size_t i = 0; means->notices != NULL && i < look.selection.notices.n; i++)
        notices_add(means->notices, "%s", look.selection.notices.text[i]);
    if (holes_look_all(vcz->holes, look.selection.sample_column, look.selection.nsamples,
                       means->notices, &why) != 0)
        refuse_all(&look, &why);
    else
        rc = look_around(&look, options, means, consumer, look_at_calls, err);
    if (rc == 0)
        rc = write_findings(&look, consumer, json, out, err);
    survey_clear(&look.survey);
    selection_close(&look.selection);
    return rc;
}
