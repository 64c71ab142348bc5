/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_value: JSON values of reports. A value that could not be made is NULL; jansson's setters
 * fail on NULL, and so pass the failure on.
 */
#ifndef VCZFS_REPORT_REPORT_VALUE_H
#define VCZFS_REPORT_REPORT_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes ownership of the value; false if it is NULL. */
bool report_set(json_t *object, const char *key, json_t *value);

json_t *report_number(uint64_t value);

/* Paths, and messages that contain one, may not be UTF-8, which JSON requires: then each byte that
 * is not ASCII becomes '?'. */
json_t *report_string(const char *text);

#endif
