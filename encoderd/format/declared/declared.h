/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declared: what is declared of the output formats, for who asks. The front links this folder of
 * encoderd/format, and nothing else.
 */
#ifndef VCZFS_FORMAT_DECLARED_H
#define VCZFS_FORMAT_DECLARED_H

#include "common/option_setting.h"
#include "encoderd/format/declared/declaration.h"

#include <stdbool.h>

/* All of them: 0, 1, ...; NULL after the last. */
const struct declared_format *declared_at(size_t i);

/* By name, or NULL. */
const struct declared_format *declared_find(const char *name);

/* By name, without dashes; NULL if the format has no such option. */
const struct option_spec *declared_option(const struct declared_format *format, const char *name);

/* Several formats have this option, declared alike: who gives it gives it to each. */
bool declared_is_shared(const char *option);

/* ERR_FORM unless every setting is an option of a format that is shown, once, with a value that it
 * takes, and none excludes another. */
int declared_check(const struct option_setting *settings, size_t nsettings,
                   const char *const *formats, size_t nformats, struct err *err);

/* What the option of the format is set to, or what it is otherwise (0 if it is nothing). The
 * settings were checked, and the format has the option. */
uint64_t declared_value(const struct declared_format *format, const char *option,
                        const struct option_setting *settings, size_t nsettings);

#endif
