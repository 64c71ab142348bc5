/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer_rules: what is known of what programs refuse or misread: doc/CONSUMERS.md as a table.
 */
#ifndef VCZFS_REPORT_CONSUMER_RULES_H
#define VCZFS_REPORT_CONSUMER_RULES_H

#include "encoderd/report/consumer_rule.h"

extern const struct consumer_rule consumer_rules[];
extern const size_t consumer_nrules;

#endif
