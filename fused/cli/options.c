/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/options.h"

#include "common/consumer.h"
#include "common/nearest.h"
#include "common/option_file.h"
#include "common/size.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MEMORY_DEFAULT       (256ULL << 20)
#define MEMORY_MIN           (16ULL << 20)
#define THREADS_MAX          64
#define READ_TIMEOUT_DEFAULT 30
#define READ_TIMEOUT_MAX     86400
#define SINCE_DEFAULT        300 /* seconds */
#define SINCE_MAX            (366 * 86400)
#define BASENAME_MAX         240 /* leaves room for a suffix in a 255-byte name */

enum opt_id {
    OPT_BASENAME = 256,
    OPT_NO_BIM,
    OPT_NO_FAM,
    OPT_FID,
    OPT_CHR_SET,
    OPT_FORMATS,
    OPT_NO_BGI,
    OPT_NO_SAMPLE_FILE,
    OPT_NO_HEADER_SAMPLES,
    OPT_PHASED,
    OPT_UNPHASED,
    OPT_HAPLOID,
    OPT_VARIANT_ID_FIELD,
    OPT_TOTAL_STRING_LENGTH,
    OPT_PAD_BYTE,
    OPT_FORCE_SAMPLES,
    OPT_REGIONS_FORMAT,
    OPT_TARGETS_FORMAT,
    OPT_ERROR_IF_EMPTY,
    OPT_FOLLOW_LINKS,
    OPT_ABSENT_CHUNKS,
    OPT_BACKGROUND,
    OPT_ALLOW_OTHER,
    OPT_MEMORY,
    OPT_THREADS,
    OPT_ENCODER,
    OPT_ENCODER_SOCKET,
    OPT_ENCODER_USER,
    OPT_NO_SANDBOX,
    OPT_READ_TIMEOUT,
    OPT_ACCESS_LOG,
    OPT_LOG_LEVEL,
    OPT_LOG_FILE,
    OPT_LAZY,
    OPT_IF_DEAD,
    OPT_JSON,
    OPT_SINCE,
    OPT_CHECK,
    OPT_FOR,
    OPT_VERSION,
};

#define OPTS_LAST                                                                                  \
    {"help", no_argument, NULL, 'h'},                                                              \
    {                                                                                              \
        "version", no_argument, NULL, OPT_VERSION                                                  \
    }
#define OPTS_VIEW                                                                                  \
    {"basename", required_argument, NULL, OPT_BASENAME},                                           \
        {"fid", required_argument, NULL, OPT_FID}, {"min-alleles", required_argument, NULL, 'm'},  \
    {                                                                                              \
        "max-alleles", required_argument, NULL, 'M'                                                \
    }
#define OPTS_SELECT                                                                                \
    {"regions", required_argument, NULL, 'r'}, {"regions-file", required_argument, NULL, 'R'},     \
        {"targets", required_argument, NULL, 't'}, {"targets-file", required_argument, NULL, 'T'}, \
        {"samples", required_argument, NULL, 's'}, {"samples-file", required_argument, NULL, 'S'}, \
        {"force-samples", no_argument, NULL, OPT_FORCE_SAMPLES},                                   \
        {"regions-format", required_argument, NULL, OPT_REGIONS_FORMAT},                           \
        {"targets-format", required_argument, NULL, OPT_TARGETS_FORMAT},                           \
        {"types", required_argument, NULL, 'v'}, {"exclude-types", required_argument, NULL, 'V'},  \
        {"include", required_argument, NULL, 'i'}, {"exclude", required_argument, NULL, 'e'},      \
        {"follow-links", no_argument, NULL, OPT_FOLLOW_LINKS},                                     \
    {                                                                                              \
        "absent-chunks", required_argument, NULL, OPT_ABSENT_CHUNKS                                \
    }
#define OPTS_PLINK                                                                                 \
    {"no-bim", no_argument, NULL, OPT_NO_BIM}, {"chr-set", required_argument, NULL, OPT_CHR_SET},  \
    {                                                                                              \
        "no-fam", no_argument, NULL, OPT_NO_FAM                                                    \
    }
