/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/read_ahead.h"

#include "common/size.h"

#define LONG_LEASE (256u << 10) /* bytes; shorter leases are given to random readers */

/* The long lease that holds the byte just before offset. */
static const struct lease *long_before(struct leased *leased, uint64_t file, uint64_t offset)
{
    const struct lease *lease = offset == 0 ? NULL : leases_find(&leased->leases, file, offset - 1);

    return lease != NULL && lease->length >= LONG_LEASE ? lease : NULL;
}

uint64_t read_ahead_reach(struct leased *leased, uint64_t file, uint64_t offset)
{
    const struct lease *lease = long_before(leased, file, offset);

    return lease != NULL ? lease->length : 0;
}

bool read_ahead_next(struct leased *leased, const struct asks *asks, const struct msg_read *read,
                     uint64_t file_size, struct ask *out)
{
    const struct lease *lease = long_before(leased, read->file, read->offset + read->length);
    uint64_t next;

    if (lease == NULL || lease->served < lease->length / 2 || !leased_is_roomy(leased))
        return false;
    next = lease->offset + lease->length;
    if (next >= file_size || leases_find(&leased->leases, read->file, next) != NULL ||
        asks_for(asks, read->file, read->handle, next) != NULL)
        return false;
    *out = (struct ask){
        .file = read->file,
        .handle = read->handle,
        .offset = next,
        .length = size_min(read->length, file_size - next),
        .reach = lease->length,
        .ahead = true,
    };
    return true;
}
