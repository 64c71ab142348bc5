/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contigs: the contigs that a view shows. Each is judged once, for all of its variants.
 */
#ifndef VCZFS_FORMAT_CONTIGS_H
#define VCZFS_FORMAT_CONTIGS_H

#include "encoderd/format/chromosome.h"
#include "encoderd/format/misread.h"
#include "encoderd/select/pass.h"

struct contig_facts {
    struct chromosome chromosome; /* code −1 and the store's own name, unless codes are asked for */
    const char *why;              /* why it cannot be shown; NULL if it can */
};

struct contigs {
    const struct vcz *vcz;
    struct contig_facts *facts; /* owned; one for each contig of the store */
    uint8_t *used;              /* owned; likewise: true if it has a variant that is shown */
};

/* Call contigs_clear at the end, also if this failed. */
int contigs_init(struct contigs *contigs, const struct vcz *vcz, enum misread_place place,
                 struct err *err);

/* Uses PLINK's codes instead of the store's names; nautosomes as for chromosome_of. */
void contigs_give_codes(struct contigs *contigs, unsigned nautosomes);

/* The facts about the contig of a site that is shown; marks it as used. Any thread. */
const struct contig_facts *contigs_use(struct contigs *contigs, const struct site *site);

/* ERR_DATA if two used contigs have the same code; the message names both. */
int contigs_check_codes(const struct contigs *contigs, struct err *err);

/* Adds a notice about the used contigs that REGENIE and BOLT-LMM mistake for chromosomes. */
void contigs_notice(const struct contigs *contigs, const char *file, struct notices *notices);

void contigs_clear(struct contigs *contigs);

#endif
