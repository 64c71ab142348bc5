/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/declared/each.h"

static const struct option_spec options[] = {
    DECLARED_FID,
    {
        .name = "no-bgi",
        .kind = OPTION_SWITCH,
        .help = "leave the index out (it is made when it is first looked at)",
    },
    {
        .name = "no-sample-file",
        .kind = OPTION_SWITCH,
        .help = "leave the .sample out",
    },
    {
        .name = "no-header-samples",
        .kind = OPTION_SWITCH,
        .help = "no sample IDs in the .bgen",
    },
    {
        .name = "phased",
        .kind = OPTION_SWITCH,
        .excludes = "unphased",
        .help = "show phase: a variant is phased if every shown call is",
    },
    {
        .name = "unphased",
        .kind = OPTION_SWITCH,
        .excludes = "phased",
        .help = "show no phase (the default)",
    },
    {
        .name = "haploid",
        .kind = OPTION_SWITCH,
        .help = "show haploid calls as haploid, not as homozygous ones",
    },
    {
        .name = "variant-id-field",
        .kind = OPTION_WORD,
        .argument = "F",
        .words = {"rsid", "varid"},
        .otherwise = "rsid",
        .help = "where a variant's ID goes",
    },
    {
        .name = "total-string-length",
        .kind = OPTION_NUMBER,
        .least = 1,
        .most = UINT32_MAX / 4, /* with the four lengths it still fits a length field of BGEN */
        .argument = "N",
        .otherwise_said = "64, or what the longest need",
        .help = "bytes for a variant's contig, ID, alleles and padding",
    },
    {
        .name = "pad-byte",
        .kind = OPTION_CHARACTER,
        .least = '!',
        .most = '~',
        .argument = "C",
        .otherwise = ".",
        .help = "what padding is made of",
    },
};

const struct declared_format declared_bgen = {
    .name = "bgen",
    .title = "BGEN",
    .shown = "a BGEN file with its sample file and its index",
    .suffixes = {".bgen", ".sample", ".bgen.bgi"},
    .options = options,
    .noptions = sizeof options / sizeof options[0],
};
