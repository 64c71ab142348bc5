/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front's table of leases under an encoder that says anything: spans of any place and size. No
 * byte outside the arena is ever pointed to, and no id is lost or given back twice.
 */
#include "fused/files/leases.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define FILE_SIZE  (UINT64_C(1) << 20)
#define ARENA_SIZE (UINT64_C(1) << 16)
#define HELD_BYTES (UINT64_C(1) << 15)

struct ledger {
    uint64_t granted, returned;
};

static void require_sane(const struct leases *leases)
{
    uint64_t bytes = 0;

    REQUIRE(leases->nheld <= LEASES_MAX);
    for (size_t i = 0; i < leases->nheld; i++) {
        const struct lease *lease = &leases->held[i];

        REQUIRE(lease->length > 0 && lease->served < lease->length);
        REQUIRE(lease->at <= ARENA_SIZE && lease->length <= ARENA_SIZE - lease->at);
        REQUIRE(lease->offset <= FILE_SIZE && lease->length <= FILE_SIZE - lease->offset);
        bytes += lease->length;
    }
    REQUIRE(bytes == leases->bytes);
    REQUIRE(leases->nheld <= 1 || bytes <= leases->bytes_max);
}

static void take_span(struct leases *leases, struct ledger *ledger, const uint8_t **data,
                      size_t *size, uint64_t now)
{
    struct msg_span span = {.lease = take_number(data, size, 1)};
    uint64_t asked = take_number(data, size, 3);
    struct err err = {0};

    span.offset = take_number(data, size, 3);
    span.length = take_number(data, size, 2);
    span.at = take_number(data, size, 8) >> (take_byte(data, size) % 64);
    if (leases_check_span(&span, asked, FILE_SIZE, ARENA_SIZE, &err) != 0) {
        REQUIRE(err.code == ERR_PEER);
        return;
    }
    REQUIRE(asked - span.offset < span.length);
    if (leases_add(leases, &span, take_byte(data, size) % 3, now, &err) == 0)
        ledger->granted++;
    else
        REQUIRE(err.code == ERR_PEER);
}

static void serve(struct leases *leases, const uint8_t **data, size_t *size, uint64_t now)
{
    uint64_t file = take_byte(data, size) % 3, offset = take_number(data, size, 3);
    struct lease *lease = leases_find(leases, file, offset);

    if (lease == NULL)
        return;
    REQUIRE(lease->file == file && offset >= lease->offset);
    REQUIRE(offset - lease->offset < lease->length);
    leases_served(leases, lease, take_number(data, size, 2), now);
}

static void take_returns(struct leases *leases, struct ledger *ledger, size_t max)
{
    uint64_t ids[16];

    ledger->returned += leases_take_returns(leases, ids, max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger ledger = {0};
    struct leases leases;

    leases_init(&leases, HELD_BYTES);
    for (uint64_t now = 1; size > 0; now++) {
        switch (take_byte(&data, &size) % 8) {
        case 0:
            serve(&leases, &data, &size, now);
            break;
        case 1:
            take_returns(&leases, &ledger, take_byte(&data, &size) % 17);
            break;
        case 2:
            leases_drop(&leases, take_byte(&data, &size));
            break;
        case 3:
            leases_drop_idle(&leases, now - take_byte(&data, &size));
            break;
        case 4:
            leases_drop_file(&leases, take_byte(&data, &size) % 3);
            break;
        default:
            take_span(&leases, &ledger, &data, &size, now);
            break;
        }
        require_sane(&leases);
        REQUIRE(ledger.granted == ledger.returned + leases.nheld + leases.nreturns);
    }
    leases_free(&leases);
    return 0;
}
