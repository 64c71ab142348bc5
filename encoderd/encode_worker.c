#include "encoderd/encode_worker.h"

#include <stdlib.h>

int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct cache *cache,
                       struct err *err)
{
    *worker = (struct encode_worker){.scratch_max = scratch_max, .cache = cache};
    worker->decoder = decoder_new(scratch_max, err);
    if (worker->decoder == NULL)
        return -1;
    decoder_set_cache(worker->decoder, cache);
    return 0;
}

void encode_worker_clear(struct encode_worker *worker)
{
    decoder_free(worker->decoder);
    decoder_free(worker->second);
    sites_reader_free(worker->sites);
    free(worker->subset);
    *worker = (struct encode_worker){0};
}

void encode_worker_share(struct encode_worker *worker, struct chunk_table *chunks)
{
    worker->chunks = chunks;
    decoder_share(worker->decoder, chunks);
}

void encode_worker_use(struct encode_worker *worker, const struct chunk_need *need)
{
    worker->need = need;
    decoder_use(worker->decoder, need);
    if (worker->second != NULL)
        decoder_use(worker->second, need);
}
