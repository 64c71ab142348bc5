/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text: writes text as JSON strings.
 */
#ifndef VCZFS_COMMON_JSON_TEXT_H
#define VCZFS_COMMON_JSON_TEXT_H

#include "common/buf.h"

/* Appends text as the inside of a JSON string. Names can be any bytes but JSON is UTF-8, so a byte
 * that is not part of a UTF-8 character is written as the Latin-1 character of that value. */
void json_append_text(struct buf *out, const char *text);

/* The same with the quotes; NULL becomes null. */
void json_append_string(struct buf *out, const char *text);

#endif
