/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the encoder's command line. It is parsed by one table of options, from which the help is
 * made.
 */
#ifndef VCZFS_ENCODERD_OPTIONS_H
#define VCZFS_ENCODERD_OPTIONS_H

#include "common/log.h"
#include "encoderd/serve/server.h"

/* Strings are argv's. */
struct encoderd_options {
    struct server_config server;
    const char *listen;        /* NULL: not given */
    const char *bench, *store; /* what --bench measures; NULL: not given */
    uint64_t bench_bytes;
    const char *level; /* the word of log_level */
    enum log_level log_level;
    const char *log_file; /* NULL: stderr */
};

/* Returns -1 to continue, else the exit status: --help or --version was printed, or an error. */
int encoderd_options_parse(int argc, char **argv, struct encoderd_options *out);

/* Prints what is wrong with the command line; returns the exit status. */
int encoderd_usage(const char *what);

#endif
