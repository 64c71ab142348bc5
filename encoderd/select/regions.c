#include "encoderd/select/regions.h"

#include "encoderd/select/names.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is being parsed, for messages and lookups. */
struct parse {
    const struct vcz *vcz;
    const char *option;
    struct names contigs;
    struct regions *out;
    struct notices *notices;
    struct err *err;
};

static int refuse(const struct parse *parse, const char *at, size_t len, const char *why)
{
    const struct str text = {.at = at, .len = len};
    char shown[TEXT_SHOW_MAX];

    return err_set(parse->err, ERR_USAGE, "%s: %s: %s", parse->option, text_show(&text, shown),
                   why);
}

static int add(const struct parse *parse, uint64_t contig, int64_t first, int64_t last)
{
    struct regions *out = parse->out;

    if (out->n == out->cap) {
        size_t cap = out->cap > 0 ? out->cap * 2 : 16;
        struct region *items = reallocarray(out->items, cap, sizeof *items);

        if (items == NULL)
            return err_set(parse->err, ERR_MEMORY, "out of memory for the regions of %s",
                           parse->option);
        out->items = items;
        out->cap = cap;
    }
    out->items[out->n++] = (struct region){.contig = contig, .first = first, .last = last};
    return 0;
}

/* Decimal digits only; *at moves behind them. */
static bool parse_position(const char **at, const char *end, int64_t *out)
{
    const char *begin = *at;
    int64_t value = 0;

    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **at - '0', &value))
            return false;
    *out = value;
    return *at > begin;
}

/* "5", "5-", "5-9" */
static bool parse_span(const char *at, const char *end, int64_t *first, int64_t *last)
{
    if (!parse_position(&at, end, first))
        return false;
    *last = *first;
    if (at == end)
        return true;
    if (*at++ != '-')
        return false;
    *last = INT64_MAX;
    return at == end || (parse_position(&at, end, last) && at == end);
}

static void no_contig(const struct parse *parse, const char *at, size_t len)
{
    const struct str text = {.at = at, .len = len};
    char shown[TEXT_SHOW_MAX];

    notices_add(parse->notices, "%s: the store has no contig %s", parse->option,
                text_show(&text, shown));
}

/* One item of a list. A contig's name may hold colons; only the last one can begin a position. */
static int parse_item(const struct parse *parse, const char *at, size_t len)
{
    uint64_t contig = names_find(&parse->contigs, at, len);
    const char *colon = memrchr(at, ':', len);
    int64_t first, last;

    if (contig < parse->contigs.n)
        return add(parse, contig, 0, INT64_MAX);
    if (colon == NULL) {
        no_contig(parse, at, len);
        return 0;
    }
    if (!parse_span(colon + 1, at + len, &first, &last))
        return refuse(parse, at, len,
                      "not a region; regions are CONTIG, CONTIG:POSITION, CONTIG:FIRST- or "
                      "CONTIG:FIRST-LAST");
    if (first > last)
        return refuse(parse, at, len, "the region ends before it begins");
    contig = names_find(&parse->contigs, at, (size_t)(colon - at));
    if (contig < parse->contigs.n)
        return add(parse, contig, first, last);
    no_contig(parse, at, (size_t)(colon - at));
    return 0;
}

static int parse_items(const struct parse *parse, const char *list)
{
    bool any = false;

    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, ",");

        any = any || len > 0;
        if (len > 0 && parse_item(parse, at, len) != 0)
            return -1;
        at += len + (at[len] != '\0');
    }
    return any ? 0 : err_set(parse->err, ERR_USAGE, "%s: no region given", parse->option);
}

static bool is_bed(const char *name)
{
    size_t len = strlen(name);

    return (len >= 4 && strcasecmp(name + len - 4, ".bed") == 0) ||
           (len >= 7 && strcasecmp(name + len - 7, ".bed.gz") == 0);
}

static int refuse_line(const struct parse *parse, const struct option_file *file,
                       const struct option_line *line, const char *why)
{
    return err_set(parse->err, ERR_USAGE, "%s: %s, line %zu: %s", parse->option, file->name,
                   line->number, why);
}

