/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declared: the declarations of the output formats. The front links this folder of encoderd/format,
 * and nothing else of it.
 */
#ifndef VCZFS_FORMAT_DECLARED_H
#define VCZFS_FORMAT_DECLARED_H

#include "common/option_setting.h"
#include "encoderd/format/declared/declaration.h"

#include <stdbool.h>

/* Format i: 0, 1, ...; NULL after the last. */
const struct declared_format *declared_at(size_t i);

/* By name, or NULL. */
const struct declared_format *declared_find(const char *name);

/* Finds an option by its name, without dashes; NULL if the format has no such option. */
const struct option_spec *declared_option(const struct declared_format *format, const char *name);

/* True if several formats declare this option, in the same way: the user then sets it for all of
 * them. */
bool declared_is_shared(const char *option);

/* ERR_FORM unless each setting is an option of a format that is shown, is given once, has an
 * accepted value, and is not excluded by another. */
int declared_check(const struct option_setting *settings, size_t nsettings,
                   const char *const *formats, size_t nformats, struct err *err);

/* The value of the format's option: the user's, or the default (0 if it has none). The settings
 * must be checked, and the format must have the option. */
uint64_t declared_value(const struct declared_format *format, const char *option,
                        const struct option_setting *settings, size_t nsettings);

#endif
