/* SPDX-License-Identifier: Apache-2.0 */
/* The declaration of a format that no program reads: see toy.c. */
#include "encoderd/format/declared/each.h"

static const struct option_spec options[] = {
    DECLARED_FID,
    {
        .name = "toy-missing",
        .kind = OPTION_CHARACTER,
        .least = '!',
        .most = '~',
        .argument = "C",
        .otherwise = ".",
        .help = "what stands for a missing call",
    },
    {
        .name = "no-toys",
        .kind = OPTION_SWITCH,
        .help = "leave the .toys out",
    },
};

const struct declared_format declared_toy = {
    .name = "toy",
    .title = "TOY",
    .shown = "a matrix of digits with its samples",
    .suffixes = {".toy", ".toys"},
    .options = options,
    .noptions = sizeof options / sizeof options[0],
};
