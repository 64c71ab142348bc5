/*
 * json_text: metadata as its writers spell it, which is not always JSON.
 */
#ifndef VCZFS_ZARR_JSON_TEXT_H
#define VCZFS_ZARR_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* The document, owned by the caller, or NULL. What Python writes and JSON has not (NaN, Infinity, -Infinity, and
 * whole numbers that do not fit in 64 bits with a sign) is an object that nothing takes for a value by
 * accident: see json_text_python. */
json_t *json_text_load(const char *text, size_t n, size_t flags, json_error_t *at);

/* Such a value as it was spelled; NULL for any other. */
const char *json_text_python(const json_t *value);

#endif
