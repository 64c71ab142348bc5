/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/meta_ahead.h"

#include "encoderd/zarr/store/fail.h"

#include <stdlib.h>
#include <string.h>

static void clear_text(struct meta_ahead_text *text)
{
    free(text->key);
    free(text->name);
    buf_free(&text->text);
}

void meta_ahead_clear(struct meta_ahead *ahead)
{
    for (size_t i = 0; i < ahead->n; i++)
        clear_text(&ahead->texts[i]);
    free(ahead->texts);
    *ahead = (struct meta_ahead){0};
}

static const struct meta_ahead_text *find(const struct meta_ahead *ahead, const char *key)
{
    for (size_t i = 0; i < ahead->n; i++)
        if (strcmp(ahead->texts[i].key, key) == 0)
            return &ahead->texts[i];
    return NULL;
}

void meta_ahead_add(struct meta_ahead *ahead, const char *key, const char *name)
{
    struct meta_ahead_text text = {0};

    if (ahead->texts == NULL)
        ahead->texts = calloc(META_AHEAD_MAX, sizeof *ahead->texts);
    if (ahead->texts == NULL || ahead->n == META_AHEAD_MAX || find(ahead, key) != NULL)
        return;
    text.key = strdup(key);
    text.name = strdup(name);
    if (text.key != NULL && text.name != NULL)
        ahead->texts[ahead->n++] = text;
    else
        clear_text(&text);
}

struct reading {
    struct meta_ahead *ahead;
    const struct store *store;
};

/* Is there room for one more text? */
static bool takes(struct meta_ahead *ahead, const struct meta_ahead_text *text)
{
    return __atomic_add_fetch(&ahead->nbytes, text->text.len, __ATOMIC_RELAXED) <=
           META_AHEAD_NBYTES;
}

static int read_one(void *arg, uint64_t i, struct err *err)
{
    const struct reading *reading = arg;
    struct meta_ahead_text *text = &reading->ahead->texts[reading->ahead->nread + i];
    struct err why = {0}; /* dropped: whoever needs the text reads it again and reports */

    (void)err;
    text->known = meta_text_read_within(reading->store, text->key, text->name, META_AHEAD_COST,
                                        &text->text, &text->digest, &text->found, &why) == 0 &&
                  takes(reading->ahead, text);
    if (!text->known || !text->found)
        buf_free(&text->text);
    return 0;
}

void meta_ahead_read(struct meta_ahead *ahead, const struct store *store)
{
    struct reading reading = {ahead, store};
    struct err err = {0};

    store_each(store, ahead->n - ahead->nread, read_one, &reading, &err);
    ahead->nread = ahead->n;
}

int meta_ahead_text(const struct meta_ahead *ahead, const struct store *store, const char *key,
                    const char *name, struct buf *out, struct meta_digest *digest, bool *found,
                    struct err *err)
{
    const struct meta_ahead_text *text = find(ahead, key);

    if (text == NULL || !text->known || (digest != NULL && strcmp(text->name, name) != 0))
        return meta_text_read(store, key, name, out, digest, found, err);
    *found = text->found;
    if (!text->found)
        return 0;
    buf_append(out, text->text.data, text->text.len);
    if (digest != NULL)
        *digest = text->digest;
    return out->failed ? store_nomem(store, key, err) : 0;
}
