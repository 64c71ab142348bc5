/* SPDX-License-Identifier: Apache-2.0 */
#include "common/consumer.h"

#include <string.h>

static const char *const names[CONSUMERS] = {
    [CONSUMER_PLINK19] = "plink1.9", [CONSUMER_PLINK2] = "plink2", [CONSUMER_REGENIE] = "regenie",
    [CONSUMER_SAIGE] = "saige",      [CONSUMER_GCTA] = "gcta",     [CONSUMER_BOLT] = "bolt",
    [CONSUMER_QCTOOL] = "qctool",    [CONSUMER_BGENIX] = "bgenix",
};

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
