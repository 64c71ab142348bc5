/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer: the programs that read vczfs's files and whose limits vczfs knows.
 */
#ifndef VCZFS_COMMON_CONSUMER_H
#define VCZFS_COMMON_CONSUMER_H

enum consumer {
    CONSUMER_PLINK19,
    CONSUMER_PLINK2,
    CONSUMER_REGENIE,
    CONSUMER_SAIGE,
    CONSUMER_GCTA,
    CONSUMER_BOLT,
    CONSUMER_QCTOOL,
    CONSUMER_BGENIX,
    CONSUMERS, /* none of them */
};

/* "plink1.9", ...; static. */
const char *consumer_name(enum consumer consumer);

/* The consumer of this name; CONSUMERS if there is none. */
enum consumer consumer_find(const char *name);

/* Their names, in the order above. */
#define CONSUMER_WORDS "plink1.9", "plink2", "regenie", "saige", "gcta", "bolt", "qctool", "bgenix"

#endif
