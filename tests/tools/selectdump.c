/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selectdump: what a selection leaves of a store, without a mount.
 *
 *   selectdump STORE [options of vczfs mount-plink]
 *
 * Prints "#samples" and the sample IDs, then CHROM POS ID REF ALT of every variant kept; notices go
 * to stderr. Ends with 1 and a message where a mount would.
 */
#include "common/cleanup.h"
#include "common/expr_lex.h"
#include "encoderd/select/selection.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/vcz/vcz_open.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILES_MAX 16

enum {
    OPT_FORCE_SAMPLES = 256,
    OPT_REGIONS_FORMAT,
    OPT_TARGETS_FORMAT,
    OPT_THREADS,
    OPT_MEMORY,
    OPT_IGNORED,      /* an option that shapes the output, not the selection */
    OPT_IGNORED_VALUE /* the same with a value */
};

static const char shorts[] = "r:R:t:T:s:S:i:e:v:V:m:M:";
static const struct option longs[] = {
    {"regions", required_argument, NULL, 'r'},
    {"regions-file", required_argument, NULL, 'R'},
    {"targets", required_argument, NULL, 't'},
    {"targets-file", required_argument, NULL, 'T'},
    {"samples", required_argument, NULL, 's'},
    {"samples-file", required_argument, NULL, 'S'},
    {"include", required_argument, NULL, 'i'},
    {"exclude", required_argument, NULL, 'e'},
    {"types", required_argument, NULL, 'v'},
    {"exclude-types", required_argument, NULL, 'V'},
    {"min-alleles", required_argument, NULL, 'm'},
    {"max-alleles", required_argument, NULL, 'M'},
    {"force-samples", no_argument, NULL, OPT_FORCE_SAMPLES},
    {"regions-format", required_argument, NULL, OPT_REGIONS_FORMAT},
    {"targets-format", required_argument, NULL, OPT_TARGETS_FORMAT},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"memory", required_argument, NULL, OPT_MEMORY},
    {"no-bim", no_argument, NULL, OPT_IGNORED},
    {"no-fam", no_argument, NULL, OPT_IGNORED},
    {"unphased", no_argument, NULL, OPT_IGNORED},
    {"phased", no_argument, NULL, OPT_IGNORED},
    {"haploid", no_argument, NULL, OPT_IGNORED},
    {"no-bgi", no_argument, NULL, OPT_IGNORED},
    {"no-sample-file", no_argument, NULL, OPT_IGNORED},
    {"no-header-samples", no_argument, NULL, OPT_IGNORED},
    {"total-string-length", required_argument, NULL, OPT_IGNORED_VALUE},
    {"variant-id-field", required_argument, NULL, OPT_IGNORED_VALUE},
    {"pad-byte", required_argument, NULL, OPT_IGNORED_VALUE},
    {NULL, 0, NULL, 0},
};

struct dump {
    struct selection_options options;
    struct option_file files[FILES_MAX]; /* what expressions name */
    struct pass_means means;
};

static int fail(const struct err *err)
{
    fprintf(stderr, "selectdump: %s\n", err->msg);
    return 1;
}

static int read_file(const char *path, const char *name, struct option_file *out)
{
    FILE *file = fopen(path, "r");
    size_t cap = 1 << 16, len = 0, n;
    char *text = malloc(cap);

    if (file == NULL) {
        fprintf(stderr, "selectdump: cannot read %s\n", path);
        free(text);
        return -1;
    }
    while (text != NULL && (n = fread(text + len, 1, cap - len, file)) > 0) {
        len += n;
        if (len == cap)
            text = realloc(text, cap *= 2);
    }
    fclose(file);
    *out = (struct option_file){.name = name, .text = text, .len = len};
    return text != NULL ? 0 : -1;
}

static int read_list(const char *arg, struct option_file *out)
{
    return read_file(arg + (arg[0] == '^'), arg, out);
}

static int set_option(struct dump *dump, int c, const char *arg)
{
    struct selection_options *options = &dump->options;

    switch (c) {
    case 'r':
        options->regions = arg;
        return 0;
    case 'R':
        return read_list(arg, &options->regions_file);
    case 't':
        options->targets = arg;
        return 0;
    case 'T':
        return read_list(arg, &options->targets_file);
    case 's':
        options->samples = arg;
        return 0;
    case 'S':
        return read_list(arg, &options->samples_file);
    case 'i':
        options->include = arg;
        return 0;
    case 'e':
        options->exclude = arg;
        return 0;
    case 'v':
        options->include_types = arg;
        return 0;
    case 'V':
        options->exclude_types = arg;
        return 0;
    case 'm':
        options->min_alleles = strtoull(arg, NULL, 10);
        return 0;
    case 'M':
        options->max_alleles = strtoull(arg, NULL, 10);
        return 0;
    case OPT_FORCE_SAMPLES:
        options->force_samples = true;
        return 0;
    case OPT_REGIONS_FORMAT:
        options->regions_format = arg;
        return 0;
    case OPT_TARGETS_FORMAT:
        options->targets_format = arg;
        return 0;
    case OPT_THREADS:
        dump->means.nthreads = (unsigned)strtoul(arg, NULL, 10);
        return 0;
    case OPT_MEMORY:
        dump->means.scratch_max = strtoull(arg, NULL, 10);
        return 0;
    default:
        return c == OPT_IGNORED || c == OPT_IGNORED_VALUE ? 0 : -1;
    }
}

