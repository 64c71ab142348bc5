/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_parse: parses the command line with the table of options. It does not touch the system.
 */
#ifndef VCZFS_FUSED_OPTION_PARSE_H
#define VCZFS_FUSED_OPTION_PARSE_H

#include "fused/cli/options.h"

/* ERR_FORM, with a message for the user, if the line is wrong. The caller calls options_free in any
 * case. */
int options_parse(int argc, char **argv, struct options *out, struct err *err);

#endif
