/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_worker.h"

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
    if (worker->sites != NULL)
        sites_reader_use(worker->sites, need);
}

void encode_worker_stats(const struct encode_worker *worker, struct decoder_stats *out)
{
    struct decoder_stats other;

    decoder_stats(worker->decoder, out);
    if (worker->second != NULL) {
        decoder_stats(worker->second, &other);
        out->unforeseen += other.unforeseen;
    }
    if (worker->sites != NULL) {
        sites_reader_stats(worker->sites, &other);
        out->unforeseen += other.unforeseen;
    }
}

void encode_worker_rest(struct encode_worker *worker)
{
    decoder_rest(worker->decoder);
    if (worker->second != NULL)
        decoder_rest(worker->second);
    if (worker->sites != NULL)
        sites_reader_rest(worker->sites);
}

void encode_worker_trim(struct encode_worker *worker)
{
    decoder_trim(worker->decoder);
    if (worker->second != NULL)
        decoder_trim(worker->second);
    if (worker->sites != NULL)
        sites_reader_trim(worker->sites);
}

struct sites_reader *encode_worker_sites(struct encode_worker *worker, const struct vcz *vcz,
                                         struct err *err)
{
    if (worker->sites != NULL)
        return worker->sites;
    worker->sites = sites_reader_new(vcz, worker->scratch_max, err);
    if (worker->sites == NULL)
        return NULL;
    if (worker->chunks != NULL)
        sites_reader_share(worker->sites, worker->chunks);
    sites_reader_use(worker->sites, worker->need);
    return worker->sites;
}
