#include "encoderd/consumers.h"

#include "common/cleanup.h"
#include "common/printable.h"
#include "encoderd/format/chromosome.h"
#include "encoderd/report_value.h"
#include "encoderd/survey.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <string.h>

#define PROGRAM(consumer) (1u << (consumer))
#define PLINK19           PROGRAM(CONSUMER_PLINK19)
#define PLINK2            PROGRAM(CONSUMER_PLINK2)
#define REGENIE           PROGRAM(CONSUMER_REGENIE)
#define SAIGE             PROGRAM(CONSUMER_SAIGE)
#define GCTA              PROGRAM(CONSUMER_GCTA)
#define BOLT              PROGRAM(CONSUMER_BOLT)
#define QCTOOL            PROGRAM(CONSUMER_QCTOOL)
#define BGENIX            PROGRAM(CONSUMER_BGENIX)

enum verdict { REFUSES, MISREADS, LEAVES_OUT, DOES_NOT_GET };
static const char *const verdict_words[] = {"refuses", "misreads", "leaves out", "does not get"};

#define AS_PLINK      1u
#define AS_BGEN       2u
#define NFORMATS      2
#define CONTIGS_SHOWN 5

static const struct shown {
    const struct format *format;
    const char *files;
    unsigned programs; /* that read it */
} shown[NFORMATS] = {
    {&format_plink, ".bed .bim .fam", ~BGENIX},
    {&format_bgen, ".bgen .sample .bgen.bgi", ~PLINK19},
};

/* All that rules look at. */
struct look {
    const struct vcz *vcz;
    const struct format_options *formats;
    struct selection selection;
    struct survey survey;
    bool calls_known;
    uint64_t nhaploid; /* variants with haploid calls, if calls_known */
    bool refused[NFORMATS];
    struct err why[NFORMATS];
};

/* What a program makes of a contig's name. */
struct reading {
    int number; /* of the chromosome; 0: it has none */
    enum { TAKEN, REFUSED, MISTAKEN, LEFT_OUT } how;
};

struct rule {
    unsigned programs;
    enum verdict verdict;
    unsigned format; /* AS_...: where it is shown */
    const char *files;
    /* Does it hold? Then `said` gets what is so. */
    bool (*holds)(const struct look *look, const struct rule *rule, struct buf *said);
    const char *why;      /* what the program does about it, and the cure */
    const char *evidence; /* doc/CONSUMERS.md */
    struct reading (*reads)(const struct str *contig);
    uint64_t limit;
};

/* --- what programs make of contigs ------------------------------------------------------------ */

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

/* The number that the name begins with, whatever follows it. */
static struct reading leading_number(const struct str *name, int least, int most)
{
    size_t n = 0;
    int value = 0;

    for (; n < name->len && name->at[n] >= '0' && name->at[n] <= '9' && value <= most; n++)
        value = value * 10 + (name->at[n] - '0');
    if (n == 0 || value < least || value > most)
        return (struct reading){0, REFUSED};
    return (struct reading){value, n < name->len ? MISTAKEN : TAKEN};
}

static struct reading number_or(const struct str *contig, const char *const *sex_names)
{
    const struct str name = without_chr(contig);

    return is_one_of(&name, sex_names) ? (struct reading){23, TAKEN} : leading_number(&name, 1, 23);
}

static struct reading regenie_reads(const struct str *contig)
{
    static const char *const sex_names[] = {"X", "Y", "XY", "PAR1", "PAR2", NULL};

    return number_or(contig, sex_names);
}

static struct reading bolt_reads(const struct str *contig)
{
    static const char *const sex_names[] = {"X", "XY", "PAR1", "PAR2", NULL};

    return number_or(contig, sex_names);
}

static const char *const gcta_names[] = {"X", "x", "Y", "y", "XY", "xy", "MT", "mt", NULL};

static struct reading gcta_reads_bim(const struct str *contig)
{
    const struct reading number = leading_number(contig, 0, 26);

    return number.how == TAKEN || is_one_of(contig, gcta_names) ? (struct reading){0, TAKEN}
                                                                : (struct reading){0, REFUSED};
}

static struct reading gcta_reads_bgi(const struct str *contig)
{
    const struct reading number = leading_number(contig, 0, 26);

    if (number.how != REFUSED)
        return number;
    return is_one_of(contig, gcta_names) ? (struct reading){0, TAKEN}
                                         : (struct reading){0, LEFT_OUT};
}

