/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/leased.h"

#include "common/size.h"

#include <string.h>

#define LEASE_IDLE_MS  1000 /* a lease that was not used for this long is returned */
#define LEASE_SWEEP_MS 250
#define RETURNS_WAIT   4 /* ms that a few small returns wait for the next request */
#define RETURNS_FEW    32
#define RETURNS_SHARE  8 /* at most this part of the arena may wait */
#define REPLY_PIECES   8 /* adjacent leases in one reply */

static uint64_t now_ms(const struct leased *leased)
{
    return timers_ms(&leased->outside->timers);
}

/* ---- going back ---- */

void leased_tidy(struct leased *leased)
{
    const struct timers *timers = &leased->outside->timers;
    const struct leases *leases = &leased->leases;

    if (leases->nreturns == 0)
        return;
    if (leases->nreturns > RETURNS_FEW || leases->return_bytes > leased->size / RETURNS_SHARE)
        timers->arm(leased->returns, 0);
    else if (!timers->is_armed(leased->returns))
        timers->arm(leased->returns, RETURNS_WAIT);
}

void leased_send_returns(struct leased *leased)
{
    uint64_t ids[PROTO_RETURN_MAX];
    size_t n;

    while ((n = leases_take_returns(&leased->leases, ids, PROTO_RETURN_MAX)) > 0)
        leased->outside->give_back(ids, n, leased->outside->arg);
}

static void on_returns(void *arg)
{
    leased_send_returns(arg);
}

static void on_sweep(void *arg)
{
    struct leased *leased = arg;
    const uint64_t now = now_ms(leased);

    if (now > LEASE_IDLE_MS)
        leases_drop_idle(&leased->leases, now - LEASE_IDLE_MS);
    leased_tidy(leased);
    if (leased->leases.nheld > 0)
        leased->outside->timers.arm(leased->sweep, LEASE_SWEEP_MS);
    else
        leased->unused(leased->arg);
}

void leased_drop(struct leased *leased, uint64_t lease)
{
    leases_drop(&leased->leases, lease);
    leased_tidy(leased);
}

void leased_drop_file(struct leased *leased, uint64_t file)
{
    leases_drop_file(&leased->leases, file);
    leased_tidy(leased);
}

/* ---- coming ---- */

int leased_add(struct leased *leased, const struct msg_span *span, uint64_t file, uint64_t asked,
               uint64_t file_size, struct err *err)
{
    const struct timers *timers = &leased->outside->timers;

    if (leases_check_span(span, asked, file_size, leased->size, err) != 0 ||
        leases_add(&leased->leases, span, file, now_ms(leased), err) != 0)
        return -1;
    if (!timers->is_armed(leased->sweep))
        timers->arm(leased->sweep, LEASE_SWEEP_MS);
    return 0;
}

/* ---- reading ---- */

/* The bytes from offset on that the lease holds. */
static struct iovec piece_of(const struct leased *leased, const struct lease *lease,
                             uint64_t offset, size_t size)
{
    const uint64_t skip = offset - lease->offset;

    return (struct iovec){
        .iov_base = (void *)(uintptr_t)(leased->bytes + lease->at + skip),
        .iov_len = (size_t)size_min(lease->length - skip, size),
    };
}

size_t leased_holds(struct leased *leased, uint64_t file, uint64_t offset, size_t size)
{
    size_t held = 0;

    while (held < size) {
        const struct lease *lease = leases_find(&leased->leases, file, offset + held);

        if (lease == NULL)
            break;
        held = (size_t)size_min(lease->offset + lease->length - offset, size);
    }
    return held;
}

bool leased_reply(struct leased *leased, struct fuse_req *req, uint64_t file, uint64_t offset,
                  size_t size)
{
    struct iovec pieces[REPLY_PIECES] = {0};
    uint64_t ids[REPLY_PIECES];
    size_t have = 0;
    int n = 0;

    while (have < size) {
        const struct lease *lease = leases_find(&leased->leases, file, offset + have);

        if (lease == NULL || n == REPLY_PIECES)
            return false;
        pieces[n] = piece_of(leased, lease, offset + have, size - have);
        ids[n] = lease->id;
        have += pieces[n++].iov_len;
    }
    leased->outside->reply(req, pieces, n);
    for (int i = 0; i < n; i++)
        leases_served(&leased->leases, leases_by_id(&leased->leases, ids[i]), pieces[i].iov_len,
                      now_ms(leased));
    leased_tidy(leased);
    return true;
}

size_t leased_copy(struct leased *leased, uint64_t file, uint64_t offset, size_t size, uint8_t *out)
{
    struct lease *lease;
    size_t have = 0;

    while (have < size && (lease = leases_find(&leased->leases, file, offset + have)) != NULL) {
        const struct iovec piece = piece_of(leased, lease, offset + have, size - have);

        memcpy(out + have, piece.iov_base, piece.iov_len);
        have += piece.iov_len;
        leases_served(&leased->leases, lease, piece.iov_len, now_ms(leased));
    }
    leased_tidy(leased);
    return have;
}

bool leased_has_room(const struct leased *leased)
{
    return leased->leases.bytes < leased->leases.bytes_max / 2;
}

bool leased_is_roomy(const struct leased *leased)
{
    return leased->leases.bytes <= leased->leases.bytes_max / 4;
}

/* ---- its life ---- */

void leased_up(struct leased *leased, const uint8_t *bytes, uint64_t size)
{
    leased->bytes = bytes;
    leased->size = size;
    leased->leases.bytes_max = size / 2;
}

void leased_down(struct leased *leased)
{
    leases_clear(&leased->leases);
    leased->bytes = NULL;
    leased->size = 0;
}

int leased_init(struct leased *leased, const struct outside *outside, void (*unused)(void *arg),
                void *arg, struct err *err)
{
    const struct timers *timers = &outside->timers;

    *leased = (struct leased){.outside = outside, .unused = unused, .arg = arg};
    leases_init(&leased->leases, 0);
    leased->returns = timers->make(timers->arg, on_returns, leased);
    leased->sweep = timers->make(timers->arg, on_sweep, leased);
    if (leased->returns == NULL || leased->sweep == NULL)
        return err_nomem(err, "the leases");
    return 0;
}

void leased_free(struct leased *leased)
{
    leases_free(&leased->leases);
    leased->outside->timers.free(leased->returns);
    leased->outside->timers.free(leased->sweep);
}
