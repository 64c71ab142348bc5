/* SPDX-License-Identifier: Apache-2.0 */
#include "common/option_spec.h"

#include "common/size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

char *option_words(const struct option_spec *spec, char out[OPTION_SAID_MAX])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; spec->words[i] != NULL && len < OPTION_SAID_MAX; i++)
        len += (size_t)snprintf(out + len, OPTION_SAID_MAX - len, "%s%s",
                                i == 0                       ? ""
                                : spec->words[i + 1] != NULL ? ", "
                                                             : " or ",
                                spec->words[i]);
    return out;
}

static int switch_value(const struct option_spec *spec, const char *text, uint64_t *value,
                        struct err *err)
{
    if (text != NULL && text[0] != '\0')
        return err_set(err, ERR_FORM, "--%s takes no value, such as '%s'", spec->name, text);
    *value = 1;
    return 0;
}

static bool parse_number(const char *text, uint64_t *value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static int number_value(const struct option_spec *spec, const char *text, uint64_t *value,
                        struct err *err)
{
    if (parse_number(text, value) && *value >= spec->least && *value <= spec->most)
        return 0;
    return err_set(err, ERR_FORM,
                   "--%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                   spec->name, spec->least, spec->most, text);
}

static int size_value(const struct option_spec *spec, const char *text, uint64_t *value,
                      struct err *err)
{
    if (size_parse(text, value) && *value >= spec->least)
        return 0;
    if (spec->least == 0)
        return err_set(err, ERR_FORM, "--%s takes a size such as 512M or 2G, not '%s'", spec->name,
                       text);
    return err_set(err, ERR_FORM,
                   "--%s takes a size such as 512M or 2G, at least %" PRIu64 "M, not '%s'",
                   spec->name, spec->least >> 20, text);
}

static int word_value(const struct option_spec *spec, const char *text, uint64_t *value,
                      struct err *err)
{
    char words[OPTION_SAID_MAX];

    for (*value = 0; spec->words[*value] != NULL; ++*value)
        if (strcasecmp(spec->words[*value], text) == 0)
            return 0;
    return err_set(err, ERR_FORM, "--%s is %s, not '%s'", spec->name, option_words(spec, words),
                   text);
}

static int character_value(const struct option_spec *spec, const char *text, uint64_t *value,
                           struct err *err)
{
    *value = (unsigned char)text[0];
    if (*value >= spec->least && *value <= spec->most && text[0] != '\0' && text[1] == '\0')
        return 0;
    return err_set(err, ERR_FORM, "--%s takes one character from '%c' to '%c', not '%s'",
                   spec->name, (int)spec->least, (int)spec->most, text);
}

int option_value(const struct option_spec *spec, const char *text, uint64_t *value, struct err *err)
{
    switch (spec->kind) {
    case OPTION_SWITCH:
        return switch_value(spec, text, value, err);
    case OPTION_NUMBER:
        return number_value(spec, text, value, err);
    case OPTION_SIZE:
        return size_value(spec, text, value, err);
    case OPTION_WORD:
        return word_value(spec, text, value, err);
    case OPTION_CHARACTER:
        return character_value(spec, text, value, err);
    case OPTION_TEXT:
        break;
    }
    *value = 0;
    return 0;
}

void option_store(const struct option_spec *spec, const char *text, uint64_t value, size_t nbytes,
                  void *variable)
{
    if (spec->kind == OPTION_TEXT)
        *(const char **)variable = text;
    else if (spec->kind == OPTION_WORD)
        *(const char **)variable = spec->words[value];
    else if (nbytes == sizeof(bool))
        *(bool *)variable = value != 0;
    else if (nbytes == sizeof(unsigned))
        *(unsigned *)variable = (unsigned)value;
    else
        *(uint64_t *)variable = value;
}

unsigned option_threads(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (unsigned)size_min((uint64_t)n, OPTION_THREADS_MAX);
}
