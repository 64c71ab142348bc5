/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: strings from a store in lines of text or messages.
 */
#ifndef VCZFS_VCZ_TEXT_H
#define VCZFS_VCZ_TEXT_H

#include "encoderd/zarr/chunk/chunk.h"

/* True if the string can be a column of a text file: it must not be empty, and must have no white
 * space (Unicode's too) and no control characters. The string must be UTF-8. */
bool text_is_column(const struct str *text);

bool text_equal(const struct str *a, const char *b);

/* For messages: the string in quotes, with control characters as \xNN; too long a string is cut and
 * ends in "...". Returns buf, which has TEXT_SHOW_MAX bytes. */
#define TEXT_SHOW_MAX 96
char *text_show(const struct str *text, char buf[TEXT_SHOW_MAX]);

#endif
