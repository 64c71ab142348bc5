/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text: text for JSON strings.
 */
#ifndef VCZFS_COMMON_JSON_TEXT_H
#define VCZFS_COMMON_JSON_TEXT_H

#include "common/buf.h"

/* Appends text as it stands between the quotes of a JSON string. Names are bytes, JSON is UTF-8: a
 * byte that is no part of it is written as if it were Latin-1. */
void json_append_text(struct buf *out, const char *text);

/* The same with the quotes; NULL becomes null. */
void json_append_string(struct buf *out, const char *text);

#endif
