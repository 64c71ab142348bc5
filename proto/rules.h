/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what fields must obey beyond type and range: `rule` of struct field.
 *
 * Each says what is wrong with its field of the message, or NULL. It may look at fields that come
 * before it.
 */
#ifndef VCZFS_PROTO_RULES_H
#define VCZFS_PROTO_RULES_H

/* msg_file: one entry of a directory. */
const char *rule_file_name(const void *file);

/* msg_file: nobody knows yet how large a lazy file will be. */
const char *rule_file_size(const void *file);

/* msg_file: 0, or a power of two. */
const char *rule_file_buffer(const void *file);

/* msg_progress: no more is done than there is. */
const char *rule_progress_total(const void *progress);

#endif