static struct reading plink2_reads(const struct str *contig)
{
    struct chromosome chromosome;

    return chromosome_of(contig, 0, &chromosome) && chromosome.code >= 0
               ? (struct reading){chromosome.code, TAKEN}
               : (struct reading){0, REFUSED};
}

static struct reading plink19_reads(const struct str *contig)
{
    static const char *const newer[] = {"PAR1", "PAR2", NULL};

    return is_one_of(contig, newer) ? (struct reading){0, REFUSED} : plink2_reads(contig);
}

static struct reading plink_counts(const struct str *contig)
{
    struct chromosome chromosome;

    return (struct reading){
        0, chromosome_of(contig, 0, &chromosome) && text_equal(&chromosome.text, "Y") ? LEFT_OUT
                                                                                      : TAKEN};
}

static struct reading bgenix_finds(const struct str *contig)
{
    return (struct reading){0, memchr(contig->at, ':', contig->len) != NULL ? LEFT_OUT : TAKEN};
}

/* As it stands in the file that the rule speaks of. */
static struct str contig_text(const struct look *look, const struct rule *rule, uint64_t contig)
{
    struct chromosome chromosome;

    if (rule->format == AS_PLINK &&
        chromosome_of(&look->vcz->contigs.items[contig], look->formats->nautosomes, &chromosome))
        return chromosome.text;
    return look->vcz->contigs.items[contig];
}

static struct reading read_contig(const struct look *look, const struct rule *rule, uint64_t contig)
{
    const struct str text = contig_text(look, rule, contig);

    return rule->reads(&text);
}

static void say_contig(struct buf *said, const struct str *name)
{
    char quoted[TEXT_SHOW_MAX];

    if (text_is_column(name) && name->len < TEXT_SHOW_MAX)
        buf_append(said, name->at, name->len);
    else
        buf_append_str(said, text_show(name, quoted));
}

/* "contigs MT (37 variants), chrUn (2)": those that are read so. */
static bool say_contigs(const struct look *look, const struct rule *rule, int how, struct buf *said)
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

static bool refused_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    return say_contigs(look, rule, REFUSED, said);
}

static bool mistaken_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    return say_contigs(look, rule, MISTAKEN, said);
}

static bool omitted_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    return say_contigs(look, rule, LEFT_OUT, said);
}

/* --- the order of variants -------------------------------------------------------------------- */

static bool unsorted_positions(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey_count *unsorted = &look->survey.unsorted;

    (void)rule;
    if (unsorted->n > 0)
        buf_printf(said,
                   "%" PRIu64 " variant%s at a lower position than the one before (first: %s)",
                   unsorted->n, unsorted->n == 1 ? " is" : "s are", unsorted->first);
    return unsorted->n > 0;
}

/* Contigs of one code are one to plink. */
static uint64_t plink_key(const struct look *look, uint64_t contig)
{
    struct chromosome chromosome;

    return chromosome_of(&look->vcz->contigs.items[contig], look->formats->nautosomes,
                         &chromosome) &&
                   chromosome.code >= 0
               ? (uint64_t)chromosome.code
               : CHROMOSOME_CODES + contig;
}

static bool split_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    bool *seen = calloc(CHROMOSOME_CODES + look->vcz->contigs.nitems, sizeof *seen);
    uint64_t before = UINT64_MAX;
    bool found = false;

    (void)rule;
    said->failed |= seen == NULL;
    for (size_t i = 0; seen != NULL && i < survey->nruns && !found; i++) {
        const uint64_t key = plink_key(look, survey->runs[i].contig);

        found = key != before && seen[key];
        if (found) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_append_str(said, " is in several pieces, others between them");
        }
        seen[key] = true;
        before = key;
    }
    free(seen);
    return found;
}

static bool descending_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    int before = 0;

    for (size_t i = 0; i < survey->nruns; i++) {
        const int number = read_contig(look, rule, survey->runs[i].contig).number;

        if (number != 0 && number < before) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_printf(said, ", chromosome %d to it, comes after %d", number, before);
            return true;
        }
        if (number != 0)
            before = number;
    }
    return false;
}

#define AUTOSOMES   22
#define NUMBERS_MAX 26

