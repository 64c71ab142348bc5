/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts: opens the parts of a VCF Zarr store, each separately.
 */
#ifndef VCZFS_VCZ_PARTS_H
#define VCZFS_VCZ_PARTS_H

#include "encoderd/vcz/vcz.h"

/* Opens the arrays of one part and checks them against the arrays that are open. Parts must be
 * opened in the order of enum vcz_part. Every message names the store. */
int parts_open(struct vcz *vcz, enum vcz_part part, struct decoder *decoder, struct err *err);

#endif
