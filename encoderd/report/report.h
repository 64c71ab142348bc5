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
 * Appends text (or one JSON object) to `out`: samples, variants, contigs with their counts, ploidy,
 * chunking, codecs, stored and decoded bytes of each array, and the size of each file of each
 * format. Reads variant_contig, reads the alleles' chunks only if a format needs them, and reads no
 * genotypes.
 */
int report_write(const struct vcz *vcz, const struct selection_options *options,
                 const struct format_options *formats, const struct pass_means *means, bool json,
                 struct buf *out, struct err *err);

#endif
