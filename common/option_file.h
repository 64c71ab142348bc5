/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_file: a text file that an option names, with its contents.
 *
 * The front reads the file: the encoder may not be able to. Depends on nothing but the C library,
 * so either program may link it.
 */
#ifndef VCZFS_COMMON_OPTION_FILE_H
#define VCZFS_COMMON_OPTION_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct option_file {
    const char *name; /* as the user gave it, a leading '^' included: for messages and ".bed" */
    const char *text; /* not terminated; NULL: the option was not given */
    size_t len;
};

/* What the lines of a file of regions are, 1-based and inclusive unless said; '#' starts a
 * comment. */
enum region_format {
    REGION_AUTO, /* BED by the name (.bed, .bed.gz), VCF by its first line, else TAB */
    REGION_BED,  /* contig, first, last; first counts from 0, and last is not in it */
    REGION_TAB,  /* contig, first and, if the first line has a number there, last */
    REGION_VCF,  /* sites: contig, position */
};

/* "auto", "bed", "tab", "vcf"; false for anything else. */
bool region_format_named(const char *name, enum region_format *out);

/* The next line without its end ("\n" or "\r\n"); false after the last. *at starts at 0. */
struct option_line {
    const char *at;
    size_t len;
    size_t number; /* from 1 */
};
bool option_file_line(const struct option_file *file, size_t *at, struct option_line *line);

#endif
