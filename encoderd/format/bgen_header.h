/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_header: what comes before the variants of a .bgen: its length, the header block and the
 * samples' IDs.
 *
 * doc/FORMATS.md, "Out: BGEN". Half a million IDs take megabytes and are read once, so their bytes
 * are made when somebody asks for them; kept is where every few thousandth sample begins.
 */
#ifndef VCZFS_FORMAT_BGEN_HEADER_H
#define VCZFS_FORMAT_BGEN_HEADER_H

#include "encoderd/select/selection.h"

struct bgen_header {
    const struct selection *selection; /* borrowed */
    uint8_t fixed[32];                 /* all that is before the samples */
    size_t nfixed;
    uint64_t nbytes; /* of everything */
    uint64_t *marks; /* owned; NULL without samples. Byte of the header at which sample i ×
                        BGEN_MARK_EVERY begins */
};

#define BGEN_MARK_EVERY 4096

/* With the samples' IDs or without. An error says how to do without them, if that is what cannot
 * be. */
int bgen_header_init(struct bgen_header *header, const struct selection *selection, bool samples,
                     struct err *err);
void bgen_header_clear(struct bgen_header *header);

/* Its bytes [begin, end), end <= nbytes. Any thread. */
void bgen_header_write(const struct bgen_header *header, uint64_t begin, uint64_t end,
                       uint8_t *out);

#endif
