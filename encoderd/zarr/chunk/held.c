/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/held.h"

#include "common/evidence.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct held {
    atomic_size_t n;
    pthread_mutex_t lock;               /* covers labels */
    char (*labels)[EVIDENCE_LABEL_MAX]; /* owned; n of them */
};

struct held *held_new(struct err *err)
{
    struct held *held = calloc(1, sizeof *held);

    if (held == NULL)
        err_nomem(err, "the chunks that are held back");
    else
        pthread_mutex_init(&held->lock, NULL);
    return held;
}

void held_free(struct held *held)
{
    if (held == NULL)
        return;
    pthread_mutex_destroy(&held->lock);
    free(held->labels);
    free(held);
}

void held_set(struct held *held, const char *const *labels, size_t n)
{
    char(*copy)[EVIDENCE_LABEL_MAX] = calloc(n + 1, sizeof *copy);

    for (size_t i = 0; copy != NULL && i < n; i++)
        strncpy(copy[i], labels[i], sizeof copy[i] - 1);
    pthread_mutex_lock(&held->lock);
    free(held->labels);
    held->labels = copy;
    atomic_store(&held->n, copy != NULL ? n : 0);
    pthread_mutex_unlock(&held->lock);
}

bool held_any(struct held *held)
{
    return held != NULL && atomic_load_explicit(&held->n, memory_order_relaxed) > 0;
}

int held_check(struct held *held, const char *label, struct err *err)
{
    char found[EVIDENCE_LABEL_MAX] = "";

    if (!held_any(held))
        return 0;
    pthread_mutex_lock(&held->lock);
    for (size_t i = 0; i < held->n && found[0] == '\0'; i++)
        if (strncmp(held->labels[i], label, sizeof found - 1) == 0)
            memcpy(found, held->labels[i], sizeof found);
    pthread_mutex_unlock(&held->lock);
    return found[0] == '\0' ? 0 : err_set(err, ERR_HELD, "%s", found);
}
