/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/region_parse.h"

#include "common/nearest.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTIGS_SHOWN 6

int region_parse_begin(struct region_parse *parse)
{
    *parse->out = (struct regions){0};
    if (vcz_need(parse->vcz, VCZ_PLACES, parse->err) != 0)
        return -1;
    return names_init(&parse->contigs, parse->vcz->contigs.items, parse->vcz->contigs.nitems,
                      parse->err);
}

static int compare_regions(const void *a, const void *b)
{
    const struct region *x = a, *y = b;

    if (x->contig != y->contig)
        return x->contig < y->contig ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* True if `next`, which begins no earlier than `region`, is separated from it by at least one base.
 */
static bool is_apart(const struct region *region, const struct region *next)
{
    return region->contig != next->contig ||
           (region->last < next->first && next->first - region->last > 1);
}

/* Sorts the regions, and joins those that overlap or touch. */
static void join(struct regions *out)
{
    size_t n = 0;

    if (out->n > 0)
        qsort(out->items, out->n, sizeof *out->items, compare_regions);
    for (size_t i = 0; i < out->n; i++) {
        struct region *last = n > 0 ? &out->items[n - 1] : NULL;

        if (last != NULL && !is_apart(last, &out->items[i]))
            last->last = out->items[i].last > last->last ? out->items[i].last : last->last;
        else
            out->items[n++] = out->items[i];
    }
    out->n = n;
}

/* Finds where each contig begins. */
static int index_contigs(const struct region_parse *parse)
{
    struct regions *out = parse->out;

    out->contig_begin = calloc(parse->contigs.n + 1, sizeof *out->contig_begin);
    if (out->contig_begin == NULL)
        return err_nomem(parse->err, "the regions of %s", parse->option);
    for (size_t i = 0; i < out->n; i++)
        out->contig_begin[out->items[i].contig + 1] = i + 1;
    for (uint64_t c = 0; c < parse->contigs.n; c++)
        if (out->contig_begin[c + 1] < out->contig_begin[c])
            out->contig_begin[c + 1] = out->contig_begin[c];
    return 0;
}

int region_parse_end(struct region_parse *parse, int rc)
{
    if (rc == 0) {
        join(parse->out);
        rc = index_contigs(parse);
    }
    names_free(&parse->contigs);
    if (rc != 0)
        regions_free(parse->out);
    return rc;
}

/* When the array is full, equal regions are joined first, so that repetitions in a file take no
 * room. Then the array is doubled if needed. */
static int make_room(const struct region_parse *parse)
{
    struct regions *out = parse->out;
    size_t cap = out->cap > 0 ? out->cap * 2 : 16;
    struct region *items;

    join(out);
    if (out->n < out->cap / 2)
        return 0;
    items = reallocarray(out->items, cap, sizeof *items);
    if (items == NULL)
        return err_nomem(parse->err, "the regions of %s", parse->option);
    out->items = items;
    out->cap = cap;
    return 0;
}

int region_add(const struct region_parse *parse, uint64_t contig, int64_t first, int64_t last)
{
    struct regions *out = parse->out;

    if (out->n == out->cap && make_room(parse) != 0)
        return -1;
    out->items[out->n++] = (struct region){.contig = contig, .first = first, .last = last};
    return 0;
}

/* A contig's name without "chr", and MT for M. */
static struct str bare_name(struct str name)
{
    if (name.len > 3 && strncasecmp(name.at, "chr", 3) == 0)
        name = (struct str){.at = name.at + 3, .len = name.len - 3};
    return name.len == 1 && (name.at[0] == 'M' || name.at[0] == 'm')
               ? (struct str){.at = "MT", .len = 2}
               : name;
}

/* A contig whose name differs only by "chr" or by case; NULL: none. */
static const struct str *find_like(const struct strings *contigs, const struct str *name)
{
    const struct str wanted = bare_name(*name);

    for (size_t i = 0; i < contigs->nitems; i++) {
        struct str bare = bare_name(contigs->items[i]);

        if (bare.len == wanted.len && strncasecmp(bare.at, wanted.at, bare.len) == 0)
            return &contigs->items[i];
    }
    return NULL;
}

static void list_contigs(const struct strings *contigs, char *out, size_t size)
{
    size_t n = contigs->nitems, used = 0;
    char shown[TEXT_SHOW_MAX];

    out[0] = '\0';
    for (size_t i = 0; i < n && i < CONTIGS_SHOWN; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 text_show(&contigs->items[i], shown));
    if (n > CONTIGS_SHOWN)
        snprintf(out + used, size - used, " and %zu more", n - CONTIGS_SHOWN);
}

static void find_hint(const struct strings *contigs, const struct str *name,
                      char hint[NEAREST_HINT_MAX])
{
    struct nearest nearest;

    nearest_begin(&nearest, name->at, name->len);
    for (size_t i = 0; i < contigs->nitems; i++)
        nearest_consider(&nearest, "", contigs->items[i].at, contigs->items[i].len);
    nearest_hint(&nearest, hint);
}

static int no_contig(const struct region_parse *parse, const struct str *name)
{
    const struct strings *contigs = &parse->vcz->contigs;
    const struct str *like = find_like(contigs, name);
    char shown[TEXT_SHOW_MAX], meant[TEXT_SHOW_MAX], hint[NEAREST_HINT_MAX] = "";
    char have[CONTIGS_SHOWN * (TEXT_SHOW_MAX + 2) + 40];

    list_contigs(contigs, have, sizeof have);
    if (like == NULL)
        find_hint(contigs, name, hint);
    return err_set(parse->err, ERR_USAGE, "%s: the store has no contig %s%s%s%s it has %s",
                   parse->option, text_show(name, shown), like != NULL ? ", but it has " : "",
                   like != NULL ? text_show(like, meant) : "", hint[0] != '\0' ? hint : ";", have);
}

int region_contig(const struct region_parse *parse, const char *at, size_t len, uint64_t *out)
{
    const struct str name = {.at = at, .len = len};

    *out = names_find(&parse->contigs, at, len);
    return *out < parse->contigs.n ? 0 : no_contig(parse, &name);
}

/* Digits; those after a point are counted. */
static bool take_digits(const char **at, const char *end, int64_t *value, int *decimals)
{
    const char *begin = *at;
    bool point = false;

    for (; *at < end; (*at)++) {
        if (**at == '.' && !point && *at > begin)
            point = true;
        else if (**at < '0' || **at > '9')
            break;
        else if (__builtin_mul_overflow(*value, 10, value) ||
                 __builtin_add_overflow(*value, **at - '0', value))
            return false;
        else
            *decimals += point;
    }
    return *at > begin;
}

/* "e6", "k", "M", "G", or nothing. */
static bool take_exponent(const char **at, const char *end, int *exponent)
{
    const char *begin;

    *exponent = 0;
    if (*at == end)
        return true;
    if (**at != 'e' && **at != 'E') {
        const char *letters = "kKmMgG", *letter = **at != '\0' ? strchr(letters, **at) : NULL;

        *exponent = letter != NULL ? 3 + 3 * (int)((letter - letters) / 2) : 0;
        *at += letter != NULL;
        return true;
    }
    for (begin = ++*at; *at < end && **at >= '0' && **at <= '9' && *exponent < 100; (*at)++)
        *exponent = *exponent * 10 + (**at - '0');
    return *at > begin;
}

bool region_position(const char **at, const char *end, int64_t *out)
{
    int64_t value = 0;
    int decimals = 0, exponent;

    if (!take_digits(at, end, &value, &decimals) || !take_exponent(at, end, &exponent))
        return false;
    for (exponent -= decimals; exponent > 0 && value != 0; exponent--)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    for (; exponent < 0; exponent++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    *out = value;
    return true;
}
