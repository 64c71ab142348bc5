/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zarr v2 metadata: of one array, and consolidated.
 */
#include "tests/fuzz/fuzz_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zarr_meta meta;
    struct err err = {0};

    if (zarr_meta_parse_v2("arr", (const char *)data, size, &meta, &err) == 0) {
        require_sane(&meta);
        zarr_meta_clear(&meta);
    } else {
        REQUIRE(err.code != ERR_NONE && strstr(err.msg, "arr") != NULL);
    }
    try_group(".zgroup", "{\"zarr_format\":2}", ".zmetadata", data, size);
    return 0;
}
