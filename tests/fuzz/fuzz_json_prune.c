/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata as it is pruned while it is read: whatever the text and however it is cut into pieces,
 * the same is kept, no more of it than there was, and of JSON what is left is JSON.
 *
 * The first byte: 1: the document is an object of attributes; the rest of it: how long the pieces
 * are. The second: how much may be kept.
 */
#include "encoderd/zarr/meta/json_prune.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <string.h>

static void prune_in_pieces(struct json_prune *prune, struct buf *out, size_t cost_max, bool top,
                            const uint8_t *text, size_t n, size_t piece)
{
    json_prune_begin(prune, out, cost_max, top);
    for (size_t at = 0; at < n; at += piece)
        json_prune_feed(prune, text + at, n - at < piece ? n - at : piece);
}

static bool is_json(const uint8_t *text, size_t n)
{
    json_t *tree = json_loadb((const char *)text, n, 0, NULL);

    json_decref(tree);
    return tree != NULL;
}

static void require_same(const struct json_prune *a, const struct json_prune *b)
{
    REQUIRE(a->bad == b->bad && a->costly == b->costly && a->line == b->line);
    REQUIRE(a->out->len == b->out->len);
    REQUIRE(a->out->len == 0 || memcmp(a->out->data, b->out->data, a->out->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t how = take_byte(&data, &size);
    const size_t cost_max = (size_t)take_byte(&data, &size) << 9;
    struct buf whole_text = {0}, pieces_text = {0};
    struct json_prune whole, pieces;

    prune_in_pieces(&whole, &whole_text, cost_max, how & 1, data, size, size + 1);
    prune_in_pieces(&pieces, &pieces_text, cost_max, how & 1, data, size, (how >> 1) + 1u);
    require_same(&whole, &pieces);
    REQUIRE(whole_text.len <= size && whole_text.len <= cost_max);
    if (is_json(data, size) && !whole.costly)
        REQUIRE(!whole.bad && is_json(whole_text.data, whole_text.len));
    buf_free(&whole_text);
    buf_free(&pieces_text);
    return 0;
}
