/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/holes.h"

#include "encoderd/vcz/holes_state.h"

#include <stdlib.h>

int holes_new(const struct vcz *vcz, size_t scratch_max, struct holes **out, struct err *err)
{
    struct holes *holes = calloc(1, sizeof *holes);

    *out = holes;
    if (holes == NULL)
        return err_nomem(err, "what is missing");
    holes->vcz = vcz;
    holes->scratch_max = scratch_max;
    pthread_mutex_init(&holes->lock, NULL);
    return 0;
}

void holes_free(struct holes *holes)
{
    if (holes == NULL)
        return;
    tallies_free(holes->tallies);
    pthread_mutex_destroy(&holes->lock);
    free(holes);
}

int holes_look_all(struct holes *holes, const uint64_t *columns, uint64_t n,
                   struct notices *notices, struct err *err)
{
    if (holes_look_sites(holes, err) != 0 || holes_look_samples(holes, columns, n, err) != 0)
        return -1;
    return holes_look_calls(holes, notices, err);
}
