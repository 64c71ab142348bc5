/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer_rule: one rule about what a program refuses or misreads, and the facts that rules look
 * at.
 */
#ifndef VCZFS_REPORT_CONSUMER_RULE_H
#define VCZFS_REPORT_CONSUMER_RULE_H

#include "common/buf.h"
#include "common/consumer.h"
#include "encoderd/format/format.h"
#include "encoderd/report/survey.h"

#define PROGRAM(consumer) (1u << (consumer))
#define PLINK19           PROGRAM(CONSUMER_PLINK19)
#define PLINK2            PROGRAM(CONSUMER_PLINK2)
#define REGENIE           PROGRAM(CONSUMER_REGENIE)
#define SAIGE             PROGRAM(CONSUMER_SAIGE)
#define GCTA              PROGRAM(CONSUMER_GCTA)
#define BOLT              PROGRAM(CONSUMER_BOLT)
#define QCTOOL            PROGRAM(CONSUMER_QCTOOL)
#define BGENIX            PROGRAM(CONSUMER_BGENIX)

enum verdict { REFUSES, MISREADS, LEAVES_OUT, DOES_NOT_GET };

#define AS_PLINK 1u
#define AS_BGEN  2u
#define NFORMATS 2

/* Everything that rules look at. */
struct look {
    const struct vcz *vcz;
    const struct format_options *formats;
    /* Of these: .bim; .sample; .bgen. */
    unsigned nautosomes;
    bool fid_zero;
    bool phased, haploid;
    struct selection selection;
    struct survey survey;
    bool calls_known;
    uint64_t nhaploid; /* variants with haploid calls, if calls_known */
    bool refused[NFORMATS];
    struct err why[NFORMATS];
};

/* How a program reads a contig's name. */
struct contig_reading {
    int number; /* of the chromosome; 0 if it has none */
    enum { TAKEN, REFUSED, MISTAKEN, LEFT_OUT } how;
};

struct consumer_rule {
    unsigned programs;
    enum verdict verdict;
    unsigned format; /* the format (AS_...) that the rule is about */
    const char *files;
    /* Returns whether the rule applies to the view; if so, appends to `said` what was found. */
    bool (*holds)(const struct look *look, const struct consumer_rule *rule, struct buf *said);
    const char *why;      /* what the program does about it, and the cure */
    const char *evidence; /* doc/CONSUMERS.md */
    struct contig_reading (*reads)(const struct str *contig);
    uint64_t limit;
};

#endif
