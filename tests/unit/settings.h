/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: options of formats, set by tests.
 */
#ifndef VCZFS_TESTS_SETTINGS_H
#define VCZFS_TESTS_SETTINGS_H

#include "encoderd/format/each.h"
#include "proto/proto.h"

#include <string.h>

/* NULL if the option is not set. */
static inline struct option_setting *setting_of(struct view_options *view, const char *format,
                                                const char *key)
{
    for (size_t i = 0; i < view->nsettings; i++)
        if (strcmp(view->settings[i].format, format) == 0 &&
            strcmp(view->settings[i].key, key) == 0)
            return &view->settings[i];
    return NULL;
}

/* In place of what it was; value "" of a switch. Strings are borrowed. */
static inline void set(struct view_options *view, const char *format, const char *key,
                       const char *value)
{
    struct option_setting *setting = setting_of(view, format, key);

    if (setting == NULL)
        setting = &view->settings[view->nsettings++];
    *setting = (struct option_setting){format, key, value};
}

/* The same as formats have it: {.settings = SETTINGS({"plink", "no-bim", ""}), .nsettings = 1}. */
#define SETTINGS(...)                                                                              \
    (const struct option_setting[])                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#endif
