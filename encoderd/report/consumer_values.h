/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consumer_values: rules about positions, names, counts and calls.
 */
#ifndef VCZFS_REPORT_CONSUMER_VALUES_H
#define VCZFS_REPORT_CONSUMER_VALUES_H

#include "encoderd/report/consumer_rule.h"

bool far_positions(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool same_ids(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool more_variants(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool more_samples(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool fewer_samples(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool no_variants(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool sample_na(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool separators(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool one_family(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool phased_calls(const struct look *look, const struct consumer_rule *rule, struct buf *said);
bool haploid_calls(const struct look *look, const struct consumer_rule *rule, struct buf *said);

#endif
