/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_shape: is this packet one whole msgpack value of sane shape?
 *
 * msgpack-c reserves memory for as many elements as a header promises, before it has seen one.
 * Walking the packet first holds every promise against the bytes that are there, without
 * allocating.
 */
#ifndef VCZFS_PROTO_PACKET_SHAPE_H
#define VCZFS_PROTO_PACKET_SHAPE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define SHAPE_DEPTH_MAX  4    /* maps and arrays inside each other; the protocol needs 3 */
#define SHAPE_VALUES_MAX 1024 /* values in one packet, keys included; the protocol needs 260 */

/* 0, or -1 with ERR_PEER. */
int packet_shape_check(const void *packet, size_t len, struct err *err);

#endif
