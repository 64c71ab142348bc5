/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/declared/declared.h"

#include "encoderd/format/declared/each.h"

#include <assert.h>
#include <string.h>

#define FORMAT(name) &declared_##name,
static const struct declared_format *const declared[] = {
#include "encoderd/format/declared/list.h"
};
#undef FORMAT

#define NDECLARED (sizeof declared / sizeof declared[0])

const struct declared_format *declared_at(size_t i)
{
    return i < NDECLARED ? declared[i] : NULL;
}

const struct declared_format *declared_find(const char *name)
{
    for (size_t i = 0; i < NDECLARED; i++)
        if (strcmp(declared[i]->name, name) == 0)
            return declared[i];
    return NULL;
}

const struct option_spec *declared_option(const struct declared_format *format, const char *name)
{
    for (size_t i = 0; i < format->noptions; i++)
        if (strcmp(format->options[i].name, name) == 0)
            return &format->options[i];
    return NULL;
}

bool declared_is_shared(const char *option)
{
    size_t n = 0;

    for (size_t i = 0; i < NDECLARED; i++)
        n += declared_option(declared[i], option) != NULL;
    return n > 1;
}

static bool is_shown(const char *name, const char *const *formats, size_t nformats)
{
    for (size_t i = 0; i < nformats; i++)
        if (strcmp(formats[i], name) == 0)
            return true;
    return false;
}

/* The setting of this option among the first n settings, or NULL. */
static const struct option_setting *find_setting(const struct option_setting *settings, size_t n,
                                                 const char *format, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(settings[i].format, format) == 0 && strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

static int check_setting(const struct option_setting *settings, size_t i, struct err *err)
{
    const struct option_setting *setting = &settings[i];
    const struct declared_format *format = declared_find(setting->format);
    const struct option_spec *spec = format == NULL ? NULL : declared_option(format, setting->key);
    uint64_t value;

    if (spec == NULL)
        return err_set(err, ERR_FORM, "the format '%s' has no option '--%s'", setting->format,
                       setting->key);
    if (find_setting(settings, i, setting->format, setting->key) != NULL)
        return err_set(err, ERR_FORM, "--%s was given twice", setting->key);
    if (spec->excludes != NULL &&
        find_setting(settings, i, setting->format, spec->excludes) != NULL)
        return err_set(err, ERR_FORM, "--%s and --%s exclude each other", spec->excludes,
                       spec->name);
    return option_value(spec, setting->value, &value, err);
}

int declared_check(const struct option_setting *settings, size_t nsettings,
                   const char *const *formats, size_t nformats, struct err *err)
{
    for (size_t i = 0; i < nsettings; i++) {
        if (!is_shown(settings[i].format, formats, nformats))
            return err_set(err, ERR_FORM, "--%s is for the format '%s', which is not shown",
                           settings[i].key, settings[i].format);
        if (check_setting(settings, i, err) != 0)
            return -1;
    }
    return 0;
}

uint64_t declared_value(const struct declared_format *format, const char *option,
                        const struct option_setting *settings, size_t nsettings)
{
    const struct option_setting *setting = find_setting(settings, nsettings, format->name, option);
    const struct option_spec *spec = declared_option(format, option);
    uint64_t value = 0;

    assert(spec != NULL);
    if (setting != NULL)
        option_value(spec, setting->value, &value, NULL);
    else if (spec->otherwise != NULL)
        option_value(spec, spec->otherwise, &value, NULL);
    return value;
}
