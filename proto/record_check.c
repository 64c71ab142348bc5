/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/record.h"

#include <string.h>

static int check_text(const struct field *field, const char *text,
                      const struct record_report *report)
{
    const size_t len = text == NULL ? 0 : strnlen(text, field->max + 1);

    if (text == NULL)
        return record_fail(report, field->key, "is not set");
    if (len < field->min || len > field->max)
        return record_fail(report, field->key, len < field->min ? "is empty" : "is too long");
    return 0;
}

static int check_inner(const struct field *field, const void *at,
                       const struct record_report *report)
{
    struct record_report inner = *report;

    inner.within = field->key;
    return record_check(field->record, at, &inner);
}

static int check_value(const struct field *field, const void *at, const void *data,
                       const struct record_report *report)
{
    switch (field->type) {
    case FIELD_NUMBER:
        if (*(const uint64_t *)at < field->min || *(const uint64_t *)at > field->max)
            return record_fail_number(report, field);
        return 0;
    case FIELD_NAME:
        if (*(const int *)at < (int)field->min || *(const int *)at > (int)field->max)
            return record_fail(report, field->key, field->names->others);
        return 0;
    case FIELD_STR:
    case FIELD_TEXT:
        return check_text(field, *(const char *const *)at, report);
    case FIELD_SLICE:
        if (*(const size_t *)(const void *)((const char *)data + field->count_at) > field->max)
            return record_fail(report, field->key, "is too long");
        return 0;
    case FIELD_RECORD:
        return check_inner(field, at, report);
    case FIELD_BOOL:
    case FIELD_BIN:
        return 0;
    }
    return 0;
}

int field_check(const struct field *field, const void *data, const struct record_report *report)
{
    const char *at = (const char *)data + field->at;
    const size_t n = field_count(field, data);
    const char *wrong;

    if (field->most > 0 && (n < field->least || n > field->most))
        return record_fail(report, field->key, "is not an array of the due length");
    for (size_t i = 0; i < n; i++)
        if (check_value(field, at + i * field->size, data, report) != 0)
            return -1;
    wrong = field->rule == NULL ? NULL : field->rule(data);
    return wrong == NULL ? 0 : record_fail(report, field->key, wrong);
}

int record_check(const struct record *record, const void *data, const struct record_report *report)
{
    for (size_t i = 0; i < record->nfields; i++) {
        const struct field *field = &record->fields[i];

        if (field_is_said(field, data)) {
            if (field_check(field, data, report) != 0)
                return -1;
        } else if (!field->optional && !field_is_nothing(field, data)) {
            return record_fail(report, field->key, "is set where it is not said");
        }
    }
    return 0;
}
