/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/unpack.h"

#include "common/size.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define WINDOW_NBYTES 65536
/* For inflateInit2: the largest window, and a gzip header. */
#define GZIP_ONLY (15 + 16)

struct unpack {
    const struct option_file *file;
    bool packed, bgzf;
    z_stream z;
    bool z_open;
    size_t member_nbytes; /* of the current member, unpacked so far */
    bool between;         /* no member is at hand */
    uint8_t window[WINDOW_NBYTES];
    size_t at, n;    /* what of the window was not returned yet */
    struct buf line; /* packed files: the line that was returned last */
    size_t text_at;  /* other files: how far they are read */
    size_t number;   /* lines so far */
};

static bool is_packed(const char *at, size_t len)
{
    return len >= 2 && (uint8_t)at[0] == 0x1f && (uint8_t)at[1] == 0x8b;
}

/* A member of BGZF has the extra field "BC" in its header: see the SAM specification. */
static bool is_bgzf(const struct option_file *file)
{
    static const uint8_t subfield[] = {6, 0, 'B', 'C', 2, 0};

    return file->len >= 18 && (file->text[3] & 4) != 0 &&
           memcmp(file->text + 10, subfield, sizeof subfield) == 0;
}

static int refuse(const struct unpack *unpack, const char *what, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: %s", unpack->file->name, what);
}

struct unpack *unpack_new(const struct option_file *file, struct err *err)
{
    struct unpack *unpack = calloc(1, sizeof *unpack);

    if (unpack == NULL) {
        err_nomem(err, "%s", file->name);
        return NULL;
    }
    unpack->file = file;
    unpack->between = true;
    unpack->packed = is_packed(file->text, file->len);
    unpack->bgzf = unpack->packed && is_bgzf(file);
    unpack->z_open = unpack->packed && inflateInit2(&unpack->z, GZIP_ONLY) == Z_OK;
    if (unpack->packed && !unpack->z_open) {
        err_nomem(err, "%s", file->name);
        free(unpack);
        return NULL;
    }
    unpack->z.next_in = (z_const Bytef *)(uintptr_t)file->text;
    return unpack;
}

void unpack_free(struct unpack *unpack)
{
    if (unpack == NULL)
        return;
    if (unpack->z_open)
        inflateEnd(&unpack->z);
    buf_free(&unpack->line);
    free(unpack);
}

static size_t bytes_left(const struct unpack *unpack)
{
    return unpack->file->len - (size_t)(unpack->z.next_in - (const Bytef *)unpack->file->text);
}

/* A BGZF file ends in an empty member. One that was cut between members lacks it. */
static int check_end(const struct unpack *unpack, struct err *err)
{
    return unpack->bgzf && unpack->member_nbytes > 0
               ? refuse(unpack, "cut short: it has no BGZF end marker", err)
               : 0;
}

/* 1: a member begins; 0: the file ends. */
static int begin_member(struct unpack *unpack, struct err *err)
{
    const char *at = (const char *)unpack->z.next_in;
    size_t left = bytes_left(unpack);

    if (left == 0)
        return check_end(unpack, err);
    if (!is_packed(at, left))
        return refuse(unpack, "damaged: what follows the compressed part is not compressed", err);
    if (inflateReset(&unpack->z) != Z_OK)
        return refuse(unpack, "cannot be decompressed", err);
    unpack->between = false;
    unpack->member_nbytes = 0;
    return 1;
}

static int inflate_some(struct unpack *unpack, struct err *err)
{
    size_t left = size_min(bytes_left(unpack), UINT32_MAX);
    int rc;

    unpack->z.avail_in = (uInt)left;
    unpack->z.next_out = unpack->window;
    unpack->z.avail_out = WINDOW_NBYTES;
    rc = inflate(&unpack->z, Z_NO_FLUSH);
    if (rc == Z_MEM_ERROR)
        return err_nomem(err, "%s", unpack->file->name);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return refuse(unpack, "damaged: it cannot be decompressed", err);
    unpack->at = 0;
    unpack->n = WINDOW_NBYTES - unpack->z.avail_out;
    unpack->member_nbytes += unpack->n;
    unpack->between = rc == Z_STREAM_END;
    if (rc != Z_STREAM_END && unpack->n == 0)
        return refuse(unpack, "cut short: it ends within its compressed part", err);
    return 0;
}

/* 1: the window has bytes; 0: the file ends; -1. */
static int fill(struct unpack *unpack, struct err *err)
{
    while (unpack->n == 0) {
        int rc = unpack->between ? begin_member(unpack, err) : 1;

        if (rc <= 0)
            return rc;
        if (inflate_some(unpack, err) != 0)
            return -1;
    }
    return 1;
}

/* Takes as much of a line as the window has; *ended: the line is complete. */
static void take_piece(struct unpack *unpack, bool *ended, bool *whole)
{
    const uint8_t *from = unpack->window + unpack->at, *end = memchr(from, '\n', unpack->n);
    size_t n = end != NULL ? (size_t)(end - from) : unpack->n;
    size_t keep = size_min(n, UNPACK_LINE_MAX - unpack->line.len);

    *ended = end != NULL;
    *whole = *whole && keep == n;
    buf_append(&unpack->line, from, keep);
    n += end != NULL;
    unpack->at += n;
    unpack->n -= n;
}

static int packed_line(struct unpack *unpack, struct option_line *line, bool *whole,
                       struct err *err)
{
    bool ended = false, any = false;
    int rc = 1;

    buf_reset(&unpack->line);
    while (!ended && (rc = fill(unpack, err)) > 0) {
        any = true;
        take_piece(unpack, &ended, whole);
    }
    if (rc < 0 || !any)
        return rc;
    if (unpack->line.failed)
        return err_nomem(err, "%s", unpack->file->name);
    line->at = unpack->line.len > 0 ? (const char *)unpack->line.data : "";
    line->len = unpack->line.len;
    line->number = ++unpack->number;
    if (*whole && line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return 1;
}

int unpack_line(struct unpack *unpack, struct option_line *line, bool *whole, struct err *err)
{
    *whole = true;
    if (unpack->packed)
        return packed_line(unpack, line, whole, err);
    line->number = unpack->number;
    if (!option_file_line(unpack->file, &unpack->text_at, line))
        return 0;
    unpack->number = line->number;
    return 1;
}

static int unpack_to(struct unpack *unpack, struct buf *owned, struct err *err)
{
    int rc;

    while ((rc = fill(unpack, err)) > 0) {
        if (unpack->n > UNPACK_WHOLE_MAX - owned->len)
            return err_set(err, ERR_USAGE, "%s unpacks to more than the %zu bytes that are read",
                           unpack->file->name, UNPACK_WHOLE_MAX);
        buf_append(owned, unpack->window, unpack->n);
        unpack->n = 0;
    }
    if (owned->failed)
        return err_nomem(err, "%s", unpack->file->name);
    return rc;
}

int unpack_whole(const struct option_file *file, struct buf *owned, struct option_file *out,
                 struct err *err)
{
    struct unpack *unpack;
    int rc;

    *out = *file;
    if (!is_packed(file->text, file->len))
        return 0;
    unpack = unpack_new(file, err);
    rc = unpack != NULL ? unpack_to(unpack, owned, err) : -1;
    unpack_free(unpack);
    out->text = owned->len > 0 ? (const char *)owned->data : "";
    out->len = owned->len;
    return rc;
}