#define OPTS_BGEN                                                                                  \
    {"no-bgi", no_argument, NULL, OPT_NO_BGI},                                                     \
        {"no-sample-file", no_argument, NULL, OPT_NO_SAMPLE_FILE},                                 \
        {"no-header-samples", no_argument, NULL, OPT_NO_HEADER_SAMPLES},                           \
        {"phased", no_argument, NULL, OPT_PHASED}, {"unphased", no_argument, NULL, OPT_UNPHASED},  \
        {"haploid", no_argument, NULL, OPT_HAPLOID},                                               \
        {"variant-id-field", required_argument, NULL, OPT_VARIANT_ID_FIELD},                       \
        {"total-string-length", required_argument, NULL, OPT_TOTAL_STRING_LENGTH},                 \
    {                                                                                              \
        "pad-byte", required_argument, NULL, OPT_PAD_BYTE                                          \
    }
#define OPTS_MOUNT                                                                                 \
    {"background", no_argument, NULL, OPT_BACKGROUND},                                             \
        {"allow-other", no_argument, NULL, OPT_ALLOW_OTHER},                                       \
        {"read-timeout", required_argument, NULL, OPT_READ_TIMEOUT},                               \
        {"error-if-empty", no_argument, NULL, OPT_ERROR_IF_EMPTY},                                 \
    {                                                                                              \
        "access-log", required_argument, NULL, OPT_ACCESS_LOG                                      \
    }
#define OPTS_ENCODER                                                                               \
    {"memory", required_argument, NULL, OPT_MEMORY},                                               \
        {"threads", required_argument, NULL, OPT_THREADS},                                         \
        {"encoder", required_argument, NULL, OPT_ENCODER},                                         \
        {"encoder-socket", required_argument, NULL, OPT_ENCODER_SOCKET},                           \
        {"encoder-user", required_argument, NULL, OPT_ENCODER_USER},                               \
        {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},                                         \
        {"log-level", required_argument, NULL, OPT_LOG_LEVEL},                                     \
    {                                                                                              \
        "log-file", required_argument, NULL, OPT_LOG_FILE                                          \
    }

static const struct option mount_options[] = {
    OPTS_VIEW,
    OPTS_SELECT,
    OPTS_PLINK,
    OPTS_BGEN,
    OPTS_ENCODER,
    OPTS_MOUNT,
    {"formats", required_argument, NULL, OPT_FORMATS},
    OPTS_LAST,
    {0},
};

static const struct option mount_plink_options[] = {
    OPTS_VIEW, OPTS_SELECT, OPTS_PLINK, OPTS_ENCODER, OPTS_MOUNT, OPTS_LAST, {0},
};

static const struct option mount_bgen_options[] = {
    OPTS_VIEW, OPTS_SELECT, OPTS_BGEN, OPTS_ENCODER, OPTS_MOUNT, OPTS_LAST, {0},
};

static const struct option unmount_options[] = {
    {"lazy", no_argument, NULL, OPT_LAZY},
    {"if-dead", no_argument, NULL, OPT_IF_DEAD},
    OPTS_LAST,
    {0},
};

static const struct option status_options[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"since", required_argument, NULL, OPT_SINCE},
    OPTS_LAST,
    {0},
};

static const struct option info_options[] = {
    OPTS_VIEW,
    OPTS_SELECT,
    OPTS_PLINK,
    OPTS_BGEN,
    OPTS_ENCODER,
    {"json", no_argument, NULL, OPT_JSON},
    {"check", no_argument, NULL, OPT_CHECK},
    {"for", required_argument, NULL, OPT_FOR},
    OPTS_LAST,
    {0},
};

#define VIEW_SHORT ":hm:M:r:R:t:T:s:S:v:V:i:e:"

static const struct verb_entry {
    const char *name;
    enum verb verb;
    const struct option *options;
    const char *short_options;
    int noperands, nrequired;
    const char *operands;
} verbs[] = {
    {"mount", VERB_MOUNT, mount_options, VIEW_SHORT, 2, 2, "STORE and DIR"},
    {"mount-plink", VERB_MOUNT_PLINK, mount_plink_options, VIEW_SHORT, 2, 2, "STORE and DIR"},
    {"mount-bgen", VERB_MOUNT_BGEN, mount_bgen_options, VIEW_SHORT, 2, 2, "STORE and DIR"},
    {"unmount", VERB_UNMOUNT, unmount_options, ":h", 1, 1, "DIR"},
    {"status", VERB_STATUS, status_options, ":h", 1, 0, "DIR or nothing"},
    {"info", VERB_INFO, info_options, VIEW_SHORT, 1, 1, "STORE"},
};

