/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_report: the result of a check, as text or JSON.
 */
#ifndef VCZFS_CHECK_CHECK_REPORT_H
#define VCZFS_CHECK_CHECK_REPORT_H

#include "common/buf.h"
#include "encoderd/check/check_state.h"

/* Appended to `out`. */
int check_report(const struct check *check, bool json, struct buf *out, struct err *err);

#endif
