/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text: parses metadata as programs write it, which is not always JSON.
 */
#ifndef VCZFS_ZARR_META_JSON_TEXT_H
#define VCZFS_ZARR_META_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* Parses the document; the caller owns the result, or NULL. Python writes some values that the JSON
 * reader refuses: NaN, Infinity, -Infinity, integers that do not fit in 64 signed bits, and strings
 * with the character 0 or half of a surrogate pair. Each becomes an object that cannot be mistaken
 * for an ordinary value: see json_text_python. In a member's name such a character is replaced by
 * the spelling of its escape. */
json_t *json_text_load(const char *text, size_t n, size_t flags, json_error_t *at);

/* The spelling of such a value; NULL for any other value. */
const char *json_text_python(const json_t *value);

#endif
