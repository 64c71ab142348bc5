/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumers: what a given program would refuse or misread in a view.
 *
 * This is what `vczfs info --for PROGRAM` prints. Each statement was seen in a run of that program,
 * or follows from its source: doc/CONSUMERS.md has the evidence line by line, and
 * tests/e2e/test_consumers.py holds the two together.
 */
#ifndef VCZFS_REPORT_CONSUMERS_H
#define VCZFS_REPORT_CONSUMERS_H

#include "common/buf.h"
#include "common/consumer.h"
#include "encoderd/format/format.h"
#include "encoderd/select/selection_open.h"

/*
 * Appends a line for each thing that `consumer` refuses or misreads in the view that the options
 * select, or one line that nothing is known; or one JSON object. Makes two passes over the sites,
 * as a mount does, for each format that the program reads. Reads no genotypes, unless look_at_calls
 * asks whether there are haploid calls.
 */
int consumers_write(const struct vcz *vcz, const struct selection_options *options,
                    const struct format_options *formats, const struct pass_means *means,
                    enum consumer consumer, bool look_at_calls, bool json, struct buf *out,
                    struct err *err);

#endif
