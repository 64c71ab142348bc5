/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer_order: rules about the order of variants.
 */
#ifndef VCZFS_REPORT_CONSUMER_ORDER_H
#define VCZFS_REPORT_CONSUMER_ORDER_H

#include "encoderd/report/consumer_rule.h"

bool unsorted_positions(const struct look *look, const struct consumer_rule *rule,
                        struct buf *said);
bool split_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool descending_contigs(const struct look *look, const struct consumer_rule *rule,
                        struct buf *said);
bool returning_contigs(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool mixed_autosomes(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool first_not_least(const struct look *look, const struct consumer_rule *rule, struct buf *said);

#endif
