/* SPDX-License-Identifier: Apache-2.0 */
#include "common/consumer.h"

#include <string.h>

static const char *const names[] = {CONSUMER_WORDS};

_Static_assert(sizeof names / sizeof names[0] == CONSUMERS, "a name for each");

const char *consumer_name(enum consumer consumer)
{
    return names[consumer];
}

enum consumer consumer_find(const char *name)
{
    enum consumer consumer = 0;

    while (consumer < CONSUMERS && strcmp(names[consumer], name) != 0)
        consumer++;
    return consumer;
}
