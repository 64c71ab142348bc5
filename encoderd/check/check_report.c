/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_report.h"

#include "common/cleanup.h"
#include "common/printable.h"
#include "common/size.h"
#include "encoderd/report/report_value.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* Names and messages may hold anything that the store's writer put there; control characters are
 * replaced for the terminal. Owned by the caller. */
static char *safe_copy(const char *text)
{
    char *copy = strdup(text);

    if (copy != NULL)
        printable(copy, strlen(copy));
    return copy;
}

static void list_text(const struct problems *problems, struct buf *out)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->items[i];
        const char *where = problem->chunk[0] != '\0' ? problem->chunk : problem->array;
        AUTO_FREE char *place = safe_copy(where), *message = safe_copy(problem->message);

        buf_printf(out, "  %s%s%s\n", place != NULL ? place : "", where[0] != '\0' ? ": " : "",
                   message != NULL ? message : "out of memory");
    }
    if (problems->total > problems->n)
        buf_printf(out, "  and %" PRIu64 " more\n", problems->total - problems->n);
}

static void check_text(const struct check *check, struct buf *out)
{
    const struct check_totals *totals = &check->totals;
    AUTO_FREE char *path = safe_copy(store_path(check->store));
    char size[24];

    buf_printf(out, "store     %s\n", path != NULL ? path : "");
    buf_printf(out, "checked   %" PRIu64 " arrays, %" PRIu64 " chunks", totals->narrays,
               totals->nchunks);
    if (totals->nabsent > 0)
        buf_printf(out, " (%" PRIu64 " of them not stored: fill value)", totals->nabsent);
    buf_printf(out, "\nread      %s", size_format(totals->bytes_read, size, sizeof size));
    buf_printf(out, ", decoded to %s\n", size_format(totals->bytes_decoded, size, sizeof size));
    if (check->problems.total == 0)
        buf_append_str(out, "problems  none\n");
    else
        buf_printf(out, "problems  %" PRIu64 "\n", check->problems.total);
    list_text(&check->problems, out);
    if (check->remarks.total > 0)
        buf_printf(out, "remarks   %" PRIu64 "\n", check->remarks.total);
    list_text(&check->remarks, out);
}

static json_t *list_json(const struct problems *problems)
{
    json_t *list = json_array();

    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->items[i];
        json_t *item = json_object();

        if (!report_set(item, "array", report_string(problem->array)) ||
            !report_set(item, "chunk", report_string(problem->chunk)) ||
            !report_set(item, "message", report_string(problem->message)) ||
            json_array_append(list, item) != 0) {
            json_decref(item);
            json_decref(list);
            return NULL;
        }
        json_decref(item);
    }
    return list;
}

static int check_json(const struct check *check, struct buf *out, struct err *err)
{
    const struct check_totals *totals = &check->totals;
    json_t *top = json_object();
    bool ok = report_set(top, "store", report_string(store_path(check->store))) &&
              report_set(top, "arrays", report_number(totals->narrays)) &&
              report_set(top, "chunks", report_number(totals->nchunks)) &&
              report_set(top, "chunks_not_stored", report_number(totals->nabsent)) &&
              report_set(top, "bytes_read", report_number(totals->bytes_read)) &&
              report_set(top, "bytes_decoded", report_number(totals->bytes_decoded)) &&
              report_set(top, "nproblems", report_number(check->problems.total)) &&
              report_set(top, "problems", list_json(&check->problems)) &&
              report_set(top, "remarks", list_json(&check->remarks));
    AUTO_FREE char *text = ok ? json_dumps(top, JSON_INDENT(2)) : NULL;

    json_decref(top);
    if (text == NULL)
        return err_nomem(err, "the report of a check");
    buf_append_str(out, text);
    buf_append_char(out, '\n');
    return 0;
}

int check_report(const struct check *check, bool json, struct buf *out, struct err *err)
{
    if (json && check_json(check, out, err) != 0)
        return -1;
    if (!json)
        check_text(check, out);
    if (out->failed)
        return err_nomem(err, "the report of a check");
    return 0;
}
