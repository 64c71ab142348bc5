/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the command line, taken apart and checked; nothing here touches the system.
 */
#ifndef VCZFS_FUSED_CLI_OPTIONS_H
#define VCZFS_FUSED_CLI_OPTIONS_H

#include "common/log.h"
#include "fused/cli/select_options.h"
#include "proto/proto.h"

enum verb {
    VERB_HELP,
    VERB_VERSION,
    VERB_MOUNT, /* every format, or those of --formats */
    VERB_MOUNT_PLINK,
    VERB_MOUNT_BGEN,
    VERB_UNMOUNT,
    VERB_STATUS,
    VERB_INFO,
};

struct options {
    enum verb verb;
    enum verb help_about; /* VERB_HELP: the verb asked about, or VERB_HELP for all */

    const char *store; /* as typed; strings are argv's unless said */
    const char *dir;

    char *basename;                         /* owned */
    const char *formats[PROTO_FORMATS_MAX]; /* into formats_text, or constants */
    size_t nformats;
    char *formats_text; /* of --formats, cut into words; owned; NULL: not given */

    bool no_bim, no_fam;
    bool fid_zero;
    uint64_t autosomes; /* 0: a human's */
    bool no_bgi, no_sample_file, no_header_samples, phased, unphased, haploid, id_in_varid;
    uint64_t total_string_length;      /* 0: the default */
    uint64_t pad_byte;                 /* 0: the default */
    uint64_t min_alleles, max_alleles; /* 0: no limit */
    struct select_options select;
    bool follow_links, absent_fill;

    bool background, allow_other;
    bool error_if_empty;    /* no variant is left: an error */
    const char *access_log; /* NULL: none */
    unsigned read_timeout;  /* seconds, > 0 */

    uint64_t memory; /* bytes */
    unsigned threads;
    const char *encoder, *encoder_socket; /* NULL: not given */
    const char *encoder_user;             /* NULL: not given */
    bool no_sandbox;

    enum log_level log_level;
    const char *log_file; /* NULL: stderr */

    bool lazy, if_dead;   /* unmount */
    bool json;            /* info, status */
    unsigned since;       /* status: seconds, > 0 */
    bool check;           /* info */
    const char *consumer; /* info --for; NULL: not given */
};

/* ERR_USAGE with a message for the user when the line makes no sense. options_free in any case. */
int options_parse(int argc, char **argv, struct options *out, struct err *err);
void options_free(struct options *opt);

/* What the encoder has to be told. Borrows opt's strings. */
void options_view(const struct options *opt, struct view_options *out);

/* The default --basename: the last component of the path without .zip, then without .vcz and .zarr.
 * Owned by the caller; NULL if nothing that can name a file is left. */
char *options_basename(const char *store);

/* The help text about one verb, or, for VERB_HELP, the overview. */
const char *options_help(enum verb about);

/* The command's name as typed, for "try 'vczfs VERB --help'"; "" for none. */
const char *options_verb_name(enum verb verb);

#endif
