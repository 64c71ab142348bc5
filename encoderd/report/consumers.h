/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumers: what a program that reads a view would refuse or take wrongly in it.
 *
 * What `vczfs info --for PROGRAM` says. Each thing it says was seen in a run of that program, or
 * stands in its source: doc/CONSUMERS.md has the evidence line by line, and
 * tests/e2e/test_consumers.py holds the two together.
 */
#ifndef VCZFS_REPORT_CONSUMERS_H
#define VCZFS_REPORT_CONSUMERS_H

#include "common/buf.h"
#include "common/consumer.h"
#include "encoderd/format/format.h"
#include "encoderd/select/selection_open.h"

/*
 * Appends a line for each thing that `consumer` minds in the view that the options ask for, or one
 * that says that nothing is known; or one JSON object. Two passes over the sites, as a mount makes
 * them, for each format that the program reads; no genotypes, unless look_at_calls asks whether
 * haploid calls are among them.
 */
int consumers_write(const struct vcz *vcz, const struct selection_options *options,
                    const struct format_options *formats, const struct pass_means *means,
                    enum consumer consumer, bool look_at_calls, bool json, struct buf *out,
                    struct err *err);

#endif