/* A chromosome, by the program's number, that comes again after another one. */
static bool returning_contigs(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    bool seen[NUMBERS_MAX + 1] = {false};
    int before = 0;

    for (size_t i = 0; i < survey->nruns; i++) {
        const int number = read_contig(look, rule, survey->runs[i].contig).number;

        if (number != 0 && number != before && seen[number]) {
            buf_append_str(said, "contig ");
            say_contig(said, &look->vcz->contigs.items[survey->runs[i].contig]);
            buf_printf(said, ", chromosome %d to it, comes after %d and is not the first", number,
                       before);
            return true;
        }
        seen[number] = true;
        before = number;
    }
    return false;
}

/* Neighbouring chromosomes, both there, of which the higher one begins or ends before the lower. */
static bool mixed_autosomes(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    uint64_t first[AUTOSOMES + 1] = {0}, end[AUTOSOMES + 1] = {0};

    for (size_t i = 0; i < survey->nruns; i++) {
        const struct survey_run *run = &survey->runs[i];
        const struct reading reading = read_contig(look, rule, run->contig);
        const int n = reading.how == TAKEN && reading.number <= AUTOSOMES ? reading.number : 0;

        if (end[n] == 0)
            first[n] = run->row;
        end[n] = run->row + run->nrows;
    }
    for (int n = 2; n <= AUTOSOMES; n++)
        if (end[n] > 0 && end[n - 1] > 0 && (first[n] < first[n - 1] || end[n] < end[n - 1])) {
            buf_printf(said, "chromosome %d begins or ends before %d", n, n - 1);
            return true;
        }
    return false;
}

/* --- places, names and numbers ---------------------------------------------------------------- */

static bool far_positions(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey_count *far = &look->survey.far;

    (void)rule;
    if (far->n > 0)
        buf_printf(said, "%" PRIu64 " position%s above 2147483646 (first: %s)", far->n,
                   far->n == 1 ? " is" : "s are", far->first);
    return far->n > 0;
}

static bool same_ids(const struct look *look, const struct rule *rule, struct buf *said)
{
    const struct survey *survey = &look->survey;
    const uint64_t nunnamed = survey->nunnamed > 1 ? survey->nunnamed - 1 : 0;
    const uint64_t n = survey->nsame_id + nunnamed;

    (void)rule;
    if (n > 0)
        buf_printf(
            said, "%s%" PRIu64 " variant%s the ID of an earlier one, %" PRIu64 " of them '.'",
            survey->all_compared ? "" : "at least ", n, n == 1 ? " has" : "s have", nunnamed);
    return n > 0;
}

static bool more_variants(const struct look *look, const struct rule *rule, struct buf *said)
{
    const uint64_t n = row_map_nrows(&look->selection.rows);

    if (n > rule->limit)
        buf_printf(said, "%" PRIu64 " variants are more than %" PRIu64, n, rule->limit);
    return n > rule->limit;
}

static bool more_samples(const struct look *look, const struct rule *rule, struct buf *said)
{
    if (look->selection.nsamples > rule->limit)
        buf_printf(said, "%" PRIu64 " samples are more than %" PRIu64, look->selection.nsamples,
                   rule->limit);
    return look->selection.nsamples > rule->limit;
}

static bool fewer_samples(const struct look *look, const struct rule *rule, struct buf *said)
{
    const uint64_t n = look->selection.nsamples;

    if (n < rule->limit)
        buf_printf(said, "%" PRIu64 " sample%s fewer than %" PRIu64, n, n == 1 ? " is" : "s are",
                   rule->limit);
    return n < rule->limit;
}

static bool no_variants(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "there is no variant");
    return row_map_nrows(&look->selection.rows) == 0;
}

static bool sample_na(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "a sample is called NA");
    for (uint64_t i = 0; i < look->selection.nsamples; i++)
        if (text_equal(&look->selection.sample_id[i], "NA"))
            return true;
    return false;
}

/* Has every sample's ID the same one of them in it? */
static bool separators(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    for (const char *at = ",|;"; *at != '\0'; at++) {
        uint64_t i = 0;

        while (i < look->selection.nsamples && memchr(look->selection.sample_id[i].at, *at,
                                                      look->selection.sample_id[i].len) != NULL)
            i++;
        if (i == look->selection.nsamples) {
            buf_printf(said, "every sample's ID has a '%c' in it", *at);
            return true;
        }
    }
    return false;
}

