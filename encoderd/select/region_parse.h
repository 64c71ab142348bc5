/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_parse: what is common to the parsers of lists (region_list.c) and of files (region_file.c)
 * of regions.
 */
#ifndef VCZFS_SELECT_REGION_PARSE_H
#define VCZFS_SELECT_REGION_PARSE_H

#include "encoderd/select/names.h"
#include "encoderd/select/regions.h"

/* The state of parsing, for messages and for finding contigs. */
struct region_parse {
    const struct vcz *vcz;
    const char *option;
    struct names contigs; /* owned */
    struct regions *out;
    struct err *err;
};

int region_parse_begin(struct region_parse *parse);
/* Ends parsing, whose result is rc: if 0, *out is made ready, else it is freed. Returns rc, or -1.
 */
int region_parse_end(struct region_parse *parse, int rc);

int region_add(const struct region_parse *parse, uint64_t contig, int64_t first, int64_t last);

/* ERR_USAGE if the store lacks the contig; the message names contigs that it has. */
int region_contig(const struct region_parse *parse, const char *at, size_t len, uint64_t *out);

/* A whole number as htslib reads them: "1000", "1e3", "1.5k", "2M". Moves *at behind it. */
bool region_position(const char **at, const char *end, int64_t *out);

#endif