static int parse_line(const struct parse *parse, const struct option_file *file,
                      const struct option_line *line)
{
    const char *end = line->at + line->len, *tab = memchr(line->at, '\t', line->len), *at;
    bool bed = is_bed(file->name);
    int64_t first, last;
    uint64_t contig;

    at = tab != NULL ? tab + 1 : end;
    if (tab == NULL || !parse_position(&at, end, &first) || (at < end && *at != '\t'))
        return refuse_line(parse, file, line,
                           "expected tab-separated columns CONTIG, FIRST and LAST");
    last = first;
    if (at < end || bed) {
        at += at < end;
        if (!parse_position(&at, end, &last) || (at < end && *at != '\t'))
            return refuse_line(parse, file, line, "the third column is not a position");
    }
    if (bed)
        first++;
    contig = names_find(&parse->contigs, line->at, (size_t)(tab - line->at));
    if (contig == parse->contigs.n)
        no_contig(parse, line->at, (size_t)(tab - line->at));
    else if (first <= last)
        return add(parse, contig, first, last);
    else if (!bed || first > last + 1)
        return refuse_line(parse, file, line, "the region ends before it begins");
    return 0;
}

static int parse_lines(const struct parse *parse, const struct option_file *file)
{
    struct option_line line = {0};
    bool any = false;

    for (size_t at = 0; option_file_line(file, &at, &line);) {
        if (line.len == 0 || line.at[0] == '#')
            continue;
        any = true;
        if (memchr(line.at, '\0', line.len) != NULL)
            return refuse_line(parse, file, &line, "not text; a compressed file must be unpacked");
        if (parse_line(parse, file, &line) != 0)
            return -1;
    }
    return any ? 0
               : err_set(parse->err, ERR_USAGE, "%s: %s holds no region", parse->option,
                         file->name);
}

static int compare_regions(const void *a, const void *b)
{
    const struct region *x = a, *y = b;

    if (x->contig != y->contig)
        return x->contig < y->contig ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* Sorts, joins what overlaps, and finds where each contig begins. */
static int finish(const struct parse *parse)
{
    struct regions *out = parse->out;
    size_t n = 0;

    if (out->n > 0)
        qsort(out->items, out->n, sizeof *out->items, compare_regions);
    for (size_t i = 0; i < out->n; i++) {
        struct region *last = n > 0 ? &out->items[n - 1] : NULL;

        if (last != NULL && last->contig == out->items[i].contig &&
            out->items[i].first <= last->last)
            last->last = out->items[i].last > last->last ? out->items[i].last : last->last;
        else
            out->items[n++] = out->items[i];
    }
    out->n = n;
    out->contig_begin = calloc(parse->contigs.n + 1, sizeof *out->contig_begin);
    if (out->contig_begin == NULL)
        return err_set(parse->err, ERR_MEMORY, "out of memory for the regions of %s",
                       parse->option);
    for (size_t i = 0; i < n; i++)
        out->contig_begin[out->items[i].contig + 1] = i + 1;
    for (uint64_t c = 0; c < parse->contigs.n; c++)
        if (out->contig_begin[c + 1] < out->contig_begin[c])
            out->contig_begin[c + 1] = out->contig_begin[c];
    return 0;
}

static int parse_any(struct parse *parse, const char *list, const struct option_file *file)
{
    int rc = names_init(&parse->contigs, parse->vcz->contigs.items, parse->vcz->contigs.nitems,
                        parse->err);

    *parse->out = (struct regions){0};
    if (rc == 0)
        rc = file != NULL ? parse_lines(parse, file) : parse_items(parse, list);
    if (rc == 0)
        rc = finish(parse);
    names_free(&parse->contigs);
    if (rc != 0)
        regions_free(parse->out);
    return rc;
}

int regions_parse_list(const struct vcz *vcz, const char *list, const char *option,
                       struct regions *out, struct notices *notices, struct err *err)
{
    struct parse parse = {.vcz = vcz, .option = option, .out = out, .notices = notices, .err = err};

    return parse_any(&parse, list, NULL);
}

int regions_parse_file(const struct vcz *vcz, const struct option_file *file, const char *option,
                       struct regions *out, struct notices *notices, struct err *err)
{
    struct parse parse = {.vcz = vcz, .option = option, .out = out, .notices = notices, .err = err};

    return parse_any(&parse, NULL, file);
}

void regions_free(struct regions *regions)
{
    free(regions->items);
    free(regions->contig_begin);
    *regions = (struct regions){0};
}

bool regions_meet(const struct regions *regions, uint64_t contig, int64_t first, int64_t last)
{
    size_t low = regions->contig_begin[contig], end = regions->contig_begin[contig + 1];
    size_t high = end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (regions->items[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && regions->items[low].first <= last;
}
