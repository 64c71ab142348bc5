/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int names_compare(const struct str *a, const struct str *b)
{
    size_t least = a->len < b->len ? a->len : b->len;
    int order = least > 0 ? memcmp(a->at, b->at, least) : 0;

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_items(const void *a, const void *b, void *arg)
{
    const struct str *items = arg;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    int order = names_compare(&items[x], &items[y]);

    /* Of equal names the first one is found. */
    return order != 0 ? order : (x > y) - (x < y);
}

int names_init(struct names *names, const struct str *items, uint64_t n, struct err *err)
{
    *names = (struct names){.items = items, .n = n};
    names->order = calloc(n + 1, sizeof *names->order);
    if (names->order == NULL)
        return err_nomem(err, "%" PRIu64 " names", n);
    for (uint64_t i = 0; i < n; i++)
        names->order[i] = i;
    qsort_r(names->order, n, sizeof *names->order, compare_items, (void *)(uintptr_t)items);
    return 0;
}

void names_free(struct names *names)
{
    free(names->order);
    *names = (struct names){0};
}

uint64_t names_find(const struct names *names, const char *at, size_t len)
{
    const struct str wanted = {.at = at, .len = len};
    uint64_t low = 0, high = names->n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (names_compare(&names->items[names->order[middle]], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->n || names_compare(&names->items[names->order[low]], &wanted) != 0)
        return names->n;
    return names->order[low];
}
