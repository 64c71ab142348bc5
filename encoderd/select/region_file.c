/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions from files: tab-separated columns, BED and VCF, as bcftools reads them.
 */
#include "encoderd/select/region_parse.h"
#include "encoderd/select/unpack.h"

#include <string.h>
#include <strings.h>

#define VCF_BEGIN "##fileformat=VCF"
#define BCF_BEGIN "BCF"

struct region_file {
    struct region_parse *parse;
    const struct option_file *file;
    enum region_format format;
    /* has_last is set, by the first line: do lines have a third column with a position? */
    bool decided;
    bool has_last;
};

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);

    return len >= n && strcasecmp(name + len - n, suffix) == 0;
}

static bool begins_with(const struct option_line *line, const char *text)
{
    return line->len >= strlen(text) && memcmp(line->at, text, strlen(text)) == 0;
}

static enum region_format guess(const struct option_file *file, const struct option_line *first)
{
    if (ends_in(file->name, ".bed") || ends_in(file->name, ".bed.gz"))
        return REGION_BED;
    return begins_with(first, VCF_BEGIN) ? REGION_VCF : REGION_TAB;
}

static int refuse_line(const struct region_file *in, const struct option_line *line,
                       const char *why)
{
    return err_set(in->parse->err, ERR_USAGE, "%s: %s, line %zu: %s", in->parse->option,
                   in->file->name, line->number, why);
}

/* Reads a position that ends at a tab or at the line's end. */
static bool take_column(const char **at, const char *end, int64_t *out)
{
    return region_position(at, end, out) && (*at == end || **at == '\t');
}

/* Reads the column after the one that ends at *at. */
static bool take_next_column(const char *at, const char *end, int64_t *out)
{
    at += at < end;
    return take_column(&at, end, out);
}

/* Does a line have an end position? As in bcftools, the first line decides. A VCF has none, and
 * neither has a file whose third column is no number (alleles, for example). */
static bool has_last(struct region_file *in, bool number)
{
    if (!in->decided)
        in->has_last = in->format == REGION_BED || (in->format == REGION_TAB && number);
    in->decided = true;
    return in->has_last;
}

static int add_region(struct region_file *in, const struct option_line *line, size_t name_len,
                      int64_t first, int64_t last)
{
    const bool bed = in->format == REGION_BED;
    uint64_t contig;

    if (bed && first == INT64_MAX)
        return refuse_line(in, line, "the position is too large");
    first += bed;
    if (region_contig(in->parse, line->at, name_len, &contig) != 0)
        return err_prefix(in->parse->err, "%s, line %zu", in->file->name, line->number);
    if (first <= last)
        return region_add(in->parse, contig, first, last);
    return bed && first == last + 1 ? 0 /* of no bases */
                                    : refuse_line(in, line, "the region ends before it begins");
}

static int parse_line(struct region_file *in, const struct option_line *line)
{
    const char *end = line->at + line->len, *tab = memchr(line->at, '\t', line->len);
    const char *at = tab != NULL ? tab + 1 : end;
    int64_t first, last;
    bool number;

    if (tab == NULL || !take_column(&at, end, &first))
        return refuse_line(in, line, "expected tab-separated columns CONTIG, FIRST and LAST");
    number = take_next_column(at, end, &last);
    if (!has_last(in, number))
        last = first;
    else if (!number)
        return refuse_line(in, line, "the third column is not a position");
    return add_region(in, line, (size_t)(tab - line->at), first, last);
}

/* True if the first three columns of a line that was cut are complete. */
static bool has_columns(const struct option_line *line)
{
    unsigned ntabs = 0;

    for (size_t i = 0; i < line->len; i++)
        ntabs += line->at[i] == '\t';
    return ntabs >= 3;
}

/* Decides by the first line what the file is. */
static int begin(struct region_file *in, const struct option_line *first)
{
    if (begins_with(first, BCF_BEGIN) && first->len > 3 && first->at[3] <= 4)
        return err_set(in->parse->err, ERR_USAGE,
                       "%s: %s is a BCF; give what bcftools query -f '%%CHROM\\t%%POS\\n' makes "
                       "of it, or a VCF",
                       in->parse->option, in->file->name);
    if (in->format == REGION_AUTO)
        in->format = guess(in->file, first);
    return 0;
}

static int take_line(struct region_file *in, const struct option_line *line, bool whole, bool *any)
{
    if (line->number == 1 && begin(in, line) != 0)
        return -1;
    if (line->len == 0 || line->at[0] == '#')
        return 0;
    *any = true;
    if (memchr(line->at, '\0', line->len) != NULL)
        return refuse_line(in, line, "not text; of compressed files, gzip and BGZF are read");
    if (!whole && !has_columns(line))
        return refuse_line(in, line, "the line's first columns are too long");
    return parse_line(in, line);
}

static int parse_lines(struct region_file *in)
{
    struct unpack *unpack = unpack_new(in->file, in->parse->err);
    struct option_line line = {0};
    bool any = false, whole;
    int rc;

    if (unpack == NULL)
        return -1;
    while ((rc = unpack_line(unpack, &line, &whole, in->parse->err)) > 0)
        if (take_line(in, &line, whole, &any) != 0) {
            rc = -1;
            break;
        }
    unpack_free(unpack);
    return rc != 0 || any ? rc
                          : err_set(in->parse->err, ERR_USAGE, "%s: %s holds no region",
                                    in->parse->option, in->file->name);
}

int regions_parse_file(const struct vcz *vcz, const struct option_file *file,
                       enum region_format format, const char *option, struct regions *out,
                       struct err *err)
{
    struct region_parse parse = {.vcz = vcz, .option = option, .out = out, .err = err};
    struct region_file in = {.parse = &parse, .file = file, .format = format};
    int rc = region_parse_begin(&parse);

    return region_parse_end(&parse, rc == 0 ? parse_lines(&in) : rc);
}
