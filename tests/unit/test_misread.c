/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misread, chromosome: which names are refused where, and what contigs are called: the edges of
 * both tables.
 */
#include "encoderd/format/chromosome.h"
#include "encoderd/format/misread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of just its size, so that a byte read beyond it is noticed. */
static struct str exact(const char *text)
{
    const size_t len = strlen(text);
    char *at = malloc(len + (len == 0));

    memcpy(at, text, len);
    return (struct str){at, len};
}

static void release(const struct str *text)
{
    free((char *)text->at);
}

static void check_place(enum misread_place place, const char *text, const char *part)
{
    const struct str name = exact(text);
    const char *why = misread_why(place, &name);

    if ((why == NULL) != (part == NULL) || (part != NULL && strstr(why, part) == NULL))
        fail_msg("place %d, '%s': %s", (int)place, text, why == NULL ? "accepted" : why);
    release(&name);
}

static void names_in_places(void **state)
{
    static const struct {
        enum misread_place place;
        const char *text, *part; /* of why; NULL: it can stand there */
    } cases[] = {
        {IN_FAM_SAMPLE, "", "empty"},
        {IN_FAM_SAMPLE, "S1", NULL},
        {IN_FAM_SAMPLE,
         "S\xc2\xa0"
         "1",
         "white space"},
        {IN_FAM_SAMPLE, "#", "--fid 0"},
        {IN_FAM_SAMPLE, "S#", NULL},
        {IN_FAM_SAMPLE_ONLY, "#", NULL},
        {IN_FAM_SAMPLE_ONLY, "0", "no ID"},
        {IN_FAM_SAMPLE, "00", NULL},
        {IN_FAM_SAMPLE, "\"\"", "SAIGE"},
        {IN_FAM_SAMPLE, "\"", NULL},
        {IN_BGEN_SAMPLE, "\"S1\"", NULL},
        {IN_BGEN_SAMPLE, "#1", "comment"},
        {IN_BIM_CONTIG, "NA", NULL},
        {IN_BGEN_CONTIG, "NA", "no chromosome"},
        {IN_BGEN_CONTIG, "NB", NULL},
        {IN_BIM_CONTIG, "#1", "comment"},
        {IN_BIM_CONTIG, "12\xc3\xa9", "plink 1.9"},
        {IN_BIM_CONTIG, "chr0x\xc3\xa9", "plink 1.9"},
        {IN_BIM_CONTIG, "chr1\xc3\xa9", NULL},
        {IN_BIM_CONTIG, "chr", NULL},
        {IN_BIM_CONTIG, "ab\xc3\xa9", NULL},
        {IN_BGEN_CONTIG, "12\xc3\xa9", NULL},
        {IN_BIM_ID, "#rs", NULL},
        {IN_BIM_ID, "a,b", NULL},
        {IN_BIM_ALLELE, "0", "missing"},
        {IN_BIM_ALLELE, "1", NULL},
        {IN_BIM_ALLELE, ",", "comma"},
        {IN_BGEN_ALLELE, "C,G", "comma"},
        {IN_BGEN_ALLELE, "C G", "columns"},
        {IN_BGEN_ALLELE, ".", NULL},
        {IN_BIM_ALLELE, "<DEL>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_place(cases[i].place, cases[i].text, cases[i].part);
}

static void long_names(void **state)
{
    char text[16002];

    (void)state;
    memset(text, 'x', sizeof text);
    text[16001] = '\0';
    check_place(IN_FAM_SAMPLE, text, "16000");
    check_place(IN_BIM_ID, text, "16000");
    check_place(IN_BGEN_CONTIG, text, "16000");
    check_place(IN_BIM_ALLELE, text, NULL);
    text[16000] = '\0';
    check_place(IN_FAM_SAMPLE, text, NULL);
}

static void contigs_that_begin_with_a_number(void **state)
{
    static const struct {
        const char *text;
        bool taken;
    } cases[] = {{"1", false},     {"chr22", false},       {"1_KI270706v1_random", true},
                 {"chr1_x", true}, {"Chr1_x", false},      {"012", true},
                 {"23.", true},    {"24.", false},         {"0_x", false},
                 {"chr", false},   {"99999999999", false}, {"X_1", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct str name = exact(cases[i].text);

        if (misread_as_number(&name) != cases[i].taken)
            fail_msg("%s", cases[i].text);
        release(&name);
    }
}

static void chromosomes(void **state)
{
    static const struct {
        unsigned nautosomes;
        const char *text, *called; /* NULL: refused */
    } cases[] = {
        {0, "01", "1"},      {0, "chr22", "22"}, {0, "23", "X"},    {0, "28", "PAR2"},
        {0, "29", NULL},     {0, "cHr95", NULL}, {0, "99", NULL},   {0, "100", "100"},
        {0, "0m", "MT"},     {0, "0mt", "0mt"},  {0, "chr", "chr"}, {0, "chrPAR", "chrPAR"},
        {0, "par1", "PAR1"}, {38, "23", "23"},   {38, "39", "X"},   {38, "42", "MT"},
        {38, "43", NULL},    {38, "PAR1", NULL}, {38, "X", "X"},    {95, "95", "95"},
        {95, "99", "MT"},    {1, "2", "X"},      {1, "6", NULL},    {0, "00", "0"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct str name = exact(cases[i].text);
        struct chromosome found;
        const bool known = chromosome_of(&name, cases[i].nautosomes, &found);

        if (known != (cases[i].called != NULL) ||
            (known && (found.text.len != strlen(cases[i].called) ||
                       memcmp(found.text.at, cases[i].called, found.text.len) != 0)))
            fail_msg("%s: %.*s", cases[i].text, (int)found.text.len, found.text.at);
        assert_in_range(found.code + 1, 0, CHROMOSOME_CODES);
        release(&name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_places),
        cmocka_unit_test(long_names),
        cmocka_unit_test(contigs_that_begin_with_a_number),
        cmocka_unit_test(chromosomes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