static bool one_family(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "the first column is 0 for every sample (--fid 0)");
    return look->formats->fid_zero && look->selection.nsamples > 1;
}

/* --- calls ------------------------------------------------------------------------------------ */

static bool phased_calls(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    buf_append_str(said, "calls are shown with their phase (--phased)");
    return look->formats->phased && look->vcz->phased != NULL;
}

static bool haploid_calls(const struct look *look, const struct rule *rule, struct buf *said)
{
    (void)rule;
    if (!look->formats->haploid)
        return false;
    if (look->vcz->ploidy == 1)
        buf_append_str(said, "every call is haploid (--haploid)");
    else if (look->calls_known)
        buf_printf(said, "%" PRIu64 " variant%s haploid calls (--haploid)", look->nhaploid,
                   look->nhaploid == 1 ? " has" : "s have");
    else
        buf_append_str(said, "haploid calls are shown so (--haploid), if there are any, which "
                             "--check finds out");
    return look->vcz->ploidy == 1 || !look->calls_known || look->nhaploid > 0;
}

/* --- the table -------------------------------------------------------------------------------- */

#define EXTRA_CHR "\"Invalid chromosome code\" without --allow-extra-chr (of a number: --chr-set)"

static const struct rule rules[] = {
    {PLINK19, REFUSES, AS_PLINK, ".bim", refused_contigs, EXTRA_CHR, "P1", plink19_reads, 0},
    {PLINK2, REFUSES, AS_PLINK, ".bim", refused_contigs, EXTRA_CHR, "P1", plink2_reads, 0},
    {PLINK2, REFUSES, AS_BGEN, ".bgen", refused_contigs, EXTRA_CHR, "P1", plink2_reads, 0},
    {PLINK19, REFUSES, AS_PLINK, ".bim", split_contigs,
     "\"has a split chromosome\", except --make-bed alone", "P2", NULL, 0},
    {PLINK2, REFUSES, AS_PLINK, ".bim", split_contigs,
     "\"has a split chromosome\", except --make-pgen --sort-vars", "P2", NULL, 0},
    {PLINK2, REFUSES, AS_BGEN, ".bgen", split_contigs,
     "\"has a split chromosome\", except --make-pgen --sort-vars", "P2", NULL, 0},
    {PLINK19, REFUSES, AS_PLINK, ".bim", unsorted_positions,
     "--indep-pairwise wants a sorted .bim, other commands do not", "P3", NULL, 0},
    {PLINK2, REFUSES, AS_PLINK, ".bim", unsorted_positions,
     "--extract bed1 wants a sorted .bim, most other commands do not", "P3", NULL, 0},
    {PLINK19 | PLINK2, REFUSES, AS_PLINK, ".bim", far_positions, "\"Invalid bp coordinate\"", "P4",
     NULL, 0},
    {PLINK2, REFUSES, AS_BGEN, ".bgen", far_positions, "\"Invalid bp coordinate\"", "P4", NULL, 0},
    {PLINK2, REFUSES, AS_PLINK, ".bim", same_ids,
     "--indep-pairwise wants unique IDs: --set-all-var-ids makes them", "P5", NULL, 0},
    {PLINK19 | PLINK2, LEAVES_OUT, AS_PLINK, ".bed", omitted_contigs,
     "no call on Y counts where the sex is unknown, as it is in the .fam: --update-sex tells it",
     "P6", plink_counts, 0},
    {PLINK2, REFUSES, AS_PLINK, ".fam", fewer_samples,
     "--indep-pairwise and what else needs frequencies want --bad-ld or --read-freq", "P7", NULL,
     50},
    {PLINK19 | PLINK2, REFUSES, AS_PLINK, ".bim", no_variants, "it wants one at least", "P8", NULL,
     0},
    {PLINK19 | PLINK2, REFUSES, AS_PLINK, ".bim", more_variants, "that is all it takes", "P9", NULL,
     2147483645},
    {PLINK19 | PLINK2, REFUSES, AS_PLINK, ".fam", more_samples, "that is all it takes", "P9", NULL,
     2147483646},

    {REGENIE, REFUSES, AS_PLINK, ".bim", refused_contigs, "\"unknown chromosome code\"", "R1",
     regenie_reads, 0},
    {REGENIE, REFUSES, AS_BGEN, ".bgen", refused_contigs, "\"unknown chromosome code\"", "R1",
     regenie_reads, 0},
    {REGENIE, MISREADS, AS_PLINK, ".bim", mistaken_contigs,
     "to it that is the chromosome of the number in front", "R1", regenie_reads, 0},
    {REGENIE, MISREADS, AS_BGEN, ".bgen", mistaken_contigs,
     "to it that is the chromosome of the number in front", "R1", regenie_reads, 0},
    {REGENIE, REFUSES, AS_PLINK, ".bim", descending_contigs,
     "\"chromosomes in bim file are not in ascending order\"", "R2", regenie_reads, 0},
    {REGENIE, REFUSES, AS_BGEN, ".bgen", returning_contigs,
     "step 2 takes all memory that there is, until it is killed", "R7", regenie_reads, 0},
    {REGENIE, LEAVES_OUT, AS_PLINK | AS_BGEN, ".bim, .bgen", same_ids,
     "with --extract or --exclude, all but the first of each", "R3", NULL, 0},
    {REGENIE, REFUSES, AS_PLINK | AS_BGEN, ".bim, .bgen", more_variants,
     "in step 1, without --force-step1", "R4", NULL, 1000000},
    {REGENIE, MISREADS, AS_BGEN, ".bgen", phased_calls,
     "it aborts if the first variant is phased, and takes later ones wrongly without a word", "R5",
     NULL, 0},
    {REGENIE, REFUSES, AS_BGEN, ".bgen", haploid_calls,
     "\"Assertion `minploidy == 2' failed\" when it comes to the first", "R6", NULL, 0},

    {SAIGE, REFUSES, AS_PLINK, ".bim", mixed_autosomes,
     "step 1 with LOCO: \"chromosomes need to be ordered from 1 to 22\"", "S1", plink2_reads, 0},
    {SAIGE, REFUSES, AS_BGEN, ".sample", separators,
     "its reader of tables takes that for the separator of columns", "S2", NULL, 0},
    {SAIGE, REFUSES, AS_BGEN, ".bgen", no_variants, "\"No snpBlocks in BGEN file\"", "S3", NULL, 0},
    {SAIGE, REFUSES, AS_BGEN, ".bgen", phased_calls, "\"has Phased\"", "S4", NULL, 0},
    {SAIGE, REFUSES, AS_BGEN, ".bgen", haploid_calls, "\"has minimum ploidy = 1 (not 2)\"", "S4",
     NULL, 0},

    {GCTA, REFUSES, AS_PLINK, ".bim", refused_contigs, "\"contains illegal chr number\"", "G1",
     gcta_reads_bim, 0},
    {GCTA, LEAVES_OUT, AS_BGEN, ".bgen.bgi", omitted_contigs,
     "\"SNPs excluded due to filtering of chromosomes\"", "G2", gcta_reads_bgi, 0},
    {GCTA, MISREADS, AS_BGEN, ".bgen.bgi", mistaken_contigs,
     "to it that is the chromosome of the number in front", "G2", gcta_reads_bgi, 0},
    {GCTA, REFUSES, AS_BGEN, ".bgen", phased_calls,
     "\"does not support phased data\", in what needs a GRM", "G3", NULL, 0},
    {GCTA, REFUSES, AS_BGEN, ".bgen", haploid_calls, "\"multiploidy detected\"", "G3", NULL, 0},

    {BOLT, REFUSES, AS_PLINK, ".bim", refused_contigs,
     "\"Invalid chrom (expecting integer 1-23 or X,XY,PAR1,PAR2)\"", "B1", bolt_reads, 0},
    {BOLT, REFUSES, AS_BGEN, ".bgen", refused_contigs,
     "\"Invalid chrom (expecting integer 1-23 or X,XY,PAR1,PAR2)\"", "B1", bolt_reads, 0},
    {BOLT, MISREADS, AS_PLINK, ".bim", mistaken_contigs,
     "to it that is the chromosome of the number in front", "B1", bolt_reads, 0},
    {BOLT, MISREADS, AS_BGEN, ".bgen", mistaken_contigs,
     "to it that is the chromosome of the number in front", "B1", bolt_reads, 0},
    {BOLT, LEAVES_OUT, AS_PLINK, ".bim", same_ids,
     "\"masking duplicate\": all but the first of each", "B2", NULL, 0},
    {BOLT, REFUSES, AS_PLINK, ".bim", more_variants,
     "\"Number of SNPs exceeds maxModelSnps\": --maxModelSnps, or --modelSnps with fewer", "B3",
     NULL, 1000000},
    {BOLT, REFUSES, AS_PLINK, ".bim", no_variants, "\"No post-QC SNPs left\"", "B4", NULL, 0},
    {BOLT, REFUSES, AS_BGEN, ".bgen", haploid_calls,
     "\"has minimum ploidy = 1 (not 2)\" when it comes to the first", "B5", NULL, 0},

    {QCTOOL, REFUSES, AS_BGEN, ".sample", sample_na,
     "that is a missing ID to it: -missing-code with another word", "Q1", NULL, 0},
    {QCTOOL, REFUSES, AS_BGEN, ".sample", one_family, "\"Samples must have unique IDs\"", "Q2",
     NULL, 0},

    {BGENIX, LEAVES_OUT, AS_BGEN, ".bgen.bgi", omitted_contigs,
     "-incl-range takes what stands before the first ':' for the contig, and finds nothing", "X1",
     bgenix_finds, 0},
    {BGENIX, REFUSES, AS_BGEN, ".bgen", phased_calls, "with -v11", "X2", NULL, 0},
    {BGENIX, MISREADS, AS_BGEN, ".bgen", haploid_calls,
     "-v11 gives the calls behind a haploid one to others, without a word", "X3", NULL, 0},
};

