/* SPDX-License-Identifier: Apache-2.0 */
#include "common/option_file.h"

#include <string.h>

bool region_format_named(const char *name, enum region_format *out)
{
    static const char *const names[] = {"auto", "bed", "tab", "vcf"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum region_format)i;
            return true;
        }
    return false;
}

bool option_file_line(const struct option_file *file, size_t *at, struct option_line *line)
{
    const char *begin = file->text + *at, *end;

    if (*at >= file->len)
        return false;
    end = memchr(begin, '\n', file->len - *at);
    line->at = begin;
    line->len = end != NULL ? (size_t)(end - begin) : file->len - *at;
    line->number = *at == 0 ? 1 : line->number + 1;
    *at += line->len + 1;
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}
