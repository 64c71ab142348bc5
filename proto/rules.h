/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what fields must obey beyond their type, the same for sender and receiver.
 */
#ifndef VCZFS_PROTO_RULES_H
#define VCZFS_PROTO_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define RULES_ERRNO_MAX 4095 /* what a system call can return */

/* Could this be one entry of a directory? 1 to 255 bytes, no '/', not "." or "..". */
bool rules_file_name_ok(const char *name);

/* 0, or a power of two. */
bool rules_buffer_ok(uint64_t buffer);

#endif
