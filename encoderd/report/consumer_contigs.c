/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/consumer_contigs.h"

#include "encoderd/format/chromosome.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <string.h>

#define CONTIGS_SHOWN 5

static bool is_one_of(const struct str *name, const char *const *words)
{
    for (; *words != NULL; words++)
        if (text_equal(name, *words))
            return true;
    return false;
}

static struct str without_chr(const struct str *name)
{
    const size_t skip = name->len >= 3 && memcmp(name->at, "chr", 3) == 0 ? 3 : 0;

    return (struct str){name->at + skip, name->len - skip};
}

/* Reads the number at the beginning of the name, and ignores what follows it. */
static struct contig_reading leading_number(const struct str *name, int least, int most)
{
    size_t n = 0;
    int value = 0;

    for (; n < name->len && name->at[n] >= '0' && name->at[n] <= '9' && value <= most; n++)
        value = value * 10 + (name->at[n] - '0');
    if (n == 0 || value < least || value > most)
        return (struct contig_reading){0, REFUSED};
    return (struct contig_reading){value, n < name->len ? MISTAKEN : TAKEN};
}

static struct contig_reading number_or(const struct str *contig, const char *const *sex_names)
{
    const struct str name = without_chr(contig);

    return is_one_of(&name, sex_names) ? (struct contig_reading){23, TAKEN}
                                       : leading_number(&name, 1, 23);
}

struct contig_reading regenie_reads(const struct str *contig)
{
    static const char *const sex_names[] = {"X", "Y", "XY", "PAR1", "PAR2", NULL};

    return number_or(contig, sex_names);
}

struct contig_reading bolt_reads(const struct str *contig)
{
    static const char *const sex_names[] = {"X", "XY", "PAR1", "PAR2", NULL};

    return number_or(contig, sex_names);
}

static const char *const gcta_names[] = {"X", "x", "Y", "y", "XY", "xy", "MT", "mt", NULL};

struct contig_reading gcta_reads_bim(const struct str *contig)
{
    const struct contig_reading number = leading_number(contig, 0, 26);

    return number.how == TAKEN || is_one_of(contig, gcta_names)
               ? (struct contig_reading){0, TAKEN}
               : (struct contig_reading){0, REFUSED};
}

struct contig_reading gcta_reads_bgi(const struct str *contig)
{
    const struct contig_reading number = leading_number(contig, 0, 26);

    if (number.how != REFUSED)
        return number;
    return is_one_of(contig, gcta_names) ? (struct contig_reading){0, TAKEN}
                                         : (struct contig_reading){0, LEFT_OUT};
}

struct contig_reading plink2_reads(const struct str *contig)
{
    struct chromosome chromosome;

    return chromosome_of(contig, 0, &chromosome) && chromosome.code >= 0
               ? (struct contig_reading){chromosome.code, TAKEN}
               : (struct contig_reading){0, REFUSED};
}

struct contig_reading plink19_reads(const struct str *contig)
{
    static const char *const newer[] = {"PAR1", "PAR2", NULL};

    return is_one_of(contig, newer) ? (struct contig_reading){0, REFUSED} : plink2_reads(contig);
}

struct contig_reading plink_counts(const struct str *contig)
{
    struct chromosome chromosome;

    return (struct contig_reading){
        0, chromosome_of(contig, 0, &chromosome) && text_equal(&chromosome.text, "Y") ? LEFT_OUT
                                                                                      : TAKEN};
}

struct contig_reading bgenix_finds(const struct str *contig)
{
    return (struct contig_reading){0,
                                   memchr(contig->at, ':', contig->len) != NULL ? LEFT_OUT : TAKEN};
}

/* The contig's name in the file that the rule is about. */
static struct str contig_text(const struct look *look, const struct consumer_rule *rule,
                              uint64_t contig)
{
    struct chromosome chromosome;

    if (rule->format == AS_PLINK &&
        chromosome_of(&look->vcz->contigs.items[contig], look->nautosomes, &chromosome))
        return chromosome.text;
    return look->vcz->contigs.items[contig];
}

struct contig_reading read_contig(const struct look *look, const struct consumer_rule *rule,
                                  uint64_t contig)
{
    const struct str text = contig_text(look, rule, contig);

    /* cppcheck-suppress returnDanglingLifetime ; what is returned points to no text */
    return rule->reads(&text);
}

void say_contig(struct buf *said, const struct str *name)
{
    char quoted[TEXT_SHOW_MAX];

    if (text_is_column(name) && name->len < TEXT_SHOW_MAX)
        buf_append(said, name->at, name->len);
    else
        buf_append_str(said, text_show(name, quoted));
}

/* Appends the contigs that the program reads in this way: "contigs MT (37 variants), chrUn (2)". */
static bool say_contigs(const struct look *look, const struct consumer_rule *rule, int how,
                        struct buf *said)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < look->vcz->contigs.nitems; i++) {
        const uint64_t nrows = look->survey.contig_nrows[i];

        if (nrows == 0 || (int)read_contig(look, rule, i).how != how || n++ >= CONTIGS_SHOWN)
            continue;
        buf_append_str(said, n == 1 ? "contig " : ", ");
        say_contig(said, &look->vcz->contigs.items[i]);
        buf_printf(said, " (%" PRIu64 " variant%s)", nrows, nrows == 1 ? "" : "s");
    }
    if (n > CONTIGS_SHOWN)
        buf_printf(said, " and %" PRIu64 " more", n - CONTIGS_SHOWN);
    return n > 0;
}

bool refused_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    return say_contigs(look, rule, REFUSED, said);
}

bool mistaken_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    return say_contigs(look, rule, MISTAKEN, said);
}

bool omitted_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said)
{
    return say_contigs(look, rule, LEFT_OUT, said);
}
