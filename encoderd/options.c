/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/options.h"

#include "common/option_help.h"
#include "common/version.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char usage_begin[] =
    "Usage: vczfs-encoderd [OPTIONS] --listen PATH\n"
    "       vczfs-encoderd [OPTIONS] --bench FILE STORE\n"
    "The encoder of vczfs: reads VCF Zarr stores and answers a vczfs front. vczfs starts one by\n"
    "itself; run it by hand to watch it (strace, gdb), or from a service manager, and give vczfs\n"
    "the same PATH with --encoder-socket.\n"
    "\n";

/* An option and the field that it sets; --help and --version set none. */
struct encoderd_option {
    struct option_spec spec;
    size_t at, nbytes;
};

#define FIELD(field)                                                                               \
    offsetof(struct encoderd_options, field), sizeof(((struct encoderd_options *)0)->field)

static const struct encoderd_option table[] = {
    {{.name = "listen",
      .kind = OPTION_TEXT,
      .argument = "PATH",
      .help = "serve every front that connects to this socket, a process for each"},
     FIELD(listen)},
    {{OPTION_MEMORY, .help = "memory for spans and decoding, each process"}, FIELD(server.memory)},
    {{OPTION_THREADS, .help = "decoding threads, each process"}, FIELD(server.nthreads)},
    {{.name = "no-sandbox",
      .kind = OPTION_SWITCH,
      .help = "keep every right its user has, for debugging"},
     FIELD(server.no_sandbox)},
    {{OPTION_LOG_LEVEL, .otherwise = "info", .help = "how much is said"}, FIELD(level)},
    {{.name = "log-file",
      .kind = OPTION_TEXT,
      .argument = "FILE",
      .help = "append the log to FILE instead of stderr"},
     FIELD(log_file)},
    {{.name = "bench",
      .kind = OPTION_TEXT,
      .argument = "FILE",
      .help = "encode the large file of the store that follows to nowhere, and say what it took, "
              "as JSON; FILE is a format, or what its file ends in, such as .bed"},
     FIELD(bench)},
    {{.name = "bench-bytes", .kind = OPTION_SIZE, .argument = "SIZE", .help = "stop after so many"},
     FIELD(bench_bytes)},
    {{.name = "help", .letter = 'h', .kind = OPTION_SWITCH, .help = "this text"}, 0, 0},
    {{.name = "version", .letter = 'V', .kind = OPTION_SWITCH, .help = "the version"}, 0, 0},
};

#define NOPTIONS (sizeof table / sizeof table[0])

int encoderd_usage(const char *what)
{
    fprintf(stderr, "vczfs-encoderd: %s\nTry 'vczfs-encoderd --help'.\n", what);
    return 2;
}

static int print_help(void)
{
    struct buf out = {0};
    bool ok;

    buf_append_str(&out, usage_begin);
    for (size_t i = 0; i < NOPTIONS; i++)
        help_put_option(&out, &table[i].spec, NULL);
    ok = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len;
    buf_free(&out);
    return ok ? 0 : 1;
}

static int answer(const struct encoderd_option *option)
{
    if (strcmp(option->spec.name, "help") == 0)
        return print_help();
    puts("vczfs-encoderd " VCZFS_VERSION);
    return 0;
}

static int take_option(const struct encoderd_option *option, const char *text,
                       struct encoderd_options *out)
{
    struct err err;
    uint64_t value;

    if (option_value(&option->spec, text, &value, &err) != 0)
        return encoderd_usage(err.msg);
    option_store(&option->spec, text, value, option->nbytes, (char *)out + option->at);
    return -1;
}

static int take_operands(int argc, char **argv, struct encoderd_options *out)
{
    struct err err;

    if (out->bench != NULL && optind == argc)
        return encoderd_usage("--bench wants a file, such as .bed, and a store");
    if (out->bench != NULL)
        out->store = argv[optind++];
    if (optind == argc)
        return -1;
    err_set(&err, ERR_FORM, "unexpected argument '%s'", argv[optind]);
    return encoderd_usage(err.msg);
}

static void set_defaults(struct encoderd_options *out)
{
    *out = (struct encoderd_options){.bench_bytes = UINT64_MAX};
    for (size_t i = 0; i < NOPTIONS; i++)
        if (table[i].spec.otherwise != NULL)
            take_option(&table[i], table[i].spec.otherwise, out);
    out->server.nthreads = option_threads();
}

static const struct encoderd_option *find_option(int id)
{
    if (id < (int)NOPTIONS)
        return &table[id];
    for (size_t i = 0; i < NOPTIONS; i++)
        if (table[i].spec.letter == id)
            return &table[i];
    return NULL;
}

int encoderd_options_parse(int argc, char **argv, struct encoderd_options *out)
{
    struct option longs[NOPTIONS + 1] = {0};
    int id, status = -1;

    for (size_t i = 0; i < NOPTIONS; i++)
        longs[i] = (struct option){
            table[i].spec.name,
            table[i].spec.kind == OPTION_SWITCH ? no_argument : required_argument, NULL, (int)i};
    set_defaults(out);
    while (status < 0 && (id = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        const struct encoderd_option *option = find_option(id);

        if (option == NULL) {
            fputs("Try 'vczfs-encoderd --help'.\n", stderr);
            return 2;
        }
        status = option->nbytes == 0 ? answer(option) : take_option(option, optarg, out);
    }
    if (status >= 0)
        return status;
    log_level_parse(out->level, &out->log_level);
    return take_operands(argc, argv, out);
}
