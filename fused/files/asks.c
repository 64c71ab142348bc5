/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/asks.h"

#include "common/size.h"

#include <stdlib.h>

struct ask *asks_add(struct asks *asks, const struct ask *ask)
{
    struct ask *added = LIST_FIRST(&asks->spare);

    if (added != NULL)
        LIST_REMOVE(added, entry);
    else
        added = malloc(sizeof *added);
    if (added == NULL)
        return NULL;
    *added = *ask;
    LIST_INSERT_HEAD(&asks->list, added, entry);
    return added;
}

void asks_remove(struct asks *asks, struct ask *ask)
{
    LIST_REMOVE(ask, entry);
    LIST_INSERT_HEAD(&asks->spare, ask, entry);
}

void asks_clear(struct asks *asks)
{
    while (!LIST_EMPTY(&asks->list))
        asks_remove(asks, LIST_FIRST(&asks->list));
}

void asks_free(struct asks *asks)
{
    struct ask *ask;

    asks_clear(asks);
    while ((ask = LIST_FIRST(&asks->spare)) != NULL) {
        LIST_REMOVE(ask, entry);
        free(ask);
    }
}

struct ask *asks_by_id(const struct asks *asks, uint64_t id)
{
    struct ask *ask;

    LIST_FOREACH (ask, &asks->list, entry)
        if (ask->id == id)
            return ask;
    return NULL;
}

struct ask *asks_for(const struct asks *asks, uint64_t file, uint64_t handle, uint64_t offset)
{
    struct ask *ask;

    LIST_FOREACH (ask, &asks->list, entry) {
        if (ask->file != file || ask->overdue)
            continue;
        if (ask->offset == offset || (ask->handle == handle && ask->offset < offset &&
                                      offset - ask->offset < size_max(ask->length, ask->reach)))
            return ask;
    }
    return NULL;
}
