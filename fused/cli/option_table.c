/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/option_table.h"

#include "common/consumer.h"
#include "fused/cli/options.h"

#include <assert.h>
#include <string.h>

/* Whose an option is. */
enum {
    OF_MOUNT = 1, /* a format's or several */
    OF_MOUNT_SEVERAL = 2,
    OF_INFO = 4,
    OF_UNMOUNT = 8,
    OF_STATUS = 16,
    OF_VIEW = OF_MOUNT | OF_INFO,
    OF_ALL = OF_VIEW | OF_UNMOUNT | OF_STATUS,
};

/* Parts of the help, in their order. */
enum {
    IN_COMMAND,
    IN_VIEW,
    IN_SELECTION,
    IN_FORMATS, /* one for each, with what it declares */
    IN_MOUNT,
    IN_ENCODER,
    IN_LOG,
    IN_LAST,
    SECTIONS,
};

static const char *const headings[SECTIONS] = {
    [IN_VIEW] = "What to show",
    [IN_SELECTION] = "Which samples and variants (as bcftools view; vczfs(1) has the expressions)",
    [IN_MOUNT] = "The mount",
    [IN_ENCODER] = "The encoder (the process that decodes the store)",
    [IN_LOG] = "Logs and help",
    [IN_LAST] = "Logs and help",
};

/* How two of an option are made one. */
#define JOIN_LIST       "give one list, separated by commas"
#define JOIN_FILE       "put all of it into one file"
#define JOIN_EXPRESSION "join expressions with && or ||, as in (A) && (B)"

#define REGION_FORMATS                                                                             \
    {                                                                                              \
        "auto", "bed", "tab", "vcf"                                                                \
    }
#define FIELD(field)        .at = offsetof(struct options, field), .nbytes = FIELD_NBYTES(field)
#define FIELD_NBYTES(field) sizeof(((struct options *)0)->field)

