/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/misread.h"

#include "encoderd/format/chromosome.h"
#include "encoderd/vcz/text.h"

#include <string.h>
#include <strings.h>

/* What plink 1.9 and plink2 take. */
#define NAME_MAX_NBYTES 16000

static bool is_no_column(const struct str *text)
{
    return !text_is_column(text);
}

static bool is_comment(const struct str *text)
{
    return text->len > 0 && text->at[0] == '#';
}

static bool is_zero(const struct str *text)
{
    return text_equal(text, "0");
}

static bool is_na(const struct str *text)
{
    return text_equal(text, "NA");
}

static bool is_list(const struct str *text)
{
    return memchr(text->at, ',', text->len) != NULL;
}

/* True for a chromosome's code of two characters before a byte >= 0x80: plink 1.9, whose characters
 * are signed, takes that byte as the end of the name. */
static bool is_cut(const struct str *text)
{
    const size_t skip = text->len > 3 && strncasecmp(text->at, "chr", 3) == 0 ? 3 : 0;
    const struct str code = {text->at + skip, 2};
    struct chromosome chromosome;

    return text->len > skip + 2 && (uint8_t)text->at[skip + 2] >= 0x80 &&
           (!chromosome_of(&code, 0, &chromosome) || chromosome.code >= 0);
}

static bool is_quoted(const struct str *text)
{
    return text->len >= 2 && text->at[0] == '"' && text->at[text->len - 1] == '"';
}

static bool is_too_long(const struct str *text)
{
    return text->len > NAME_MAX_NBYTES;
}

#define AT(place) (1u << (place))
#define BIM       (AT(IN_BIM_CONTIG) | AT(IN_BIM_ID) | AT(IN_BIM_ALLELE))
#define BGEN      (AT(IN_BGEN_CONTIG) | AT(IN_BGEN_ID) | AT(IN_BGEN_ALLELE))
#define FAM       (AT(IN_FAM_SAMPLE) | AT(IN_FAM_SAMPLE_ONLY))
#define SAMPLES   (FAM | AT(IN_SAMPLE_FILE) | AT(IN_BGEN_SAMPLE))
#define CONTIGS   (AT(IN_BIM_CONTIG) | AT(IN_BGEN_CONTIG))
#define ALLELES   (AT(IN_BIM_ALLELE) | AT(IN_BGEN_ALLELE))

static const struct rule {
    unsigned places;
    bool (*holds)(const struct str *text);
    const char *why;
} rules[] = {
    {SAMPLES | BIM | BGEN, is_no_column,
     "is empty or has white space or a control character in it: it would break the columns"},
    {AT(IN_FAM_SAMPLE), is_comment,
     "begins with '#': plink 1.9 and plink2 skip the line, and give later samples the genotypes of "
     "others; --fid 0 puts it behind a 0"},
    {AT(IN_SAMPLE_FILE) | AT(IN_BGEN_SAMPLE) | CONTIGS, is_comment,
     "begins with '#': plink 1.9 and plink2 take the line for a comment, or refuse it"},
    {SAMPLES, is_zero, "is '0': to plink 1.9 and plink2 that is no ID"},
    {FAM | AT(IN_SAMPLE_FILE), is_quoted,
     "stands in quotation marks: SAIGE takes them off, and may take it for another sample"},
    {ALLELES, is_zero, "is '0': plink 1.9 and plink2 take it for a missing allele"},
    {ALLELES, is_list, "has a comma in it: plink 1.9 and plink2 take it for several alleles"},
    {AT(IN_BIM_CONTIG), is_cut,
     "is a chromosome to plink 1.9, which reads its first characters only"},
    {AT(IN_BGEN_CONTIG), is_na, "is 'NA': plink2 takes it for no chromosome"},
    {SAMPLES | CONTIGS | AT(IN_BIM_ID) | AT(IN_BGEN_ID), is_too_long,
     "is longer than 16000 bytes, which plink 1.9 and plink2 refuse"},
};

/* A quick test for most names, to which no rule can apply: only letters, digits and '_', and
 * neither short nor long. (Short names are tested by the rules: "0" and "NA" have one.) */
static bool is_harmless(const struct str *text)
{
    if (text->len <= 2 || text->len > NAME_MAX_NBYTES)
        return text->len == 1 && ((text->at[0] & ~0x20) >= 'A' && (text->at[0] & ~0x20) <= 'Z');
    for (size_t i = 0; i < text->len; i++) {
        const char c = text->at[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '_'))
            return false;
    }
    return true;
}

const char *misread_why(enum misread_place place, const struct str *text)
{
    if (is_harmless(text))
        return NULL;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if ((rules[i].places & AT(place)) != 0 && rules[i].holds(text))
            return rules[i].why;
    return NULL;
}

/* Both programs drop a "chr" and read the digits at the beginning, whatever follows them. */
bool misread_as_number(const struct str *contig)
{
    const bool prefixed = contig->len > 3 && memcmp(contig->at, "chr", 3) == 0;
    const char *digits = contig->at + (prefixed ? 3 : 0), *end = contig->at + contig->len;
    const char *at = digits;
    unsigned value = 0;

    for (; at < end && *at >= '0' && *at <= '9' && value < 100; at++)
        value = value * 10 + (unsigned)(*at - '0');
    return value >= 1 && value <= 23 && (at < end || at - digits > 2);
}
