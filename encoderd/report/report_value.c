/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/report/report_value.h"

#include "common/cleanup.h"

#include <string.h>

bool report_set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

json_t *report_number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *report_string(const char *text)
{
    json_t *value = json_string(text);
    AUTO_FREE char *ascii = NULL;

    if (value != NULL)
        return value;
    ascii = strdup(text);
    if (ascii == NULL)
        return NULL;
    for (char *at = ascii; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_string(ascii);
}
