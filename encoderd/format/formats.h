/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formats: all output formats, in the order in which a view shows them.
 */
#ifndef VCZFS_FORMAT_FORMATS_H
#define VCZFS_FORMAT_FORMATS_H

#include "encoderd/format/format.h"

/* By name, or NULL. */
const struct format *format_find(const char *name);

/* Format i: 0, 1, ...; NULL after the last. */
const struct format *format_at(size_t i);

#endif