#define NVERBS (sizeof verbs / sizeof verbs[0])

const char *options_verb_name(enum verb verb)
{
    for (size_t i = 0; i < NVERBS; i++)
        if (verbs[i].verb == verb)
            return verbs[i].name;
    return "";
}

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    unsigned long long value;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static int take_number(const char *name, const char *text, uint64_t min, uint64_t max,
                       uint64_t *out, struct err *err)
{
    if (parse_number(text, min, max, out))
        return 0;
    return err_set(err, ERR_FORM,
                   "%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'", name, min,
                   max, text);
}

static int take_unsigned(const char *name, const char *text, unsigned max, unsigned *out,
                         struct err *err)
{
    uint64_t value;

    if (take_number(name, text, 1, max, &value, err) != 0)
        return -1;
    *out = (unsigned)value;
    return 0;
}

static int take_memory(const char *text, uint64_t *out, struct err *err)
{
    uint64_t value;

    if (!size_parse(text, &value))
        return err_set(err, ERR_FORM, "--memory takes a size such as 512M or 2G, not '%s'", text);
    if (value < MEMORY_MIN)
        return err_set(err, ERR_FORM, "--memory must be at least 16M, not '%s'", text);
    *out = value;
    return 0;
}

static bool basename_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= BASENAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int set_basename(struct options *opt, const char *name, struct err *err)
{
    if (!basename_ok(name))
        return err_set(err, ERR_FORM,
                       "--basename takes the beginning of a file name (not empty, no '/', at most "
                       "%d bytes), not '%s'",
                       BASENAME_MAX, name);
    free(opt->basename);
    opt->basename = strdup(name);
    return opt->basename == NULL ? err_nomem(err, "the options") : 0;
}

/* "plink,bgen" */
static int take_formats(struct options *opt, const char *arg, struct err *err)
{
    char *rest;

    free(opt->formats_text);
    opt->nformats = 0;
    rest = opt->formats_text = strdup(arg);
    if (rest == NULL)
        return err_nomem(err, "the options");
    for (char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ",")) {
        bool again = false;

        for (size_t i = 0; i < opt->nformats; i++)
            again |= strcmp(opt->formats[i], word) == 0;
        if (word[0] == '\0' || again || opt->nformats == PROTO_FORMATS_MAX)
            return err_set(err, ERR_FORM,
                           "--formats takes names such as plink,bgen, each once, not '%s'", arg);
        opt->formats[opt->nformats++] = word;
    }
    return 0;
}

static int take_id_field(struct options *opt, const char *arg, struct err *err)
{
    opt->id_in_varid = strcmp(arg, "varid") == 0;
    if (!opt->id_in_varid && strcmp(arg, "rsid") != 0)
        return err_set(err, ERR_FORM, "--variant-id-field is rsid or varid, not '%s'", arg);
    return 0;
}

static int take_pad_byte(struct options *opt, const char *arg, struct err *err)
{
    if (arg[0] <= ' ' || arg[0] > PROTO_PAD_MAX || arg[1] != '\0')
        return err_set(err, ERR_FORM,
                       "--pad-byte takes one printable ASCII character that is no white space, "
                       "not '%s'",
                       arg);
    opt->pad_byte = (uint8_t)arg[0];
    return 0;
}