/* Reads each file that an expression names. */
static int add_file(const char *name, void *arg)
{
    struct dump *dump = arg;

    for (size_t i = 0; i < dump->options.nfiles; i++)
        if (strcmp(dump->files[i].name, name) == 0)
            return 0;
    if (dump->options.nfiles == FILES_MAX ||
        read_file(name, name, &dump->files[dump->options.nfiles]) != 0)
        return -1;
    dump->files[dump->options.nfiles++].name = strdup(name);
    return 0;
}

static void print_str(const struct str *str)
{
    fwrite(str->at, 1, str->len, stdout);
}

static int print_site(struct sites_reader *reader, uint64_t variant, struct err *err)
{
    struct site site;

    if (sites_get(reader, variant, &site, err) != 0)
        return -1;
    print_str(&site.contig);
    printf("\t%" PRId64 "\t", site.position);
    print_str(&site.id);
    putchar('\t');
    print_str(&site.alleles[0]);
    putchar('\t');
    for (unsigned i = 1; i < site.nalleles; i++) {
        if (i > 1)
            putchar(',');
        print_str(&site.alleles[i]);
    }
    puts(site.nalleles == 1 ? "." : "");
    return 0;
}

static int print_selection(const struct selection *selection, size_t scratch_max, struct err *err)
{
    struct sites_reader *reader = sites_reader_new(selection->vcz, scratch_max, err);
    struct row_cursor row = row_map_from(&selection->rows, 0);
    int rc = reader != NULL ? 0 : -1;

    for (size_t i = 0; i < selection->notices.n; i++)
        fprintf(stderr, "notice: %s\n", selection->notices.text[i]);
    printf("#samples");
    for (uint64_t i = 0; i < selection->nsamples; i++) {
        putchar('\t');
        print_str(&selection->sample_id[i]);
    }
    putchar('\n');
    for (; rc == 0 && row.at.index < row_map_nrows(&selection->rows); row_cursor_next(&row))
        rc = print_site(reader, row.at.variant, err);
    sites_reader_free(reader);
    return rc;
}

static int dump_store(const struct dump *dump, const char *path)
{
    struct selection selection;
    struct vcz *vcz = NULL;
    struct err err = {0};
    int rc;

    if (vcz_open(path, dump->means.scratch_max, &vcz, &err) != 0)
        return fail(&err);
    rc = selection_open(vcz, &dump->options, &dump->means, false, -1, &selection, &err);
    if (rc == 0) {
        rc = print_selection(&selection, dump->means.scratch_max, &err);
        selection_close(&selection);
    }
    vcz_free(vcz);
    return rc == 0 ? 0 : fail(&err);
}

static void free_files(struct dump *dump)
{
    for (size_t i = 0; i < dump->options.nfiles; i++) {
        free((void *)(uintptr_t)dump->files[i].name);
        free((void *)(uintptr_t)dump->files[i].text);
    }
    free((void *)(uintptr_t)dump->options.regions_file.text);
    free((void *)(uintptr_t)dump->options.targets_file.text);
    free((void *)(uintptr_t)dump->options.samples_file.text);
}

int main(int argc, char **argv)
{
    struct dump dump = {.means = {.nthreads = 2, .scratch_max = (size_t)64 << 20}};
    const char *expressions[2];
    int c, rc;

    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
        if (set_option(&dump, c, optarg) != 0)
            return 2;
    if (optind != argc - 1) {
        fprintf(stderr, "usage: selectdump STORE [options of vczfs mount-plink]\n");
        return 2;
    }
    expressions[0] = dump.options.include;
    expressions[1] = dump.options.exclude;
    for (int i = 0; i < 2; i++)
        if (expressions[i] != NULL && expr_list_files(expressions[i], add_file, &dump) != 0)
            return 1;
    dump.options.files = dump.files;
    rc = dump_store(&dump, argv[optind]);
    free_files(&dump);
    return rc;
}
