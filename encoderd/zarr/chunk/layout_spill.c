/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_spill: blocks are pieces of a chunk that fits no memory. It is decoded once for all
 * decoders, into the temporary file.
 */
#include "encoderd/zarr/chunk/cached.h"
#include "encoderd/zarr/chunk/unfold.h"

static int fill_spill(void *arg, struct spill_entry *entry, struct err *err)
{
    const struct cached *shared = arg;
    struct decoder *decoder = shared->decoder;
    size_t used = decoder->scratch_used;
    int rc = unfold_chunk(decoder, shared->chunk, entry, err);

    decoder->scratch_used = used;
    return rc;
}

int chunk_spilled(struct decoder *decoder, struct chunk *chunk, struct spill_entry **out,
                  struct err *err)
{
    struct cached shared = {.decoder = decoder, .chunk = chunk};
    struct chunk_key key;

    chunk_key(chunk, 0, &key);
    return spill_get(store_spill(chunk->array->store), chunk->array->store, key.bytes, key.n,
                     fill_spill, &shared, out, err);
}

static int spill_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                       struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    struct spill_entry *entry;
    int rc;

    (void)i;
    (void)forms;
    out->data = to;
    if (to == NULL || chunk_spilled(decoder, chunk, &entry, err) != 0)
        return -1;
    rc = spill_read(entry, UNFOLD_BYTES, out->begin, to, out->nbytes, err);
    spill_put(entry);
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    return rc;
}

const struct layout_ops layout_spill = {.block = spill_block};
