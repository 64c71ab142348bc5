/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block: decodes one block into the decoder's scratch.
 */
#include "encoderd/zarr/chunk/decoder_impl.h"

/* Only decoding shows that a zstd window is longer than the memory that is left. Then the chunk is
 * decoded into the temporary file, with blocks of the same size. */
static int decode_or_spill(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                           struct block *out, struct err *err)
{
    struct err why;

    if (store_spill(chunk->array->store) == NULL || chunk->layout->otherwise == NULL)
        return chunk->layout->block(decoder, chunk, i, forms, out, err);
    if (chunk->layout->block(decoder, chunk, i, forms, out, &why) == 0)
        return 0;
    if (why.code == ERR_BUDGET) {
        if (chunk->layout->drop != NULL)
            chunk->layout->drop(decoder, chunk);
        decoder_scratch_reset(decoder);
        chunk->layout = chunk->layout->otherwise;
        return chunk->layout->block(decoder, chunk, i, forms, out, err);
    }
    if (err != NULL)
        *err = why;
    return -1;
}

int decoder_block_as(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                     struct block *out, struct err *err)
{
    if (i >= chunk->nblocks) {
        err_set(err, ERR_USAGE, "it has no block %llu", (unsigned long long)i);
        return decoder_name_chunk(chunk->array, chunk->label, err);
    }
    *out = (struct block){.form = BLOCK_PLAIN,
                          .begin = i * chunk->block_size,
                          .nbytes = chunk_block_nbytes(chunk, i)};
    decoder_scratch_reset(decoder);
    evidence_note(decoder->slot, chunk->label, i);
    if (decode_or_spill(decoder, chunk, i, forms, out, err) != 0)
        return decoder_name_chunk(chunk->array, chunk->label, err);
    /* A constant that had to be decoded was counted there. */
    if (!out->known)
        decoder_count(decoder, out);
    return 0;
}

int decoder_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err)
{
    return decoder_block_as(decoder, chunk, i, planes_ok ? BLOCK_MAY_BE_PLANES : 0, out, err);
}
