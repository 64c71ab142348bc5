/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/format.h"

#include <string.h>

static const struct format *const formats[] = {&format_plink, &format_bgen};

#define NFORMATS (sizeof formats / sizeof formats[0])

const struct format *format_at(size_t i)
{
    return i < NFORMATS ? formats[i] : NULL;
}

const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < NFORMATS; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}