static int take_bgen_option(struct options *opt, int id, const char *arg, struct err *err)
{
    switch (id) {
    case OPT_NO_BGI:
        opt->no_bgi = true;
        return 0;
    case OPT_NO_SAMPLE_FILE:
        opt->no_sample_file = true;
        return 0;
    case OPT_NO_HEADER_SAMPLES:
        opt->no_header_samples = true;
        return 0;
    case OPT_PHASED:
        opt->phased = true;
        return 0;
    case OPT_UNPHASED:
        opt->unphased = true;
        return 0;
    case OPT_HAPLOID:
        opt->haploid = true;
        return 0;
    case OPT_VARIANT_ID_FIELD:
        return take_id_field(opt, arg, err);
    case OPT_TOTAL_STRING_LENGTH:
        return take_number("--total-string-length", arg, 1, UINT32_MAX / 4,
                           &opt->total_string_length, err);
    case OPT_PAD_BYTE:
        return take_pad_byte(opt, arg, err);
    default:
        return err_set(err, ERR_FORM, "an option that this program forgot about (%d)", id);
    }
}

/* How two of an option are made one. */
#define JOIN_LIST       "give one list, separated by commas"
#define JOIN_FILE       "put all of it into one file"
#define JOIN_EXPRESSION "join expressions with && or ||, as in (A) && (B)"

/* Each at most once: bcftools takes the last one of some of them without a word, and some it
 * refuses; nobody could tell which one counts. */
static int take_once(const char *name, const char *arg, const char **out, const char *join,
                     struct err *err)
{
    if (*out != NULL)
        return err_set(err, ERR_FORM, "%s was given twice: %s", name, join);
    *out = arg;
    return 0;
}

static int take_region_format(const char *name, const char *arg, const char **out, struct err *err)
{
    enum region_format format;

    if (!region_format_named(arg, &format))
        return err_set(err, ERR_FORM, "%s is auto, bed, tab or vcf, not '%s'", name, arg);
    *out = arg;
    return 0;
}

static int take_absent_chunks(struct options *opt, const char *arg, struct err *err)
{
    opt->absent_fill = strcmp(arg, "fill") == 0;
    if (opt->absent_fill || strcmp(arg, "error") == 0)
        return 0;
    return err_set(err, ERR_USAGE, "--absent-chunks is error or fill, not '%s'", arg);
}

static int take_select_option(struct options *opt, int id, const char *arg, struct err *err)
{
    struct select_options *select = &opt->select;

    switch (id) {
    case 'r':
        return take_once("--regions", arg, &select->regions, JOIN_LIST, err);
    case 'R':
        return take_once("--regions-file", arg, &select->regions_file, JOIN_FILE, err);
    case 't':
        return take_once("--targets", arg, &select->targets, JOIN_LIST, err);
    case 'T':
        return take_once("--targets-file", arg, &select->targets_file, JOIN_FILE, err);
    case 's':
        return take_once("--samples", arg, &select->samples, JOIN_LIST, err);
    case 'S':
        return take_once("--samples-file", arg, &select->samples_file, JOIN_FILE, err);
    case 'v':
        return take_once("--types", arg, &select->types, JOIN_LIST, err);
    case 'V':
        return take_once("--exclude-types", arg, &select->exclude_types, JOIN_LIST, err);
    case 'i':
        return take_once("--include", arg, &select->include, JOIN_EXPRESSION, err);
    case 'e':
        return take_once("--exclude", arg, &select->exclude, JOIN_EXPRESSION, err);
    case OPT_REGIONS_FORMAT:
        return take_region_format("--regions-format", arg, &select->regions_format, err);
    case OPT_TARGETS_FORMAT:
        return take_region_format("--targets-format", arg, &select->targets_format, err);
    case OPT_FORCE_SAMPLES:
        select->force_samples = true;
        return 0;
    case OPT_FOLLOW_LINKS:
        opt->follow_links = true;
        return 0;
    case OPT_ABSENT_CHUNKS:
        return take_absent_chunks(opt, arg, err);
    default:
        return take_bgen_option(opt, id, arg, err);
    }
}

static int take_fid(struct options *opt, const char *arg, struct err *err)
{
    opt->fid_zero = strcmp(arg, "0") == 0;
    if (!opt->fid_zero && strcasecmp(arg, "ID") != 0)
        return err_set(err, ERR_USAGE, "--fid is ID or 0, not '%s'", arg);
    return 0;
}

