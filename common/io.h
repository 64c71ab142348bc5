/*
 * io: whole writes.
 */
#ifndef VCZFS_COMMON_IO_H
#define VCZFS_COMMON_IO_H

#include "common/err.h"

#include <stddef.h>

/* All n bytes to fd, which `what` names in the message. */
int io_write_all(int fd, const void *data, size_t n, const char *what, struct err *err);

#endif
