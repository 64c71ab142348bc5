/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: strings from a store that go into lines of text or messages.
 */
#ifndef VCZFS_VCZ_TEXT_H
#define VCZFS_VCZ_TEXT_H

#include "encoderd/zarr/chunk/chunk.h"

/* Can the string be one column of a text file: not empty, and free of white space (Unicode's too)
 * and of control characters? The string must be UTF-8. */
bool text_is_column(const struct str *text);

bool text_equal(const struct str *a, const char *b);

/* For messages: quoted, control characters as \xNN, cut short with "..." when it does not fit.
 * Returns buf, which has TEXT_SHOW_MAX bytes. */
#define TEXT_SHOW_MAX 96
char *text_show(const struct str *text, char buf[TEXT_SHOW_MAX]);

#endif