static int take_view_option(struct options *opt, int id, const char *arg, struct err *err)
{
    switch (id) {
    case OPT_BASENAME:
        return set_basename(opt, arg, err);
    case OPT_NO_BIM:
        opt->no_bim = true;
        return 0;
    case OPT_NO_FAM:
        opt->no_fam = true;
        return 0;
    case OPT_FID:
        return take_fid(opt, arg, err);
    case OPT_CHR_SET:
        return take_number("--chr-set", arg, 1, PROTO_CHR_SET_MAX, &opt->autosomes, err);
    case 'm':
        return take_number("--min-alleles", arg, 0, UINT32_MAX, &opt->min_alleles, err);
    case 'M':
        return take_number("--max-alleles", arg, 1, UINT32_MAX, &opt->max_alleles, err);
    case OPT_FORMATS:
        return take_formats(opt, arg, err);
    default:
        return take_select_option(opt, id, arg, err);
    }
}

static int take_encoder_option(struct options *opt, int id, const char *arg, struct err *err)
{
    switch (id) {
    case OPT_MEMORY:
        return take_memory(arg, &opt->memory, err);
    case OPT_THREADS:
        return take_unsigned("--threads", arg, THREADS_MAX, &opt->threads, err);
    case OPT_ENCODER:
        opt->encoder = arg;
        return 0;
    case OPT_ENCODER_SOCKET:
        opt->encoder_socket = arg;
        return 0;
    case OPT_ENCODER_USER:
        opt->encoder_user = arg;
        return 0;
    case OPT_NO_SANDBOX:
        opt->no_sandbox = true;
        return 0;
    case OPT_LOG_LEVEL:
        if (!log_level_parse(arg, &opt->log_level))
            return err_set(err, ERR_FORM, "--log-level is error, warning, info or debug, not '%s'",
                           arg);
        return 0;
    case OPT_LOG_FILE:
        opt->log_file = arg;
        return 0;
    default:
        return take_view_option(opt, id, arg, err);
    }
}

static int take_consumer(const char *name, struct options *opt, struct err *err)
{
    if (consumer_find(name) == CONSUMERS)
        return err_set(err, ERR_USAGE, "nothing is known of a program '%s': --for " CONSUMER_NAMES,
                       name);
    opt->consumer = name;
    return 0;
}

static int take_option(struct options *opt, int id, const char *arg, struct err *err)
{
    switch (id) {
    case OPT_BACKGROUND:
        opt->background = true;
        return 0;
    case OPT_ERROR_IF_EMPTY:
        opt->error_if_empty = true;
        return 0;
    case OPT_ALLOW_OTHER:
        opt->allow_other = true;
        return 0;
    case OPT_READ_TIMEOUT:
        return take_unsigned("--read-timeout", arg, READ_TIMEOUT_MAX, &opt->read_timeout, err);
    case OPT_ACCESS_LOG:
        opt->access_log = arg;
        return 0;
    case OPT_LAZY:
        opt->lazy = true;
        return 0;
    case OPT_IF_DEAD:
        opt->if_dead = true;
        return 0;
    case OPT_JSON:
        opt->json = true;
        return 0;
    case OPT_SINCE:
        return take_unsigned("--since", arg, SINCE_MAX, &opt->since, err);
    case OPT_CHECK:
        opt->check = true;
        return 0;
    case OPT_FOR:
        return take_consumer(arg, opt, err);
    default:
        return take_encoder_option(opt, id, arg, err);
    }
}

/* getopt takes the beginning of a name for the name, unless that is the beginning of several. */
static bool is_ambiguous(const struct option *options, const char *name, size_t len)
{
    size_t n = 0;

    for (const struct option *option = options; option->name != NULL; option++)
        n += strncmp(option->name, name, len) == 0;
    return n > 1;
}

static int unknown_long_option(const struct verb_entry *verb, const char *text, struct err *err)
{
    const char *name = text + strspn(text, "-");
    const size_t len = strcspn(name, "=");
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    if (is_ambiguous(verb->options, name, len))
        return err_set(err, ERR_FORM, "'%s' is the beginning of more than one option", text);
    nearest_begin(&nearest, name, len);
    for (const struct option *option = verb->options; option->name != NULL; option++)
        nearest_consider(&nearest, "--", option->name, strlen(option->name));
    return err_set(err, ERR_FORM, "%s has no option '%s'%s", verb->name, text,
                   nearest_hint(&nearest, hint));
}

