/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regions: places on contigs, from --regions and --targets and their files.
 */
#ifndef VCZFS_SELECT_REGIONS_H
#define VCZFS_SELECT_REGIONS_H

#include "common/option_file.h"
#include "encoderd/vcz/vcz.h"

/* Positions first..last on a contig, 1-based, both included. */
struct region {
    uint64_t contig;
    int64_t first, last;
};

struct regions {
    struct region *items; /* owned; sorted by contig and position; they neither overlap nor touch */
    size_t n, cap;
    size_t *contig_begin; /* owned; items of contig c: [contig_begin[c], contig_begin[c + 1]) */
};

/* "chr1", "chr1:5", "chr1:5-", "chr1:5-9", "{HLA-A*01:01}:5-9", comma-separated. A contig that the
 * store lacks is an error; `option` names the option in messages. */
int regions_parse_list(const struct vcz *vcz, const char *list, const char *option,
                       struct regions *out, struct err *err);

/* The file may be compressed (unpack.h). */
int regions_parse_file(const struct vcz *vcz, const struct option_file *file,
                       enum region_format format, const char *option, struct regions *out,
                       struct err *err);
void regions_free(struct regions *regions);

/* Does any region meet first..last? */
bool regions_meet(const struct regions *regions, uint64_t contig, int64_t first, int64_t last);

#endif