/* --- looking, and saying ---------------------------------------------------------------------- */

/* How many of the selection's variants have haploid calls: those that GT="hap" picks for the same
 * samples. */
static int count_haploid(const struct look *look, const struct selection_options *options,
                         const struct pass_means *means, uint64_t *out, struct err *err)
{
    struct selection_options haploid = {
        .samples = options->samples,
        .samples_file = options->samples_file,
        .force_samples = options->force_samples,
        .include = "GT=\"hap\"",
    };
    struct selection selection;
    struct row_cursor row;

    if (selection_open(look->vcz, &haploid, means, false, -1, &selection, err) != 0)
        return -1;
    *out = 0;
    row = row_map_from(&selection.rows, 0);
    for (; row.at.index < row_map_nrows(&selection.rows); row_cursor_next(&row))
        *out += row_map_shows(&look->selection.rows, row.at.store, row.at.variant);
    selection_close(&selection);
    return 0;
}

/* What the store lacks, no format can show. */
static void refuse_all(struct look *look, const struct err *why)
{
    for (size_t i = 0; i < NFORMATS; i++) {
        look->refused[i] = true;
        look->why[i] = *why;
    }
}

/* Would a mount show it? */
static int try_format(struct look *look, size_t i, const struct pass_means *means, struct err *err)
{
    struct format_view view = {0};

    if (shown[i].format->open(&look->selection, look->formats, means, false, &view,
                              &look->why[i]) == 0) {
        shown[i].format->close(&view);
        return 0;
    }
    look->refused[i] = true;
    if (look->why[i].code == ERR_PEER && err != NULL)
        *err = look->why[i];
    return look->why[i].code == ERR_PEER ? -1 : 0;
}

