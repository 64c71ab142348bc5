/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each: declares declared_plink and so on, for code that means one format. It changes with the list
 * of formats. Code that uses declared_at and declared_find need not include it.
 */
#ifndef VCZFS_FORMAT_DECLARED_EACH_H
#define VCZFS_FORMAT_DECLARED_EACH_H

#include "encoderd/format/declared/declaration.h"

#define FORMAT(name) extern const struct declared_format declared_##name;
#include "encoderd/format/declared/list.h"
#undef FORMAT

#endif
