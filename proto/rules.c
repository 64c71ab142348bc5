/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rules.h"

#include <limits.h>
#include <string.h>

bool rules_file_name_ok(const char *name)
{
    size_t len = strnlen(name, NAME_MAX + 1);

    return len > 0 && len <= NAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

bool rules_buffer_ok(uint64_t buffer)
{
    return (buffer & (buffer - 1)) == 0;
}