static bool is_shown(const struct look *look, enum consumer consumer, unsigned formats)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if ((formats & 1u << i) != 0 && (shown[i].programs & PROGRAM(consumer)) != 0 &&
            !look->refused[i])
            return true;
    return false;
}

static int look_around(struct look *look, const struct selection_options *options,
                       const struct pass_means *means, enum consumer consumer, bool at_calls,
                       struct err *err)
{
    struct pass_means quietly = *means;

    quietly.notices = NULL;
    for (size_t i = 0; i < NFORMATS; i++)
        if ((shown[i].programs & PROGRAM(consumer)) != 0 && try_format(look, i, &quietly, err) != 0)
            return -1;
    if (!is_shown(look, consumer, AS_PLINK | AS_BGEN))
        return 0;
    if (survey_make(&look->selection, means, &look->survey, err) != 0)
        return -1;
    look->calls_known = at_calls && look->vcz->ploidy == 2 && look->formats->haploid;
    return look->calls_known ? count_haploid(look, options, means, &look->nhaploid, err) : 0;
}

struct finding {
    const char *verdict, *files, *what, *why, *evidence;
};

/* Where findings go. */
struct sink {
    json_t *list; /* NULL: text */
    struct buf *out;
    bool failed;
    uint64_t n;
};

static void put_finding(struct sink *sink, const struct finding *finding)
{
    const size_t begin = sink->out->len;
    json_t *object;

    sink->n++;
    if (sink->list == NULL) {
        buf_printf(sink->out, "%s %s: %s%s%s\n", finding->verdict, finding->files, finding->what,
                   finding->why != NULL ? ": " : "", finding->why != NULL ? finding->why : "");
        if (!sink->out->failed)
            printable_lines((char *)sink->out->data + begin, sink->out->len - begin);
        return;
    }
    object = json_object();
    sink->failed |= !(
        report_set(object, "verdict", json_string(finding->verdict)) &&
        report_set(object, "files", json_string(finding->files)) &&
        report_set(object, "what", report_string(finding->what)) &&
        report_set(object, "why", finding->why != NULL ? json_string(finding->why) : json_null()) &&
        report_set(object, "evidence", json_string(finding->evidence)));
    sink->failed |= json_array_append_new(sink->list, object) != 0;
}

