/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet of the protocol, of either direction. What is accepted can be said again, and is then
 * understood as the same.
 */
#include "proto/proto.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proto_scratch *scratch = proto_scratch_new(), *again = proto_scratch_new();
    struct buf first = {0}, second = {0};
    struct msg msg;
    struct err err = {0};

    REQUIRE(scratch != NULL && again != NULL);
    if (proto_unpack(data, size, scratch, &msg, &err) == 0) {
        REQUIRE(msg_nfds(&msg) <= PROTO_FDS_MAX);
        REQUIRE(proto_pack(&msg, &first, &err) == 0);
        REQUIRE(proto_unpack(first.data, first.len, again, &msg, &err) == 0);
        REQUIRE(proto_pack(&msg, &second, &err) == 0);
        REQUIRE(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    } else {
        REQUIRE(err.code == ERR_PEER || err.code == ERR_MEMORY);
        /* The seeds are messages; when the protocol moves on, they must be moved with it. */
        REQUIRE(getenv("VCZFS_SEEDS_ARE_VALID") == NULL);
    }
    buf_free(&first);
    buf_free(&second);
    proto_scratch_free(scratch);
    proto_scratch_free(again);
    return 0;
}
