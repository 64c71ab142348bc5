/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/json_prune.h"
#include "encoderd/zarr/meta/meta_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <malloc.h>

static void prune_at(struct json_prune *prune, struct buf *out, const char *text, bool top,
                     size_t split)
{
    json_prune_begin(prune, out, META_COST_MAX, top);
    json_prune_feed(prune, (const uint8_t *)text, split);
    json_prune_feed(prune, (const uint8_t *)text + split, strlen(text) - split);
}

/* Wherever the text is cut. */
static void kept_is(const char *text, bool top, const char *due)
{
    for (size_t split = 0; split <= strlen(text); split++) {
        struct json_prune prune;
        struct buf out = {0};

        prune_at(&prune, &out, text, top, split);
        buf_append_char(&out, '\0');
        assert_false(prune.bad || prune.costly);
        assert_string_equal((const char *)out.data, due);
        buf_free(&out);
    }
}

static void what_no_one_needs_is_dropped(void **state)
{
    (void)state;
    kept_is("{}", true, "{}");
    kept_is("{\"a\":1}", true, "{}");
    kept_is("{\"a\":1,\"source\":\"x\"}", true, "{\"source\":\"x\"}");
    kept_is("{\"source\":\"x\",\"a\":1}", true, "{\"source\":\"x\"}");
    kept_is("{\"source\":\"x\",\"a\":[{\"contigs\":[]},\"]\\\"}\"],\"contigs\":[\"1\",\"2\"]}",
            true, "{\"source\":\"x\",\"contigs\":[\"1\",\"2\"]}");
    kept_is("{\"source\" : \"x\" ,\n\"a\": -1.5e3 ,\n \"b\":null}", true,
            "{\"source\" : \"x\" \n\n}");
    kept_is("{\"a\":1,\"source\":\"x\"}", false, "{\"a\":1,\"source\":\"x\"}");
    kept_is("{\"attributes\":{\"a\":1,\"source\":2},\"b\":[ 1, 2 ]}", false,
            "{\"attributes\":{\"source\":2},\"b\":[ 1, 2 ]}");
    kept_is("{\"m\":{\"x/.zattrs\":{\"a\":{}},\".zattrs\":{\"a\":0},\"x/.zarray\":{\"a\":[]}}}",
            false, "{\"m\":{\"x/.zattrs\":{},\".zattrs\":{},\"x/.zarray\":{\"a\":[]}}}");
    kept_is("[\"attributes\",{\"a\":1},1 2]", false, "[\"attributes\",{\"a\":1},1 2]");
    kept_is("{\"x\":\"attributes\",\"y\":{\"a\":1}}", false,
            "{\"x\":\"attributes\",\"y\":{\"a\":1}}");
}

static void mistakes_are_seen(void **state)
{
    static const char *const texts[] = {"{\"a\":[1}}",
                                        "{\"a\":{]}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{,\"a\":1}",
                                        "{\"a\":1 2}",
                                        "{\"a\" 1}",
                                        "{\"a\":1 \"b\"}",
                                        "{1:2}",
                                        "{\"a\":1\"b\":2}",
                                        "{\"a\"::1}",
                                        "{[]}",
                                        "}",
                                        "{\"a\":\"b\"\"c\"}",
                                        "{\"a\":[] []}",
                                        "{\"a\":1,,\"b\":2}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json_prune prune;
        struct buf out = {0};

        prune_at(&prune, &out, texts[i], true, 0);
        if (!prune.bad)
            fail_msg("taken: %s", texts[i]);
        buf_free(&out);
    }
}

/* What is cut off inside of something dropped is as incomplete as before. */
static void a_cut_document_stays_one(void **state)
{
    const char *text = "{\"a\":[1,{\"b\":\"c\"}],\"source\":\"x\",\"d\":2}";

    (void)state;
    for (size_t n = 0; n < strlen(text); n++) {
        struct json_prune prune;
        struct buf out = {0};

        json_prune_begin(&prune, &out, META_COST_MAX, true);
        json_prune_feed(&prune, (const uint8_t *)text, n);
        assert_null(json_loadb(out.data != NULL ? (const char *)out.data : "", out.len, 0, NULL));
        buf_free(&out);
    }
}

static void depth_is_bounded(void **state)
{
    struct json_prune prune;
    struct buf out = {0};

    (void)state;
    json_prune_begin(&prune, &out, META_COST_MAX, false);
    for (unsigned i = 0; i <= JSON_PRUNE_DEPTH_MAX; i++)
        json_prune_feed(&prune, (const uint8_t *)"[", 1);
    assert_true(prune.bad);
    buf_free(&out);
}

static size_t held, peak;

static void *count_malloc(size_t n)
{
    void *at = malloc(n);

    held += malloc_usable_size(at) + 16;
    peak = held > peak ? held : peak;
    return at;
}

static void count_free(void *at)
{
    held -= at != NULL ? malloc_usable_size(at) + 16 : 0;
    free(at);
}

/* Fills as much of a document with `unit` as is taken, %u a number that differs, and reads that. */
static void cost_covers(const char *open, const char *unit, const char *shut)
{
    struct json_prune prune;
    struct buf out = {0};
    json_t *top;
    char text[128];

    json_prune_begin(&prune, &out, META_COST_MAX, false);
    json_prune_feed(&prune, (const uint8_t *)open, strlen(open));
    for (unsigned i = 0; META_COST_MAX - prune.cost > 8192; i++) {
        const int n = snprintf(text, sizeof text, unit, i);

        json_prune_feed(&prune, (const uint8_t *)text, (size_t)n);
    }
    json_prune_feed(&prune, (const uint8_t *)shut, strlen(shut));
    assert_false(prune.bad || prune.costly);
    held = peak = 0;
    top = json_loadb((const char *)out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(top);
    if (peak + out.cap > META_COST_MAX)
        fail_msg("%s takes %zu bytes", unit, peak + out.cap);
    json_decref(top);
    assert_int_equal(held, 0);
    buf_free(&out);
}

static void trees_cost_no_more_than_is_counted(void **state)
{
    (void)state;
    json_set_alloc_funcs(count_malloc, count_free);
    cost_covers("[0", ",[]", "]");
    cost_covers("[0", ",{}", "]");
    cost_covers("[0", ",\"\"", "]");
    cost_covers("[0", ",1", "]");
    cost_covers("[0", ",1.5", "]");
    cost_covers("[0", ",null", "]");
    cost_covers("[0", ",[[1],[2]]", "]");
    cost_covers("[0", ",\"a string that is somewhat longer than the others are\"", "]");
    cost_covers("[0", ",{\"a\":{}}", "]");
    cost_covers("{\"a\":0", ",\"%u\":{}", "}");
    cost_covers("{\"a\":0", ",\"%u\":0", "}");
    cost_covers("{\"a\":0", ",\"%u\":\"\"", "}");
    cost_covers("{\"a\":0", ",\"%u\":{\"b\":[]}", "}");
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_one_needs_is_dropped),       cmocka_unit_test(mistakes_are_seen),
        cmocka_unit_test(a_cut_document_stays_one),           cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(trees_cost_no_more_than_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
