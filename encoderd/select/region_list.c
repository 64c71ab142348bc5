/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_list: regions in the text of an option.
 */
#include "encoderd/select/region_parse.h"
#include "encoderd/vcz/text.h"

#include <string.h>

static int refuse(const struct region_parse *parse, const char *at, size_t len, const char *why)
{
    const struct str text = {.at = at, .len = len};
    char shown[TEXT_SHOW_MAX];

    return err_set(parse->err, ERR_FORM, "%s: %s: %s", parse->option, text_show(&text, shown), why);
}

/* "5", "5-", "5-9" */
static bool parse_span(const char *at, const char *end, int64_t *first, int64_t *last)
{
    if (!region_position(&at, end, first))
        return false;
    *last = *first;
    if (at == end)
        return true;
    if (*at++ != '-')
        return false;
    *last = INT64_MAX;
    return at == end || (region_position(&at, end, last) && at == end);
}

/* A contig's name and, if there is a ":", the positions between `span` and `end`. */
static int parse_named(const struct region_parse *parse, const char *at, size_t name_len,
                       const char *span, const char *end)
{
    int64_t first = 0, last = INT64_MAX;
    uint64_t contig;

    if (span != NULL && !parse_span(span, end, &first, &last))
        return refuse(parse, at, (size_t)(end - at),
                      "not a region; regions are CONTIG, CONTIG:POSITION, CONTIG:FIRST- or "
                      "CONTIG:FIRST-LAST");
    if (first > last)
        return refuse(parse, at, (size_t)(end - at), "the region ends before it begins");
    return region_contig(parse, at, name_len, &contig) != 0
               ? -1
               : region_add(parse, contig, first, last);
}

/* "{NAME}" and "{NAME}:5-9"; `close` is the brace at the end. */
static int parse_braced(const struct region_parse *parse, const char *at, const char *close,
                        const char *end)
{
    const char *name = at + 1;

    if (close + 1 < end && close[1] != ':')
        return refuse(parse, at, (size_t)(end - at), "expected a colon after the brace");
    return parse_named(parse, name, (size_t)(close - name), close + 1 < end ? close + 2 : NULL,
                       end);
}

/* One item of a list. A contig's name may have colons; only after the last one can there be
 * positions. */
static int parse_item(const struct region_parse *parse, const char *at, size_t len)
{
    uint64_t contig = names_find(&parse->contigs, at, len);
    const char *colon = memrchr(at, ':', len), *close = memchr(at, '}', len);

    if (contig < parse->contigs.n)
        return region_add(parse, contig, 0, INT64_MAX);
    if (at[0] == '{' && close == NULL)
        return refuse(parse, at, len, "expected a brace after the contig's name");
    if (at[0] == '{')
        return parse_braced(parse, at, close, at + len);
    return parse_named(parse, at, colon != NULL ? (size_t)(colon - at) : len,
                       colon != NULL ? colon + 1 : NULL, at + len);
}

/* The end of an item: the next comma outside braces. */
static size_t item_length(const char *at)
{
    const char *close = at[0] == '{' ? strchr(at, '}') : NULL;

    return close != NULL ? (size_t)(close - at) + strcspn(close, ",") : strcspn(at, ",");
}

static int parse_items(const struct region_parse *parse, const char *list)
{
    bool any = false;

    for (const char *at = list; *at != '\0';) {
        size_t len = item_length(at);

        any = any || len > 0;
        if (len > 0 && parse_item(parse, at, len) != 0)
            return -1;
        at += len + (at[len] != '\0');
    }
    return any ? 0 : err_set(parse->err, ERR_FORM, "%s: no region given", parse->option);
}

int regions_parse_list(const struct vcz *vcz, const char *list, const char *option,
                       struct regions *out, struct err *err)
{
    struct region_parse parse = {.vcz = vcz, .option = option, .out = out, .err = err};
    int rc = region_parse_begin(&parse);

    return region_parse_end(&parse, rc == 0 ? parse_items(&parse, list) : rc);
}
