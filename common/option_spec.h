/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_spec: the one description of an option, and the values that it takes.
 *
 * Parsing, help, completion and the checks of both programs are made from this description.
 */
#ifndef VCZFS_COMMON_OPTION_SPEC_H
#define VCZFS_COMMON_OPTION_SPEC_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_SWITCH,    /* takes no value: given or not */
    OPTION_NUMBER,    /* a whole number */
    OPTION_SIZE,      /* a number of bytes, such as 512M */
    OPTION_WORD,      /* one of a few words, in any case */
    OPTION_CHARACTER, /* one byte, from the character `least` to `most` */
    OPTION_TEXT,      /* anything; the code that uses it checks it */
};

#define OPTION_WORDS_MAX 9

struct option_spec {
    const char *name; /* "no-bim", of --no-bim */
    char letter;      /* 'm' of -m; 0: none */
    enum option_kind kind;
    uint64_t least, most; /* of a number or a character; a size has only a least */
    const char *words[OPTION_WORDS_MAX + 1];
    const char *argument;       /* what the help calls the value; NULL for a switch */
    const char *otherwise;      /* the default; NULL: none */
    const char *otherwise_said; /* the default in words, if `otherwise` does not say it */
    const char *excludes;       /* name of an option that cannot be given with it, or NULL */
    const char *help;           /* what it does, without values and default */
};

/* Parses `text`: a number, a size, a character, the index of a word, 1 for a switch (which takes
 * NULL or ""), 0 for a text. ERR_FORM if the option does not take this value, with a message that
 * names the option and its values. */
int option_value(const struct option_spec *spec, const char *text, uint64_t *value,
                 struct err *err);

/* Stores a value in a variable of the right type: a bool for a switch; an integer of `nbytes` for a
 * number, a size or a character; a const char * for a word (the spec's) or a text (`text`). */
void option_store(const struct option_spec *spec, const char *text, uint64_t value, size_t nbytes,
                  void *variable);

/* Writes "auto, bed, tab or vcf" to out, which has room for it; returns out. */
#define OPTION_SAID_MAX 160
char *option_words(const struct option_spec *spec, char out[OPTION_SAID_MAX]);

/* The options that both programs have, without the help text. */
#define OPTION_MEMORY                                                                              \
    .name = "memory", .kind = OPTION_SIZE, .least = UINT64_C(16) << 20, .argument = "SIZE",        \
    .otherwise = "256M"
#define OPTION_THREADS_MAX 64
#define OPTION_THREADS                                                                             \
    .name = "threads", .kind = OPTION_NUMBER, .least = 1, .most = OPTION_THREADS_MAX,              \
    .argument = "N", .otherwise_said = "one per CPU"
#define OPTION_LOG_LEVEL                                                                           \
    .name = "log-level", .kind = OPTION_WORD, .argument = "LEVEL",                                 \
    .words = {"error", "warning", "info", "debug"}

/* The default of --threads. */
unsigned option_threads(void);

#endif
