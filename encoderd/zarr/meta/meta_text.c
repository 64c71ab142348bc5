/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/meta_text.h"

#include "common/size.h"
#include "encoderd/zarr/meta/json_prune.h"
#include "encoderd/zarr/store/fail.h"

#include <string.h>

#define PIECE_NBYTES 16384

static void digest_begin(struct meta_digest *digest)
{
    for (uint64_t lane = 0; lane < 4; lane++)
        digest->sums[lane] = 0xcbf29ce484222325u ^ (lane * 0x9e3779b97f4a7c15u);
}

static void digest_add(struct meta_digest *digest, const void *data, size_t n)
{
    const uint8_t *bytes = data;

    for (size_t lane = 0; lane < 4; lane++)
        for (size_t i = 0; i < n; i++)
            digest->sums[lane] = (digest->sums[lane] ^ bytes[i]) * 0x100000001b3u;
}

static bool names_attributes(const char *key)
{
    const char *slash = strrchr(key, '/');

    return strcmp(slash != NULL ? slash + 1 : key, ".zattrs") == 0;
}

static int outcome(const struct json_prune *prune, const struct store *store, const char *key,
                   struct err *err)
{
    if (prune->out->failed)
        return store_nomem(store, key, err);
    if (prune->bad)
        return store_fail(store, key, err, ERR_CORRUPT, "not JSON: line %u", prune->line);
    if (prune->costly)
        return store_fail(
            store, key, err, ERR_UNSUPPORTED,
            "what vczfs needs of this metadata would take more than %zu MiB of "
            "memory; no real store has so much: look for a list or text that is far too "
            "long",
            META_COST_MAX >> 20);
    return 0;
}

static int read_pieces(const struct object *object, struct json_prune *prune,
                       struct meta_digest *digest, struct err *err)
{
    const uint64_t size = object_size(object);
    uint8_t piece[PIECE_NBYTES];

    for (uint64_t at = 0, n; at < size; at += n) {
        n = size_min(sizeof piece, size - at);
        if (object_read(object, at, piece, (size_t)n, err) != 0)
            return -1;
        if (digest != NULL)
            digest_add(digest, piece, (size_t)n);
        json_prune_feed(prune, piece, (size_t)n);
    }
    return 0;
}

static int read_object(const struct object *object, const struct store *store, const char *key,
                       size_t cost_max, struct buf *out, struct meta_digest *digest,
                       struct err *err)
{
    struct json_prune prune;

    if (object_size(object) > META_NBYTES_MAX)
        return store_fail(store, key, err, ERR_CORRUPT,
                          "%llu bytes are more than the %llu that such a file may have",
                          (unsigned long long)object_size(object),
                          (unsigned long long)META_NBYTES_MAX);
    json_prune_begin(&prune, out, cost_max, names_attributes(key));
    if (read_pieces(object, &prune, digest, err) != 0)
        return -1;
    return outcome(&prune, store, key, err);
}

int meta_text_read_within(const struct store *store, const char *key, const char *name,
                          size_t cost_max, struct buf *out, struct meta_digest *digest, bool *found,
                          struct err *err)
{
    struct object *object;
    int rc;

    *found = false;
    if (digest != NULL) {
        digest_begin(digest);
        digest_add(digest, name, strlen(name));
    }
    if (store_object(store, key, &object, err) != 0)
        return -1;
    if (object == NULL)
        return 0;
    rc = read_object(object, store, key, cost_max, out, digest, err);
    object_close(object);
    *found = rc == 0;
    return rc;
}

int meta_text_read(const struct store *store, const char *key, const char *name, struct buf *out,
                   struct meta_digest *digest, bool *found, struct err *err)
{
    return meta_text_read_within(store, key, name, META_COST_MAX, out, digest, found, err);
}