static int refuse_option(const struct verb_entry *verb, int why, char **argv, struct err *err)
{
    const char *text = argv[optind - 1];

    if (why == ':')
        return err_set(err, ERR_FORM, "option '%s' wants a value", text);
    /* getopt leaves optopt 0 for a long option it does not know or cannot tell from others, and
     * what it stands for where a value was given to one that takes none. */
    if (optopt == 0)
        return unknown_long_option(verb, text, err);
    if (strncmp(text, "--", 2) == 0)
        return err_set(err, ERR_FORM, "option '%.*s' takes no value", (int)strcspn(text, "="),
                       text);
    return err_set(err, ERR_FORM, "%s has no option '-%c'", verb->name, optopt);
}

static void set_defaults(struct options *opt)
{
    long ncpu = sysconf(_SC_NPROCESSORS_ONLN);

    memset(opt, 0, sizeof *opt);
    opt->memory = MEMORY_DEFAULT;
    opt->threads = ncpu < 1 ? 1 : ncpu > THREADS_MAX ? THREADS_MAX : (unsigned)ncpu;
    opt->read_timeout = READ_TIMEOUT_DEFAULT;
    opt->since = SINCE_DEFAULT;
}

static int check_whole(struct options *opt, struct err *err)
{
    if (opt->encoder != NULL && opt->encoder_socket != NULL)
        return err_set(err, ERR_FORM, "--encoder and --encoder-socket exclude each other");
    if (opt->encoder_user != NULL && opt->encoder_socket == NULL)
        return err_set(err, ERR_FORM,
                       "--encoder-user is for an encoder that runs already: --encoder-socket says "
                       "where");
    if (opt->no_sandbox && opt->encoder_socket != NULL)
        return err_set(
            err, ERR_FORM,
            "--no-sandbox is for an encoder that vczfs starts: give it to the one behind "
            "--encoder-socket instead");
    if ((opt->select.regions_format != NULL && opt->select.regions_file == NULL) ||
        (opt->select.targets_format != NULL && opt->select.targets_file == NULL))
        return err_set(err, ERR_FORM,
                       "--regions-format is about --regions-file, and --targets-format about "
                       "--targets-file: no such file is given");
    if (opt->phased && opt->unphased)
        return err_set(err, ERR_FORM, "--phased and --unphased exclude each other");
    if (opt->max_alleles != 0 && opt->min_alleles > opt->max_alleles)
        return err_set(err, ERR_FORM,
                       "--min-alleles %" PRIu64 " is more than --max-alleles "
                       "%" PRIu64 ": no variant could be shown",
                       opt->min_alleles, opt->max_alleles);
    if (opt->store == NULL || opt->basename != NULL)
        return 0;
    opt->basename = options_basename(opt->store);
    if (opt->basename == NULL)
        return err_set(err, ERR_FORM,
                       "the store's path '%s' has no name to call the files by: give --basename",
                       opt->store);
    return 0;
}

static int take_operands(const struct verb_entry *verb, int argc, char **argv, struct options *opt,
                         struct err *err)
{
    if (argc - optind > verb->noperands || argc - optind < verb->nrequired)
        return err_set(err, ERR_FORM, "%s wants %s, and nothing else after the options", verb->name,
                       verb->operands);
    for (int i = optind; i < argc; i++)
        if (argv[i][0] == '\0')
            return err_set(err, ERR_FORM, "%s wants %s: an empty path is neither", verb->name,
                           verb->operands);
    if (verb->verb == VERB_UNMOUNT || verb->verb == VERB_STATUS) {
        opt->dir = argv[optind]; /* NULL behind the last */
    } else {
        opt->store = argv[optind];
        opt->dir = verb->noperands > 1 ? argv[optind + 1] : NULL;
    }
    return check_whole(opt, err);
}

static int parse_verb(const struct verb_entry *verb, int argc, char **argv, struct options *opt,
                      struct err *err)
{
    bool level_given = false;
    int id;

