/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each: declares format_plink and so on, for code that means one format; as declared/each.h.
 */
#ifndef VCZFS_FORMAT_EACH_H
#define VCZFS_FORMAT_EACH_H

#include "encoderd/format/declared/each.h"
#include "encoderd/format/format.h"

#define FORMAT(name) extern const struct format format_##name;
#include "encoderd/format/declared/list.h"
#undef FORMAT

#endif
