/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rules.h"

#include "proto/proto.h"

#include <string.h>

const char *rule_file_name(const void *file)
{
    const char *name = ((const struct msg_file *)file)->name;

    return strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0
               ? "cannot be a file's name"
               : NULL;
}

const char *rule_file_size(const void *file)
{
    const struct msg_file *lazy = file;

    return lazy->kind == FILE_LAZY && lazy->size != 0 ? "is not 0, but the file is lazy" : NULL;
}

const char *rule_file_buffer(const void *file)
{
    const uint64_t buffer = ((const struct msg_file *)file)->buffer;

    return (buffer & (buffer - 1)) != 0 ? "is not a power of two" : NULL;
}

const char *rule_progress_total(const void *progress)
{
    const struct msg_progress *now = progress;

    return now->done > now->total ? "is less than \"done\"" : NULL;
}