    opt->verb = verb->verb;
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    while ((id = getopt_long(argc, argv, verb->short_options, verb->options, NULL)) != -1) {
        if (id == 'h' || id == OPT_VERSION) {
            opt->help_about = verb->verb;
            opt->verb = id == 'h' ? VERB_HELP : VERB_VERSION;
            return 0;
        }
        if (id == ':' || id == '?')
            return refuse_option(verb, id, argv, err);
        level_given |= id == OPT_LOG_LEVEL;
        if (take_option(opt, id, optarg, err) != 0)
            return -1;
    }
    if (!level_given)
        opt->log_level =
            opt->log_file != NULL || opt->background ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
    return take_operands(verb, argc, argv, opt, err);
}

static int unknown_verb(const char *verb, struct err *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    nearest_begin(&nearest, verb, strlen(verb));
    for (size_t i = 0; i < NVERBS; i++)
        nearest_consider(&nearest, "", verbs[i].name, strlen(verbs[i].name));
    return err_set(err, ERR_FORM,
                   "'%s' is not something vczfs does: it knows mount, mount-plink, mount-bgen, "
                   "unmount, status and info%s",
                   verb, nearest_hint(&nearest, hint));
}

int options_parse(int argc, char **argv, struct options *out, struct err *err)
{
    const char *first = argc > 1 ? argv[1] : "";

    set_defaults(out);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        out->verb = out->help_about = VERB_HELP;
        return 0;
    }
    if (strcmp(first, "--version") == 0) {
        out->verb = VERB_VERSION;
        return 0;
    }
    for (size_t i = 0; i < NVERBS; i++)
        if (strcmp(first, verbs[i].name) == 0)
            return parse_verb(&verbs[i], argc - 1, argv + 1, out, err);
    if (first[0] == '\0')
        return err_set(err, ERR_FORM,
                       "say what to do: mount, mount-plink, mount-bgen, unmount, status or info");
    return unknown_verb(first, err);
}

void options_free(struct options *opt)
{
    free(opt->basename);
    opt->basename = NULL;
    free(opt->formats_text);
    opt->formats_text = NULL;
}

/* What the verb says, unless --formats did. */
static void choose_formats(const struct options *opt, struct view_options *out)
{
    if (opt->nformats > 0) {
        memcpy(out->formats, opt->formats, sizeof out->formats);
        out->nformats = opt->nformats;
        return;
    }
    if (opt->verb != VERB_MOUNT_BGEN)
        out->formats[out->nformats++] = "plink";
    if (opt->verb != VERB_MOUNT_PLINK)
        out->formats[out->nformats++] = "bgen";
    out->formats_optional = out->nformats > 1;
}

void options_view(const struct options *opt, struct view_options *out)
{
    *out = (struct view_options){
        .basename = opt->basename,
        .no_bim = opt->no_bim,
        .no_fam = opt->no_fam,
        .fid_zero = opt->fid_zero,
        .autosomes = opt->autosomes,
        .no_bgi = opt->no_bgi,
        .no_sample_file = opt->no_sample_file,
        .no_header_samples = opt->no_header_samples,
        .phased = opt->phased,
        .haploid = opt->haploid,
        .id_in_varid = opt->id_in_varid,
        .total_string_length = opt->total_string_length,
        .pad_byte = opt->pad_byte,
        .min_alleles = opt->min_alleles,
        .max_alleles = opt->max_alleles,
        .follow_links = opt->follow_links,
        .absent_fill = opt->absent_fill,
    };
    choose_formats(opt, out);
}

static bool strip_suffix(char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);

    if (len <= n || strcmp(name + len - n, suffix) != 0)
        return false;
    name[len - n] = '\0';
    return true;
}

char *options_basename(const char *store)
{
    size_t end = strlen(store);
    size_t begin;
    char *name;

    while (end > 0 && store[end - 1] == '/')
        end--;
    begin = end;
    while (begin > 0 && store[begin - 1] != '/')
        begin--;
    name = strndup(store + begin, end - begin);
    if (name == NULL)
        return NULL;
    strip_suffix(name, ".zip");
    while (strip_suffix(name, ".vcz") || strip_suffix(name, ".zarr"))
        ;
    if (!basename_ok(name)) {
        free(name);
        return NULL;
    }
    return name;
}
