/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what fields must obey besides their type and range (`rule` of struct field).
 *
 * Each function returns what is wrong with its field of the message, or NULL. It may use fields
 * that come before it.
 */
#ifndef VCZFS_PROTO_RULES_H
#define VCZFS_PROTO_RULES_H

/* msg_file: the name must be a single entry of a directory. */
const char *rule_file_name(const void *file);

/* msg_file: a lazy file has no size yet. */
const char *rule_file_size(const void *file);

/* msg_file: 0, or a power of two. */
const char *rule_file_buffer(const void *file);

/* msg_progress: no more can be done than the total. */
const char *rule_progress_total(const void *progress);

#endif
