/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fail: sets errors that name the store or an object in it.
 */
#ifndef VCZFS_ZARR_STORE_FAIL_H
#define VCZFS_ZARR_STORE_FAIL_H

#include "encoderd/zarr/store/store.h"

/* Sets "STORE/KEY: what is wrong", or "STORE: ..." if key is NULL or "". Returns -1. */
int store_fail(const struct store *store, const char *key, struct err *err, enum err_code code,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* ERR_IO, with strerror(errnum). Returns -1. */
int store_fail_sys(const struct store *store, const char *key, int errnum, struct err *err);

/* ERR_MEMORY. Returns -1. */
int store_nomem(const struct store *store, const char *key, struct err *err);

#endif
