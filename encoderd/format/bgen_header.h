/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_header: what precedes the variants of a .bgen: its length, the header block and the sample
 * IDs.
 *
 * doc/FORMATS.md, "Out: BGEN". Half a million IDs take megabytes and are read once. So they are not
 * kept: their bytes are made for each read, and only the places of every few thousandth sample are
 * kept.
 */
#ifndef VCZFS_FORMAT_BGEN_HEADER_H
#define VCZFS_FORMAT_BGEN_HEADER_H

#include "encoderd/select/selection.h"

struct bgen_header {
    const struct selection *selection; /* borrowed */
    uint8_t fixed[32];                 /* everything before the samples */
    size_t nfixed;
    uint64_t nbytes; /* of everything */
    /* owned; NULL without samples. The byte of the header at which sample i × BGEN_MARK_EVERY
     * begins */
    uint64_t *marks;
};

#define BGEN_MARK_EVERY 4096

/* With or without the sample IDs. If the IDs cannot be written, the error says how to leave them
 * out. */
int bgen_header_init(struct bgen_header *header, const struct selection *selection, bool samples,
                     struct err *err);
void bgen_header_clear(struct bgen_header *header);

/* Writes the header's bytes [begin, end), end <= nbytes. Any thread. */
void bgen_header_write(const struct bgen_header *header, uint64_t begin, uint64_t end,
                       uint8_t *out);

#endif
