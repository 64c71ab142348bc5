/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text: metadata as its writers spell it, which is not always JSON.
 */
#ifndef VCZFS_ZARR_META_JSON_TEXT_H
#define VCZFS_ZARR_META_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* The document, owned by the caller, or NULL. What Python writes and the JSON reader has not (NaN,
 * Infinity, -Infinity, whole numbers that do not fit in 64 bits with a sign, strings with the
 * character 0 or half of a surrogate pair) is an object that nothing takes for a value by accident:
 * see json_text_python. In a member's name such a character is its escape, letter by letter. */
json_t *json_text_load(const char *text, size_t n, size_t flags, json_error_t *at);

/* Such a value as it was spelled; NULL for any other. */
const char *json_text_python(const json_t *value);

#endif
