/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/name_list.h"

#include <stdlib.h>
#include <string.h>

void name_list_free(struct name_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct name_list){0};
}

int name_list_add(struct name_list *list, const char *name, size_t len)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 64 : list->cap * 2;
        char **items = reallocarray(list->items, cap, sizeof *items);

        if (items == NULL)
            return -1;
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n] = strndup(name, len);
    if (list->items[list->n] == NULL)
        return -1;
    list->n++;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void name_list_sort(struct name_list *list)
{
    if (list->n > 0)
        qsort(list->items, list->n, sizeof *list->items, compare_names);
}
