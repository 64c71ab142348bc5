/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_prune: removes from a metadata document the attributes that vczfs does not use, piece by
 * piece while it is read.
 *
 * Attributes may be anything: the header of a VCF, which is megabytes, or a tree that takes a
 * hundred times the memory of its text. What is removed is never held in memory. What is kept is
 * counted with the memory that its tree will take. The attributes are the value of a member
 * "attributes", ".zattrs" or ".../.zattrs", or the whole document.
 */
#ifndef VCZFS_ZARR_META_JSON_PRUNE_H
#define VCZFS_ZARR_META_JSON_PRUNE_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_PRUNE_DEPTH_MAX  2048 /* the JSON reader's own */
#define JSON_PRUNE_STRING_MAX 320  /* longer names are none that vczfs uses */

struct json_prune {
    struct buf *out; /* borrowed; what is kept */
    size_t cost_max; /* bytes, of text and tree */
    bool top_is_attributes;

    size_t cost;
    unsigned line; /* of the text, from 1 */
    bool bad;      /* the text is not JSON, at `line` */
    bool costly;   /* it costs more than cost_max; the rest is not kept */

    enum json_prune_token { PRUNE_OTHER, PRUNE_SPACE, PRUNE_WORD, PRUNE_STRING } token;
    bool escaped, after_colon, dropping, key;
    enum { PRUNE_FIRST, PRUNE_KEY, PRUNE_COLON, PRUNE_VALUE, PRUNE_AFTER } expect;
    unsigned nkept;      /* attributes */
    unsigned depth;      /* open brackets */
    unsigned attributes; /* depth of the outermost object of attributes; 0: outside */
    size_t string_len;   /* of the last string; `string` may hold only its beginning */
    char string[JSON_PRUNE_STRING_MAX];
    uint8_t kinds[JSON_PRUNE_DEPTH_MAX]; /* the open brackets */
};

void json_prune_begin(struct json_prune *prune, struct buf *out, size_t cost_max,
                      bool top_is_attributes);

/* Handles the next n bytes of the text. It checks only brackets and the members of attributes. The
 * JSON reader will check the rest of what is kept; nobody checks the rest of what is removed. */
void json_prune_feed(struct json_prune *prune, const uint8_t *text, size_t n);

#endif
