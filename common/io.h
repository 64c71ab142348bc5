/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: whole writes, and no descriptors but those that are meant.
 */
#ifndef VCZFS_COMMON_IO_H
#define VCZFS_COMMON_IO_H

#include "common/err.h"

#include <stddef.h>

/* All n bytes to fd, which `what` names in the message. */
int io_write_all(int fd, const void *data, size_t n, const char *what, struct err *err);

/* Closes every descriptor from `lowest` on. */
void io_close_from(int lowest);

#endif
