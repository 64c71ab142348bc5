/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io: writes that are complete, and closing descriptors that a program should not have.
 */
#ifndef VCZFS_COMMON_IO_H
#define VCZFS_COMMON_IO_H

#include "common/err.h"

#include <stddef.h>

/* Writes all n bytes to fd. `what` is the name of the target in the message. */
int io_write_all(int fd, const void *data, size_t n, const char *what, struct err *err);

/* Closes every descriptor from `lowest` on. */
void io_close_from(int lowest);

#endif
