/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_value: JSON values of reports. Values that could not be made are NULL, and jansson's
 * setters pass the failure on.
 */
#ifndef VCZFS_REPORT_REPORT_VALUE_H
#define VCZFS_REPORT_REPORT_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes the value; false if there is none. */
bool report_set(json_t *object, const char *key, json_t *value);

json_t *report_number(uint64_t value);

/* Paths, and messages that name one, need not be UTF-8, which JSON must be: then what is not ASCII
 * in them becomes '?'. */
json_t *report_string(const char *text);

#endif
