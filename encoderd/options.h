/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the encoder's command line, parsed by one table of options, from which its help is made.
 */
#ifndef VCZFS_ENCODERD_OPTIONS_H
#define VCZFS_ENCODERD_OPTIONS_H

#include "common/log.h"
#include "encoderd/serve/server.h"

/* Strings are argv's. */
struct encoderd_options {
    struct server_config server;
    const char *listen;        /* NULL: not given */
    const char *bench, *store; /* --bench, and what it is about; NULL: not given */
    uint64_t bench_bytes;
    const char *level; /* the word of log_level */
    enum log_level log_level;
    const char *log_file; /* NULL: stderr */
};

/* -1 to go on, else the exit status: what was asked was said, or what is wrong. */
int encoderd_options_parse(int argc, char **argv, struct encoderd_options *out);

/* Says what is wrong with the command line; the exit status. */
int encoderd_usage(const char *what);

#endif
