/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the values of the command line, and whether they go together.
 */
#ifndef VCZFS_FUSED_OPTIONS_H
#define VCZFS_FUSED_OPTIONS_H

#include "common/log.h"
#include "fused/cli/command.h"
#include "fused/cli/select_options.h"
#include "proto/proto.h"

struct options {
    enum verb verb;
    /* The command, or with --help the command that help is wanted for; its name is "" for vczfs
     * itself. */
    struct command command;

    const char *store; /* as typed; strings are argv's or constants unless stated */
    const char *dir;

    const char *basename_given; /* NULL: not given */
    char *basename;             /* owned; NULL if the command shows no files */

    const char *formats_given;              /* NULL: not given */
    char *formats_text;                     /* the same, cut into words; owned */
    const char *formats[PROTO_FORMATS_MAX]; /* into formats_text, or constants */
    size_t nformats;
    bool formats_optional;
    struct option_setting settings[PROTO_SETTINGS_MAX]; /* of these formats */
    size_t nsettings;

    uint64_t min_alleles, max_alleles; /* 0: no limit */
    struct select_options select;
    bool follow_links;
    const char *absent_chunks; /* NULL: not given */

    bool background, allow_other;
    bool error_if_empty;    /* no variant is left: an error */
    const char *access_log; /* NULL: none */
    unsigned read_timeout;  /* seconds, > 0 */

    uint64_t memory; /* bytes */
    unsigned threads;
    const char *encoder, *encoder_socket; /* NULL: not given */
    const char *encoder_user;             /* NULL: not given */
    bool no_sandbox;

    const char *log_level_given; /* NULL: not given */
    enum log_level log_level;
    const char *log_file; /* NULL: stderr */

    bool lazy, if_dead;   /* unmount */
    bool json;            /* info, status */
    unsigned since;       /* status: seconds, > 0 */
    bool check;           /* info */
    const char *consumer; /* info --for; NULL: not given */
};

void options_free(struct options *opt);

/* The last step of options_parse. ERR_FORM if options do not go together. Otherwise sets what
 * depends on several options: the formats and their settings, the base name, the log level. */
int options_check(struct options *opt, struct err *err);

/* The view for the encoder. It borrows opt's strings. */
void options_view(const struct options *opt, struct view_options *out);

/* The default of --basename: the last component of the path without .zip, then without .vcz and
 * .zarr. Owned by the caller; NULL if what is left cannot name a file. */
char *options_basename(const char *store);

#endif
