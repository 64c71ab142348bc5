/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/fail.h"

#include "encoderd/zarr/store/kind.h"

#include <string.h>

int store_fail(const struct store *store, const char *key, struct err *err, enum err_code code,
               const char *fmt, ...)
{
    const bool whole = key == NULL || *key == '\0';
    va_list ap;

    va_start(ap, fmt);
    err_vset(err, code, fmt, ap);
    va_end(ap);
    return err_name(err, "%s%s%s", store->path, whole ? "" : "/", whole ? "" : key);
}

int store_fail_sys(const struct store *store, const char *key, int errnum, struct err *err)
{
    return store_fail(store, key, err, ERR_IO, "%s", strerror(errnum));
}

int store_nomem(const struct store *store, const char *key, struct err *err)
{
    return store_fail(store, key, err, ERR_MEMORY, "out of memory");
}
