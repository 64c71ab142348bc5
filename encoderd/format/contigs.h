/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contigs: the contigs that a view shows, each judged once for all of its variants.
 */
#ifndef VCZFS_FORMAT_CONTIGS_H
#define VCZFS_FORMAT_CONTIGS_H

#include "encoderd/format/chromosome.h"
#include "encoderd/format/misread.h"
#include "encoderd/select/pass.h"

struct contig_facts {
    struct chromosome chromosome; /* code −1 and the store's own name unless codes are asked for */
    const char *why;              /* why it cannot be shown; NULL: it can */
};

struct contigs {
    const struct vcz *vcz;
    struct contig_facts *facts; /* owned; one for each contig of the store */
    uint8_t *used;              /* owned; likewise: has a variant that is shown */
};

/* contigs_clear at the end, also if it failed. */
int contigs_init(struct contigs *contigs, const struct vcz *vcz, enum misread_place place,
                 struct err *err);

/* PLINK's codes instead of the store's names; nautosomes as for chromosome_of. */
void contigs_give_codes(struct contigs *contigs, unsigned nautosomes);

/* What is known of the contig of a site that is shown. Any thread. */
const struct contig_facts *contigs_use(struct contigs *contigs, const struct site *site);

/* ERR_DATA: two contigs that are used have the same code; names both. */
int contigs_check_codes(const struct contigs *contigs, struct err *err);

/* A notice about those used that REGENIE and BOLT-LMM take for chromosomes. */
void contigs_notice(const struct contigs *contigs, const char *file, struct notices *notices);

void contigs_clear(struct contigs *contigs);

#endif
