/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/declared/each.h"

static const struct option_spec options[] = {
    DECLARED_FID,
    {
        .name = "no-bim",
        .kind = OPTION_SWITCH,
        .help = "leave the .bim out",
    },
    {
        .name = "no-fam",
        .kind = OPTION_SWITCH,
        .help = "leave the .fam out",
    },
    {
        .name = "chr-set",
        .kind = OPTION_NUMBER,
        .least = 1,
        .most = 95, /* plink2's limit */
        .argument = "N",
        .otherwise_said = "human, 22",
        .help = "a species with N pairs of autosomes, as for plink2",
    },
};

const struct declared_format declared_plink = {
    .name = "plink",
    .title = "PLINK 1",
    .shown = "a PLINK 1 fileset",
    .suffixes = {".bed", ".bim", ".fam"},
    .options = options,
    .noptions = sizeof options / sizeof options[0],
};
