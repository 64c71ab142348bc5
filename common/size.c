/* SPDX-License-Identifier: Apache-2.0 */
#include "common/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool size_parse(const char *text, uint64_t *out)
{
    static const char suffixes[] = "KMGT";
    char *end;
    uint64_t unit = 1, value;
    const char *at;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    at = *end != '\0' ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
    if (at != NULL) {
        unit = UINT64_C(1) << (10 * (at - suffixes + 1));
        end++;
        if (strcasecmp(end, "iB") == 0)
            end += 2;
    }
    if (strcasecmp(end, "B") == 0)
        end++;
    return *end == '\0' && size_mul(value, unit, out);
}

char *size_format(uint64_t nbytes, char *buf, unsigned long buf_size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)nbytes;
    unsigned unit = 0;

    while (value >= 1024 && unit < 6) {
        value /= 1024;
        unit++;
    }
    snprintf(buf, buf_size, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return buf;
}
