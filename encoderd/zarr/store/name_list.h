/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_list: collects names and sorts them in byte order.
 */
#ifndef VCZFS_ZARR_STORE_NAME_LIST_H
#define VCZFS_ZARR_STORE_NAME_LIST_H

#include <stddef.h>

/* Zero-initialise; free with name_list_free. */
struct name_list {
    char **items; /* owned, each too */
    size_t n, cap;
};

void name_list_free(struct name_list *list);

/* -1: out of memory. */
int name_list_add(struct name_list *list, const char *name, size_t len);
void name_list_sort(struct name_list *list);

#endif
