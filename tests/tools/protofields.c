/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protofields: what the tables of the protocol say, in the words of PROTOCOL.md.
 *
 * A line for each message ("message NAME FDS") and each field ("field RECORD KEY TYPE, CONDITION,
 * WHAT BRINGS A DESCRIPTOR, RULE"), in tabs; what there is none of is empty. Maps inside messages
 * are records of their own, said once.
 */
#include "proto/messages.h"
#include "proto/proto.h"
#include "proto/selection_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_number(const struct field *field)
{
    if (field->max == UINT64_MAX && field->min == 0)
        printf("u64");
    else if (field->max == PROTO_SIZE_MAX)
        printf("size%s", field->min == 0 ? "" : ", > 0");
    else if (field->max == PROTO_FILES_MAX - 1)
        printf("index");
    else
        printf("%" PRIu64 " to %" PRIu64, field->min, field->max);
}

static void print_names(const struct field *field)
{
    for (uint64_t i = field->min; i <= field->max; i++)
        printf("%s\"%s\"",
               i == field->min   ? ""
               : i == field->max ? " or "
                                 : ", ",
               field->names->of((int)i));
}

static void print_str(const struct field *field)
{
    printf("%s", field->min == 0 ? "text" : "str");
    if (field->max != PROTO_STRING_MAX)
        printf(", ≤ %" PRIu64 " bytes", field->max);
}

static void print_type(const struct field *field);

static void print_record(const struct field *field)
{
    const struct record *record = field->record;

    printf("%s", !record->tuple ? "map" : field->most > 0 ? "arrays of " : "array of ");
    for (size_t i = 0; record->tuple && i < record->nfields; i++) {
        printf("%s", i == 0 ? "" : ", ");
        print_type(&record->fields[i]);
    }
}

static void print_type(const struct field *field)
{
    if (field->most > 0)
        printf("array of %zu to %zu ", field->least, field->most);
    switch (field->type) {
    case FIELD_NUMBER:
        print_number(field);
        break;
    case FIELD_BOOL:
        printf("%s", field->optional ? "true" : "bool");
        break;
    case FIELD_NAME:
        print_names(field);
        break;
    case FIELD_STR:
        print_str(field);
        break;
    case FIELD_TEXT:
    case FIELD_SLICE:
        printf("bin");
        break;
    case FIELD_BIN:
        printf("bin, %zu bytes", field->size);
        break;
    case FIELD_RECORD:
        print_record(field);
        break;
    }
}

static const char *condition(const struct record *record, const struct field *field)
{
    for (size_t i = 0; field->only_if != 0 && i < record->nfields; i++)
        if (record->fields[i].at == field->only_if)
            return record->fields[i].key;
    return "";
}

static const char *bringer(const struct field *field)
{
    if (field->brings == 0)
        return "";
    return field->type == FIELD_NAME ? field->names->of(field->brings) : field->key;
}

static void print_fields(const char *name, const struct record *record)
{
    for (size_t i = 0; i < record->nfields; i++) {
        const struct field *field = &record->fields[i];

        printf("field\t%s\t%s\t", name, field->key);
        print_type(field);
        printf("\t%s\t%s\t%s\n", condition(record, field), bringer(field),
               field->rule != NULL ? "rule" : "");
        if (field->type == FIELD_RECORD && !field->record->tuple)
            print_fields(field->key, field->record);
    }
}

int main(void)
{
    for (size_t i = 0; i < MESSAGES_N; i++) {
        printf("message\t%s\t%zu\n", messages[i].name, messages[i].nfds);
        print_fields(messages[i].name, &messages[i].record);
    }
    print_fields("selection", selection_request_record());
    return 0;
}
