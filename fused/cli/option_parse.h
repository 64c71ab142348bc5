/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_parse: the command line, taken apart by the table of options; nothing here touches the
 * system.
 */
#ifndef VCZFS_FUSED_OPTION_PARSE_H
#define VCZFS_FUSED_OPTION_PARSE_H

#include "fused/cli/options.h"

/* ERR_FORM with a message for the user when the line makes no sense. options_free in any case. */
int options_parse(int argc, char **argv, struct options *out, struct err *err);

#endif