static void find_by_rule(const struct look *look, enum consumer consumer, const struct rule *rule,
                         struct sink *sink)
{
    struct finding finding = {verdict_words[rule->verdict], rule->files, NULL, rule->why,
                              rule->evidence};
    struct buf said = {0};

    if ((rule->programs & PROGRAM(consumer)) != 0 && is_shown(look, consumer, rule->format) &&
        rule->holds(look, rule, &said)) {
        buf_append_char(&said, '\0');
        finding.what = (const char *)said.data;
        if (!said.failed)
            put_finding(sink, &finding);
    }
    sink->failed |= said.failed;
    buf_free(&said);
}

static void find_all(const struct look *look, enum consumer consumer, struct sink *sink)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if ((shown[i].programs & PROGRAM(consumer)) != 0 && look->refused[i]) {
            const struct finding finding = {verdict_words[DOES_NOT_GET], shown[i].files,
                                            look->why[i].msg, NULL, "vczfs"};

            put_finding(sink, &finding);
        }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        find_by_rule(look, consumer, &rules[i], sink);
}

static int write_json(struct sink *sink, enum consumer consumer)
{
    json_t *object = json_object();
    AUTO_FREE char *text = NULL;

    if (report_set(object, "program", json_string(consumer_name(consumer))) &&
        report_set(object, "findings", json_incref(sink->list)))
        text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    json_decref(sink->list);
    if (text == NULL)
        return -1;
    buf_append_str(sink->out, text);
    buf_append_char(sink->out, '\n');
    return 0;
}

static int write_findings(const struct look *look, enum consumer consumer, bool json,
                          struct buf *out, struct err *err)
{
    struct sink sink = {.list = json ? json_array() : NULL, .out = out};

    sink.failed = json && sink.list == NULL;
    find_all(look, consumer, &sink);
    if (json && write_json(&sink, consumer) != 0)
        sink.failed = true;
    if (!json && sink.n == 0)
        buf_printf(out, "nothing known that %s would mind\n", consumer_name(consumer));
    if (sink.failed || out->failed)
        return err_set(err, ERR_MEMORY, "out of memory for the report on %s",
                       store_path(look->vcz->store));
    return 0;
}

int consumers_write(const struct vcz *vcz, const struct selection_options *options,
                    const struct format_options *formats, const struct pass_means *means,
                    enum consumer consumer, bool look_at_calls, bool json, struct buf *out,
                    struct err *err)
{
    struct look look = {.vcz = vcz, .formats = formats};
    struct err why = {0};
    int rc = 0;

    if (vcz_need(vcz, VCZ_CALLS | VCZ_SAMPLES, &why) != 0) {
        refuse_all(&look, &why);
        return write_findings(&look, consumer, json, out, err);
    }
    if (selection_open(vcz, options, means, false, -1, &look.selection, err) != 0)
        return -1;
    for (size_t i = 0; means->notices != NULL && i < look.selection.notices.n; i++)
        notices_add(means->notices, "%s", look.selection.notices.text[i]);
    if (holes_look_all(vcz->holes, look.selection.sample_column, look.selection.nsamples,
                       means->notices, &why) != 0)
        refuse_all(&look, &why);
    else
        rc = look_around(&look, options, means, consumer, look_at_calls, err);
    if (rc == 0)
        rc = write_findings(&look, consumer, json, out, err);
    survey_clear(&look.survey);
    selection_close(&look.selection);
    return rc;
}
