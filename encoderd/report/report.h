/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what `vczfs info` prints about a store.
 */
#ifndef VCZFS_REPORT_REPORT_H
#define VCZFS_REPORT_REPORT_H

#include "common/buf.h"
#include "encoderd/format/format.h"
#include "encoderd/select/selection_open.h"

/*
 * Appends text (or one JSON object) to out: samples, variants, contigs with counts, ploidy,
 * chunking, codecs, bytes stored against decoded by array, and the size each file of each format
 * would have. Reads variant_contig, the alleles' chunks only where a format needs them, and no
 * genotypes.
 */
int report_write(const struct vcz *vcz, const struct selection_options *options,
                 const struct format_options *formats, const struct pass_means *means, bool json,
                 struct buf *out, struct err *err);

#endif
