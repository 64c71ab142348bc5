/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_file: a text file that an option names, with its contents.
 *
 * The front reads the file, because the encoder may not be allowed to. Depends on nothing but the C
 * library, so that either program may link it.
 */
#ifndef VCZFS_COMMON_OPTION_FILE_H
#define VCZFS_COMMON_OPTION_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct option_file {
    const char *name; /* as the user typed it, with any leading '^'; for messages and REGION_AUTO */
    const char *text; /* not terminated; NULL: the option was not given */
    size_t len;
};

/* What the lines of a file of regions mean. Positions are 1-based and inclusive unless stated
 * otherwise; '#' starts a comment. */
enum region_format {
    REGION_AUTO, /* by name BED (.bed, .bed.gz), by first line VCF, else TAB */
    REGION_BED,  /* contig, first (0-based), last (exclusive) */
    REGION_TAB,  /* contig, first, and last if the first line has a number there */
    REGION_VCF,  /* sites: contig, position */
};

/* "auto", "bed", "tab", "vcf"; false for anything else. */
bool region_format_named(const char *name, enum region_format *out);

/* The next line without its end ("\n" or "\r\n"); false after the last one. Start with *at = 0. */
struct option_line {
    const char *at;
    size_t len;
    size_t number; /* from 1 */
};
bool option_file_line(const struct option_file *file, size_t *at, struct option_line *line);

#endif
