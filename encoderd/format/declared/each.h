/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each: declared_plink and so on, for who means one. It changes with the list of formats; who goes
 * by declared_at and declared_find does not.
 */
#ifndef VCZFS_FORMAT_DECLARED_EACH_H
#define VCZFS_FORMAT_DECLARED_EACH_H

#include "encoderd/format/declared/declaration.h"

#define FORMAT(name) extern const struct declared_format declared_##name;
#include "encoderd/format/declared/list.h"
#undef FORMAT

#endif
