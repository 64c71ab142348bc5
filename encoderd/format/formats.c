/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/formats.h"

#include "encoderd/format/each.h"

#include <string.h>

#define FORMAT(name) &format_##name,
static const struct format *const formats[] = {
#include "encoderd/format/declared/list.h"
};
#undef FORMAT

#define NFORMATS (sizeof formats / sizeof formats[0])

const struct format *format_at(size_t i)
{
    return i < NFORMATS ? formats[i] : NULL;
}

const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if (strcmp(formats[i]->declared->name, name) == 0)
            return formats[i];
    return NULL;
}
