/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types: the type of variant that an ALT allele makes with its REF allele, as in bcftools.
 */
#ifndef VCZFS_SELECT_TYPES_H
#define VCZFS_SELECT_TYPES_H

#include "common/err.h"
#include "encoderd/zarr/chunk/chunk.h"

enum variant_type {
    TYPE_REF = 1 << 0, /* a site without any variation */
    TYPE_SNP = 1 << 1,
    TYPE_MNP = 1 << 2,
    TYPE_INDEL = 1 << 3,
    TYPE_OTHER = 1 << 4,
    TYPE_BND = 1 << 5,
    TYPE_OVERLAP = 1 << 6,
};

/* The type of one ALT allele. */
enum variant_type types_of_allele(const struct str *ref, const struct str *alt);

/* The types of all ALT alleles together; TYPE_REF only if there is no other. alleles[0] is REF. */
unsigned types_of_site(const struct str *alleles, unsigned nalleles);

/* "snp", "snps", "indel", ... in any case; 0 for anything else. */
unsigned types_named(const char *name, size_t len);

/* "snps,indels". ERR_USAGE names `option` and the known types. */
int types_parse(const char *list, const char *option, unsigned *out, struct err *err);

#endif