static const struct option_entry entries[] = {
    {
        .spec = {.name = "formats",
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "only these, separated by commas, and all of them"},
        .commands = OF_MOUNT_SEVERAL,
        .section = IN_COMMAND,
        .of_formats = true,
        FIELD(formats_given),
    },
    {
        .spec = {.name = "lazy",
                 .kind = OPTION_SWITCH,
                 .help = "also when files are open: they fail from then on"},
        .commands = OF_UNMOUNT,
        .section = IN_COMMAND,
        FIELD(lazy),
    },
    {
        .spec = {.name = "if-dead",
                 .kind = OPTION_SWITCH,
                 .help = "only a mount that nobody serves any more; if there is none, there is "
                         "nothing to do"},
        .commands = OF_UNMOUNT,
        .section = IN_COMMAND,
        FIELD(if_dead),
    },
    {
        .spec = {.name = "since",
                 .kind = OPTION_NUMBER,
                 .least = 1,
                 .most = 366 * 86400,
                 .argument = "SECONDS",
                 .otherwise = "300",
                 .help = "how late that is"},
        .commands = OF_STATUS,
        .section = IN_COMMAND,
        FIELD(since),
    },
    {
        .spec = {.name = "json",
                 .kind = OPTION_SWITCH,
                 .help = "JSON instead of text: an object, or an array of them"},
        .commands = OF_STATUS | OF_INFO,
        .section = IN_COMMAND,
        FIELD(json),
    },
    {
        .spec = {.name = "check",
                 .kind = OPTION_SWITCH,
                 .help = "instead, read and decode everything once and say what is wrong where; "
                         "exit status 1 if anything is"},
        .commands = OF_INFO,
        .section = IN_COMMAND,
        FIELD(check),
    },
    {
        .spec = {.name = "for",
                 .kind = OPTION_WORD,
                 .argument = "PROGRAM",
                 .words = {CONSUMER_WORDS},
                 .help = "instead, say what PROGRAM would refuse or misread in that view; with "
                         "--check, look at the calls for that, too"},
        .commands = OF_INFO,
        .section = IN_COMMAND,
        FIELD(consumer),
    },
    {
        .spec = {.name = "basename",
                 .kind = OPTION_TEXT,
                 .argument = "NAME",
                 .otherwise_said = "the store's name without .vcz, .zarr, .zip",
                 .help = "files are called NAME and what ends their names"},
        .commands = OF_VIEW,
        .section = IN_VIEW,
        FIELD(basename_given),
    },
    {
        .spec = {.name = "min-alleles",
                 .letter = 'm',
                 .kind = OPTION_NUMBER,
                 .least = 0,
                 .most = UINT32_MAX,
                 .argument = "N",
                 .help = "only variants with at least N alleles"},
        .commands = OF_VIEW,
        .section = IN_VIEW,
        FIELD(min_alleles),
    },
    {
        .spec = {.name = "max-alleles",
                 .letter = 'M',
                 .kind = OPTION_NUMBER,
                 .least = 1,
                 .most = UINT32_MAX,
                 .argument = "N",
                 .help = "only variants with at most N alleles (2 leaves out multi-allelic sites, "
                         "which no format here can hold)"},
        .commands = OF_VIEW,
        .section = IN_VIEW,
        FIELD(max_alleles),
    },
    {
        .spec = {.name = "samples",
                 .letter = 's',
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "these samples, in this order (^LIST: all others)"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_LIST,
        FIELD(select.samples),
    },
    {
        .spec = {.name = "samples-file",
                 .letter = 'S',
                 .kind = OPTION_TEXT,
                 .argument = "FILE",
                 .help = "the same, one a line (^FILE: all others)"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_FILE,
        FIELD(select.samples_file),
    },
    {
        .spec = {.name = "force-samples",
                 .kind = OPTION_SWITCH,
                 .help = "samples that the store lacks are only a warning"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        FIELD(select.force_samples),
    },
    {
        .spec = {.name = "regions",
                 .letter = 'r',
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "variants that overlap chr, chr:from-to, ..."},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_LIST,
        FIELD(select.regions),
    },
    {
        .spec = {.name = "regions-file",
                 .letter = 'R',
                 .kind = OPTION_TEXT,
                 .argument = "FILE",
                 .help = "the same, from tab-separated columns, a .bed or a VCF"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_FILE,
        FIELD(select.regions_file),
    },
    {
        .spec = {.name = "regions-format",
                 .kind = OPTION_WORD,
                 .argument = "F",
                 .words = REGION_FORMATS,
                 .otherwise = "auto",
                 .help = "what that FILE is; auto goes by its name and contents"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        FIELD(select.regions_format),
    },
    {
        .spec = {.name = "targets",
                 .letter = 't',
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "variants that begin in these (^LIST: in none of them)"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_LIST,
        FIELD(select.targets),
    },
    {
        .spec = {.name = "targets-file",
                 .letter = 'T',
                 .kind = OPTION_TEXT,
                 .argument = "FILE",
                 .help = "the same, from a file (^FILE: in none of them)"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_FILE,
        FIELD(select.targets_file),
    },
    {
        .spec = {.name = "targets-format",
                 .kind = OPTION_WORD,
                 .argument = "F",
                 .words = REGION_FORMATS,
                 .otherwise = "auto",
                 .help = "what that FILE is"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        FIELD(select.targets_format),
    },
    {
        .spec = {.name = "types",
                 .letter = 'v',
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "variants of these types: snps, indels, mnps, other, ref, bnd, overlap"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_LIST,
        FIELD(select.types),
    },
    {
        .spec = {.name = "exclude-types",
                 .letter = 'V',
                 .kind = OPTION_TEXT,
                 .argument = "LIST",
                 .help = "variants of no such type"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_LIST,
        FIELD(select.exclude_types),
    },
    {
        .spec = {.name = "include",
                 .letter = 'i',
                 .kind = OPTION_TEXT,
                 .argument = "EXPRESSION",
                 .help = "variants for which it is true"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_EXPRESSION,
        FIELD(select.include),
    },
    {
        .spec = {.name = "exclude",
                 .letter = 'e',
                 .kind = OPTION_TEXT,
                 .argument = "EXPRESSION",
                 .help = "variants for which it is not"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        .once = JOIN_EXPRESSION,
        FIELD(select.exclude),
    },
    {
        .spec = {.name = "follow-links",
                 .kind = OPTION_SWITCH,
                 .help = "follow links in the store that lead out of it"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        FIELD(follow_links),
    },
    {
        .spec = {.name = "absent-chunks",
                 .kind = OPTION_WORD,
                 .argument = "WHAT",
                 .words = {"error", "fill"},
                 .otherwise = "error",
                 .help = "of chunks that are not stored, and cannot be what they would read as: "
                         "refuse them, or take the fill value"},
        .commands = OF_VIEW,
        .section = IN_SELECTION,
        FIELD(absent_chunks),
    },
    {
        .spec = {.name = "background",
                 .kind = OPTION_SWITCH,
                 .help = "return when the mount is ready"},
        .commands = OF_MOUNT,
        .section = IN_MOUNT,
        FIELD(background),
    },
    {
        .spec = {.name = "allow-other",
                 .kind = OPTION_SWITCH,
                 .help = "let other users in (/etc/fuse.conf must permit it)"},
        .commands = OF_MOUNT,
        .section = IN_MOUNT,
        FIELD(allow_other),
    },
    {
        .spec = {.name = "error-if-empty",
                 .kind = OPTION_SWITCH,
                 .help = "that no variant is left is an error, not a warning"},
        .commands = OF_MOUNT,
        .section = IN_MOUNT,
        FIELD(error_if_empty),
    },
    {
        .spec = {.name = "read-timeout",
                 .kind = OPTION_NUMBER,
                 .least = 1,
                 .most = 86400,
                 .argument = "SECONDS",
                 .otherwise = "30",
                 .help = "a read that takes longer fails"},
        .commands = OF_MOUNT,
        .section = IN_MOUNT,
        FIELD(read_timeout),
    },
    {
        .spec = {.name = "access-log",
                 .kind = OPTION_TEXT,
                 .argument = "FILE",
                 .help = "append one JSON object for each open, read, ..."},
        .commands = OF_MOUNT,
        .section = IN_MOUNT,
        FIELD(access_log),
    },
    {
        .spec = {OPTION_MEMORY, .help = "what it may use, e.g. 512M or 2G"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(memory),
    },
    {
        .spec = {OPTION_THREADS, .help = "workers"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(threads),
    },
    {
        .spec = {.name = "encoder",
                 .kind = OPTION_TEXT,
                 .argument = "PATH",
                 .otherwise_said = "vczfs-encoderd beside vczfs, then in " VCZFS_LIBEXECDIR,
                 .help = "this program"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(encoder),
    },
    {
        .spec = {.name = "encoder-socket",
                 .kind = OPTION_TEXT,
                 .argument = "PATH",
                 .help = "connect to one that runs already and listens there"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(encoder_socket),
    },
    {
        .spec = {.name = "encoder-user",
                 .kind = OPTION_TEXT,
                 .argument = "USER",
                 .help = "who runs it, if neither root nor you"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(encoder_user),
    },
    {
        .spec = {.name = "no-sandbox",
                 .kind = OPTION_SWITCH,
                 .help = "let it keep every right its user has, for debugging"},
        .commands = OF_VIEW,
        .section = IN_ENCODER,
        FIELD(no_sandbox),
    },
    {
        .spec = {OPTION_LOG_LEVEL, .otherwise_said = "warning; info with --log-file",
                 .help = "how much is said"},
        .commands = OF_VIEW,
        .section = IN_LOG,
        FIELD(log_level_given),
    },
    {
        .spec = {.name = "log-file",
                 .kind = OPTION_TEXT,
                 .argument = "FILE",
                 .help = "append to FILE instead of writing to stderr"},
        .commands = OF_VIEW,
        .section = IN_LOG,
        FIELD(log_file),
    },
    {
        .spec = {.name = "help", .letter = 'h', .kind = OPTION_SWITCH, .help = "this text"},
        .commands = OF_ALL,
        .section = IN_LAST,
    },
    {
        .spec = {.name = "version", .kind = OPTION_SWITCH, .help = "the version"},
        .commands = OF_ALL,
        .section = IN_LAST,
    },
};

const struct option_entry *option_at(size_t i)
{
    return i < sizeof entries / sizeof entries[0] ? &entries[i] : NULL;
}

static unsigned bits_of(const struct command *command)
{
    switch (command->verb) {
    case VERB_MOUNT:
        return command->format == NULL ? OF_MOUNT | OF_MOUNT_SEVERAL : OF_MOUNT;
    case VERB_INFO:
        return OF_INFO;
    case VERB_UNMOUNT:
        return OF_UNMOUNT;
    case VERB_STATUS:
        return OF_STATUS;
    case VERB_HELP:
    case VERB_VERSION:
    case VERB_COMPLETION:
        break;
    }
    return 0;
}

struct listing {
    const struct command *command;
    unsigned bits;
    struct listed_option *out;
    size_t n;
};

static void list_one(struct listing *listing, const struct option_spec *spec,
                     const struct option_entry *entry, const char *heading)
{
    assert(listing->n < OPTIONS_MAX);
    listing->out[listing->n++] = (struct listed_option){spec, entry, heading};
}

static bool is_listed(const struct listing *listing, const struct option_spec *spec)
{
    for (size_t i = 0; i < listing->n; i++)
        if (strcmp(listing->out[i].spec->name, spec->name) == 0)
            return true;
    return false;
}

/* Lists the options that formats declare: those that several formats share, or those of one format
 * only. */
static void list_declared(struct listing *listing, bool shared)
{
    const struct declared_format *format;

    if ((listing->bits & OF_VIEW) == 0)
        return;
    for (size_t i = 0; (format = declared_at(i)) != NULL; i++) {
        if (listing->command->format != NULL && listing->command->format != format)
            continue;
        for (size_t j = 0; j < format->noptions; j++) {
            const struct option_spec *spec = &format->options[j];

            if (declared_is_shared(spec->name) == shared && !is_listed(listing, spec))
                list_one(listing, spec, NULL, shared ? headings[IN_VIEW] : format->title);
        }
    }
}

size_t option_list(const struct command *command, struct listed_option out[OPTIONS_MAX])
{
    struct listing listing = {.command = command, .bits = bits_of(command), .out = out};

    for (unsigned section = 0; section < SECTIONS; section++) {
        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
            if (entries[i].section == section && (entries[i].commands & listing.bits) != 0)
                list_one(&listing, &entries[i].spec, &entries[i],
                         (listing.bits & OF_VIEW) != 0 ? headings[section] : NULL);
        if (section == IN_VIEW || section == IN_FORMATS)
            list_declared(&listing, section == IN_VIEW);
    }
    return listing.n;
}
