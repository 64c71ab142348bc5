/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/strings_parts.h"

#include "common/size.h"
#include "encoderd/zarr/meta/utf8.h"
#include "encoderd/zarr/store/damaged.h"

#include <stdlib.h>
#include <string.h>

/* The limit of strings that are held at once is the size of the scratch, but at least this. */
#define STRINGS_NBYTES_MIN ((size_t)16 << 20)
#define STRINGS_MAX        ((uint64_t)64 << 20)

size_t strings_nbytes_max(const struct decoder *decoder)
{
    return size_max(decoder->scratch_max, STRINGS_NBYTES_MIN);
}

void strings_free(struct strings *strings)
{
    free(strings->items);
    buf_free(&strings->bytes);
    *strings = (struct strings){0};
}

int strings_reserve(struct strings *out, uint64_t n, struct err *err)
{
    struct str *items;

    if (n > STRINGS_MAX)
        return err_set(err, ERR_BUDGET, "%llu strings are more than the %llu that are held at once",
                       (unsigned long long)n, (unsigned long long)STRINGS_MAX);
    if (n > out->cap) {
        items = reallocarray(out->items, (size_t)n, sizeof *items);
        if (items == NULL)
            return err_nomem(err, "%llu strings", (unsigned long long)n);
        out->items = items;
        out->cap = (size_t)n;
    }
    out->nitems = (size_t)n;
    return 0;
}

int strings_bad(uint64_t k, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "string %llu %s; " DAMAGED, (unsigned long long)k, what);
}

uint64_t strings_count(const struct strings_request *request, uint64_t size, uint64_t total)
{
    return size_min(size_max(request->budget / size, request->least), total - request->first);
}

int strings_fill(const struct zarr_meta *meta, const struct strings_request *request,
                 struct strings *out, struct err *err)
{
    const char *text = meta->fill_string != NULL ? meta->fill_string : "";
    size_t len = strlen(text);

    out->first = request->first;
    out->absent = true;
    if (strings_reserve(out, strings_count(request, sizeof(struct str), meta->chunk_elements),
                        err) != 0)
        return -1;
    buf_append(&out->bytes, text, len + 1);
    if (out->bytes.failed)
        return err_nomem(err, "a fill value");
    if (!utf8_valid((const uint8_t *)text, len))
        return err_set(err, ERR_CORRUPT, "its fill_value is not UTF-8");
    for (size_t k = 0; k < out->nitems; k++)
        out->items[k] = (struct str){(const char *)out->bytes.data, len};
    return 0;
}

void strings_point(struct strings *out, size_t gap)
{
    const char *at = (const char *)out->bytes.data;

    for (size_t k = 0; k < out->nitems; k++) {
        at += gap;
        out->items[k].at = at;
        at += out->items[k].len;
    }
}

int strings_check_held(const struct decoder *decoder, uint64_t nbytes, struct err *err)
{
    if (nbytes <= strings_nbytes_max(decoder))
        return 0;
    return err_set(err, ERR_BUDGET,
                   "%llu bytes of strings that belong together are more than the %zu that are held "
                   "at once: raise --memory",
                   (unsigned long long)nbytes, strings_nbytes_max(decoder));
}
