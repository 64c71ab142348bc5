/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: finding strings of a store (contigs, samples) by their text.
 */
#ifndef VCZFS_SELECT_NAMES_H
#define VCZFS_SELECT_NAMES_H

#include "common/err.h"
#include "encoderd/zarr/chunk/chunk.h"

struct names {
    const struct str *items; /* borrowed */
    uint64_t n;
    uint64_t *order; /* owned; items in order of their text */
};

int names_init(struct names *names, const struct str *items, uint64_t n, struct err *err);
void names_free(struct names *names);

/* Its number, or names->n if there is none. */
uint64_t names_find(const struct names *names, const char *at, size_t len);

int names_compare(const struct str *a, const struct str *b);

#endif
