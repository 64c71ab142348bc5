/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/leases.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void leases_init(struct leases *leases, uint64_t bytes_max)
{
    memset(leases, 0, sizeof *leases);
    leases->bytes_max = bytes_max;
}

void leases_free(struct leases *leases)
{
    free(leases->returns);
    memset(leases, 0, sizeof *leases);
}

void leases_clear(struct leases *leases)
{
    leases->nheld = 0;
    leases->bytes = 0;
    leases->nreturns = 0;
    leases->return_bytes = 0;
}

int leases_check_span(const struct msg_span *span, uint64_t asked, uint64_t file_size,
                      uint64_t arena_size, struct err *err)
{
    if (span->length == 0 || !size_range_ok(span->offset, span->length, file_size))
        return err_set(err, ERR_PEER,
                       "the encoder sent a span of %" PRIu64 " bytes at %" PRIu64
                       " of a file of %" PRIu64,
                       span->length, span->offset, file_size);
    if (asked < span->offset || asked - span->offset >= span->length)
        return err_set(err, ERR_PEER,
                       "the encoder sent bytes %" PRIu64 "+%" PRIu64 " when asked for byte "
                       "%" PRIu64,
                       span->offset, span->length, asked);
    if (!size_range_ok(span->at, span->length, arena_size))
        return err_set(err, ERR_PEER, "the encoder sent a span outside the shared memory");
    return 0;
}

/* Makes room for every held lease to become a return, so that dropping a lease later cannot
 * fail. */
static int reserve_return(struct leases *leases)
{
    size_t need = leases->nreturns + leases->nheld + 1;
    size_t cap = leases->returns_cap == 0 ? 64 : leases->returns_cap;
    uint64_t *grown;

    if (need <= leases->returns_cap)
        return 0;
    while (cap < need)
        cap *= 2;
    grown = realloc(leases->returns, cap * sizeof *grown);
    if (grown == NULL)
        return -1;
    leases->returns = grown;
    leases->returns_cap = cap;
    return 0;
}

static void drop_at(struct leases *leases, size_t i)
{
    leases->bytes -= leases->held[i].length;
    leases->return_bytes += leases->held[i].length;
    leases->returns[leases->nreturns++] = leases->held[i].id;
    leases->held[i] = leases->held[--leases->nheld];
}

static void drop_oldest(struct leases *leases)
{
    size_t oldest = 0;

    for (size_t i = 1; i < leases->nheld; i++)
        if (leases->held[i].used < leases->held[oldest].used)
            oldest = i;
    drop_at(leases, oldest);
}

static bool id_known(const struct leases *leases, uint64_t id)
{
    for (size_t i = 0; i < leases->nheld; i++)
        if (leases->held[i].id == id)
            return true;
    for (size_t i = 0; i < leases->nreturns; i++)
        if (leases->returns[i] == id)
            return true;
    return false;
}

int leases_add(struct leases *leases, const struct msg_span *span, uint64_t file, uint64_t now,
               struct err *err)
{
    if (id_known(leases, span->lease))
        return err_set(err, ERR_PEER, "the encoder granted lease %" PRIu64 " twice", span->lease);
    if (reserve_return(leases) != 0)
        return err_nomem(err, "leases");
    while (leases->nheld > 0 && (leases->nheld == LEASES_MAX || leases->bytes > leases->bytes_max ||
                                 span->length > leases->bytes_max - leases->bytes))
        drop_oldest(leases);
    leases->held[leases->nheld++] = (struct lease){
        .id = span->lease,
        .file = file,
        .offset = span->offset,
        .length = span->length,
        .at = span->at,
        .used = now,
    };
    leases->bytes += span->length;
    return 0;
}

struct lease *leases_find(struct leases *leases, uint64_t file, uint64_t offset)
{
    struct lease *best = NULL;
    uint64_t reach = 0;

    for (size_t i = 0; i < leases->nheld; i++) {
        struct lease *lease = &leases->held[i];

        if (lease->file != file || offset < lease->offset ||
            offset - lease->offset >= lease->length)
            continue;
        if (lease->offset + lease->length > reach) {
            best = lease;
            reach = lease->offset + lease->length;
        }
    }
    return best;
}

struct lease *leases_by_id(struct leases *leases, uint64_t id)
{
    for (size_t i = 0; i < leases->nheld; i++)
        if (leases->held[i].id == id)
            return &leases->held[i];
    return NULL;
}

void leases_served(struct leases *leases, struct lease *lease, uint64_t nbytes, uint64_t now)
{
    lease->used = now;
    if (nbytes >= lease->length - lease->served)
        drop_at(leases, (size_t)(lease - leases->held));
    else
        lease->served += nbytes;
}

void leases_drop(struct leases *leases, uint64_t id)
{
    struct lease *lease = leases_by_id(leases, id);

    if (lease != NULL)
        drop_at(leases, (size_t)(lease - leases->held));
}

void leases_drop_idle(struct leases *leases, uint64_t before)
{
    for (size_t i = leases->nheld; i-- > 0;)
        if (leases->held[i].used < before)
            drop_at(leases, i);
}

void leases_drop_file(struct leases *leases, uint64_t file)
{
    for (size_t i = leases->nheld; i-- > 0;)
        if (leases->held[i].file == file)
            drop_at(leases, i);
}

size_t leases_take_returns(struct leases *leases, uint64_t *ids, size_t max)
{
    size_t n = leases->nreturns < max ? leases->nreturns : max;

    if (n == 0)
        return 0;
    memcpy(ids, leases->returns + (leases->nreturns - n), n * sizeof *ids);
    leases->nreturns -= n;
    if (leases->nreturns == 0)
        leases->return_bytes = 0;
    return n;
}
