/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_parse: what lists (region_list.c) and files (region_file.c) of regions have in common.
 */
#ifndef VCZFS_SELECT_REGION_PARSE_H
#define VCZFS_SELECT_REGION_PARSE_H

#include "encoderd/select/names.h"
#include "encoderd/select/regions.h"

/* What is being parsed, for messages and lookups. */
struct region_parse {
    const struct vcz *vcz;
    const char *option;
    struct names contigs; /* owned */
    struct regions *out;
    struct err *err;
};

int region_parse_begin(struct region_parse *parse);
/* rc is how parsing went: 0 makes *out ready, else it is freed. Returns rc, or -1. */
int region_parse_end(struct region_parse *parse, int rc);

int region_add(const struct region_parse *parse, uint64_t contig, int64_t first, int64_t last);

/* ERR_USAGE that names those that the store has, for one that it lacks. */
int region_contig(const struct region_parse *parse, const char *at, size_t len, uint64_t *out);

/* A whole number as htslib takes them: "1000", "1e3", "1.5k", "2M"; *at moves behind it. */
bool region_position(const char **at, const char *end, int64_t *out);

#endif
