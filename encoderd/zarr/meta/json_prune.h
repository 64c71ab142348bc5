/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_prune: a metadata document without the attributes that vczfs has no use for, piece by piece
 * as it is read.
 *
 * Attributes are whatever their writer liked: the header of a VCF, megabytes of it, or a tree that
 * takes a hundred times its text. What is dropped is never held; what is kept is counted as the
 * memory that its tree will take. An object of attributes is the value of a member "attributes",
 * ".zattrs" or ".../.zattrs", or the document itself.
 */
#ifndef VCZFS_ZARR_META_JSON_PRUNE_H
#define VCZFS_ZARR_META_JSON_PRUNE_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_PRUNE_DEPTH_MAX  2048 /* the JSON reader's own */
#define JSON_PRUNE_STRING_MAX 320  /* a longer one is no name that matters */

struct json_prune {
    struct buf *out; /* borrowed; what is kept */
    size_t cost_max; /* bytes: text, tree and all */
    bool top_is_attributes;

    size_t cost;
    unsigned line; /* of the text, from 1 */
    bool bad;      /* it is not JSON, at `line` */
    bool costly;   /* it costs more than cost_max: the rest is not kept */

    enum json_prune_token { PRUNE_OTHER, PRUNE_SPACE, PRUNE_WORD, PRUNE_STRING } token;
    bool escaped, after_colon, dropping, key;
    enum { PRUNE_FIRST, PRUNE_KEY, PRUNE_COLON, PRUNE_VALUE, PRUNE_AFTER } expect;
    unsigned nkept;      /* attributes */
    unsigned depth;      /* open brackets */
    unsigned attributes; /* depth inside of the outermost object of attributes; 0: in none */
    size_t string_len;   /* of the last string; more than fits: only that */
    char string[JSON_PRUNE_STRING_MAX];
    uint8_t kinds[JSON_PRUNE_DEPTH_MAX]; /* the open brackets */
};

void json_prune_begin(struct json_prune *prune, struct buf *out, size_t cost_max,
                      bool top_is_attributes);

/* The next n bytes of the text. Brackets and the members of attributes are checked; all else that
 * is kept is for the JSON reader to check, and of what is dropped nothing else is. */
void json_prune_feed(struct json_prune *prune, const uint8_t *text, size_t n);

#endif
