/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/record.h"

#include <inttypes.h>
#include <stdio.h>

int record_fail(const struct record_report *report, const char *key, const char *what)
{
    return err_set(report->err, report->code, "%s%s: key \"%s%s%s\" %s", report->kind, report->name,
                   report->within == NULL ? "" : report->within, report->within == NULL ? "" : ".",
                   key, what);
}

int record_fail_number(const struct record_report *report, const struct field *field)
{
    char what[80];

    snprintf(what, sizeof what, "is not an integer in [%" PRIu64 ", %" PRIu64 "]", field->min,
             field->max);
    return record_fail(report, field->key, what);
}

size_t field_count(const struct field *field, const void *data)
{
    return field->most == 0 ? 1 : *(const size_t *)((const char *)data + field->count_at);
}

static bool all_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

bool field_is_nothing(const struct field *field, const void *data)
{
    const char *at = (const char *)data + field->at;

    if (field->most > 0)
        return field_count(field, data) == 0;
    if (field->type == FIELD_RECORD)
        return record_is_nothing(field->record, at);
    return all_zero(at, field->size);
}

bool record_is_nothing(const struct record *record, const void *data)
{
    for (size_t i = 0; i < record->nfields; i++)
        if (!field_is_nothing(&record->fields[i], data))
            return false;
    return true;
}

static size_t field_nfds(const struct field *field, const void *data)
{
    const char *at = (const char *)data + field->at;

    if (field->type == FIELD_RECORD && field->most == 0)
        return record_nfds(field->record, at);
    if (field->brings == 0 || !field_is_said(field, data))
        return 0;
    return (field->type == FIELD_BOOL ? *(const bool *)at : *(const int *)(const void *)at) ==
           field->brings;
}

size_t record_nfds(const struct record *record, const void *data)
{
    size_t n = 0;

    for (size_t i = 0; i < record->nfields; i++)
        n += field_nfds(&record->fields[i], data);
    return n;
}
