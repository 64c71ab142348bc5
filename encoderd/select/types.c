/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/types.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum variant_type type;
} type_names[] = {
    {"snp", TYPE_SNP}, {"snps", TYPE_SNP},        {"indel", TYPE_INDEL}, {"indels", TYPE_INDEL},
    {"mnp", TYPE_MNP}, {"mnps", TYPE_MNP},        {"other", TYPE_OTHER}, {"ref", TYPE_REF},
    {"bnd", TYPE_BND}, {"overlap", TYPE_OVERLAP},
};

static bool is_text(const struct str *str, const char *text)
{
    return str->len == strlen(text) && memcmp(str->at, text, str->len) == 0;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* The type is that of what remains when equal bases at both ends are removed. */
static enum variant_type type_of_bases(const struct str *ref, const struct str *alt)
{
    size_t begin = 0, nref = ref->len, nalt = alt->len;

    while (begin < nref && begin < nalt && upper(ref->at[begin]) == upper(alt->at[begin]))
        begin++;
    if (begin == nref && begin == nalt)
        return TYPE_REF;
    if (begin == nref)
        return alt->at[begin] == ']' || alt->at[begin] == '[' ? TYPE_BND : TYPE_INDEL;
    if (begin == nalt)
        return TYPE_INDEL;
    while (nref - begin > 1 && nalt - begin > 1 &&
           upper(ref->at[nref - 1]) == upper(alt->at[nalt - 1]))
        nref--, nalt--;
    if (nref - begin == nalt - begin)
        return nref - begin == 1 ? TYPE_SNP : TYPE_MNP;
    if (nref - begin > 1 && nalt - begin > 1)
        return TYPE_OTHER;
    return upper(ref->at[nref - 1]) == upper(alt->at[nalt - 1]) ? TYPE_INDEL : TYPE_OTHER;
}

enum variant_type types_of_allele(const struct str *ref, const struct str *alt)
{
    if (is_text(alt, "*"))
        return TYPE_OVERLAP;
    if (ref->len == 1 && alt->len == 1)
        return alt->at[0] == '.' || alt->at[0] == 'X' || alt->at[0] == ref->at[0] ? TYPE_REF
                                                                                  : TYPE_SNP;
    if (alt->len == 0)
        return TYPE_REF;
    if (alt->at[0] == '<')
        return (alt->len >= 3 && (alt->at[1] == 'X' || alt->at[1] == '*') && alt->at[2] == '>') ||
                       is_text(alt, "<NON_REF>")
                   ? TYPE_REF
                   : TYPE_OTHER;
    if (alt->at[0] == ']' || alt->at[0] == '[')
        return TYPE_BND;
    return type_of_bases(ref, alt);
}

unsigned types_of_site(const struct str *alleles, unsigned nalleles)
{
    unsigned types = 0;

    for (unsigned i = 1; i < nalleles; i++)
        types |= types_of_allele(&alleles[0], &alleles[i]);
    types &= ~(unsigned)TYPE_REF;
    return types != 0 ? types : TYPE_REF;
}

unsigned types_named(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (strlen(type_names[i].name) == len && strncasecmp(type_names[i].name, name, len) == 0)
            return type_names[i].type;
    return 0;
}

int types_parse(const char *list, const char *option, unsigned *out, struct err *err)
{
    *out = 0;
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        unsigned type = types_named(at, len);

        if (type == 0)
            return err_set(err, ERR_FORM,
                           "%s: '%.*s' is no type of variants; there are snps, indels, mnps, "
                           "other, ref, bnd and overlap",
                           option, (int)(len < 64 ? len : 64), at);
        *out |= type;
        at += len;
        if (*at == '\0')
            return 0;
    }
}
