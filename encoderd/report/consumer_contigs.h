/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer_contigs: how programs read the names of contigs.
 */
#ifndef VCZFS_REPORT_CONSUMER_CONTIGS_H
#define VCZFS_REPORT_CONSUMER_CONTIGS_H

#include "encoderd/report/consumer_rule.h"

/* Each function reads a name as the program in its name does. */
struct contig_reading regenie_reads(const struct str *contig);
struct contig_reading bolt_reads(const struct str *contig);
struct contig_reading gcta_reads_bim(const struct str *contig);
struct contig_reading gcta_reads_bgi(const struct str *contig);
struct contig_reading plink2_reads(const struct str *contig);
struct contig_reading plink19_reads(const struct str *contig);
struct contig_reading plink_counts(const struct str *contig);
struct contig_reading bgenix_finds(const struct str *contig);

/* Reads the contig's name as it is in the file that the rule is about. */
struct contig_reading read_contig(const struct look *look, const struct consumer_rule *rule,
                                  uint64_t contig);
void say_contig(struct buf *said, const struct str *name);

/* Rules about contigs that the program reads in some way. */
bool refused_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool mistaken_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool omitted_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said);

#endif
