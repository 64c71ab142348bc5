/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_steps: reads a chunk in its present state, and decompresses parts of it, of any length,
 * into the temporary file.
 */
#define ZSTD_STATIC_LINKING_ONLY /* for decompression without a window of its own */
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/store/damaged.h"

#include <sys/mman.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Room for a block of zstd, and for what zstd may write after it. */
#define BLOCK_ROOM ((uint64_t)2 * ZSTD_BLOCKSIZE_MAX)
/* How many bytes zstd wants at the beginning of a frame. */
#define FRAME_WANT ((size_t)5)
/* How much of a mapping is written before its pages are released. */
#define DROP_NBYTES ((uint64_t)2 << 20)

int unfold_read(const struct unfold *u, uint64_t offset, void *to, size_t n, struct err *err)
{
    if (!size_range_ok(offset, n, u->length))
        return err_set(err, ERR_CORRUPT, "its data ends too early; " DAMAGED);
    return u->stored ? chunk_read(u->decoder, u->chunk, offset, to, n, err)
                     : spill_read(u->entry, UNFOLD_BYTES, offset, to, n, err);
}

int unfold_begin(struct unfold *u, uint64_t most, struct err *err)
{
    return spill_open(u->entry, UNFOLD_NEXT, most, err);
}

int unfold_end(struct unfold *u)
{
    spill_move(u->entry, UNFOLD_NEXT, UNFOLD_BYTES);
    u->stored = false;
    u->length = spill_nbytes(u->entry, UNFOLD_BYTES);
    return 0;
}

/* ---- Decompression ---- */

/* Bytes [from, from + n) of the chunk in its present state, and the area for the result. */
struct packed_part {
    struct unfold *u;
    uint64_t from, n;
    unsigned area;
};

static int part_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct packed_part *part = arg;

    return unfold_read(part->u, part->from + offset, to, n, err);
}

/* If the area is too small, it has set the reason itself. */
static int zstd_failed(const struct packed_part *part, size_t code, uint64_t end, struct err *err)
{
    if (ZSTD_getErrorCode(code) == ZSTD_error_dstSize_tooSmall &&
        spill_write(part->u->entry, part->area, end + 1, NULL, 0, err) != 0)
        return -1;
    return stream_zstd_failed(code, err);
}

/* Decompresses frame by frame, straight into the mapped area, because matches refer back to its
 * bytes. The input that zstd wants at a time ends with a block, so at most one block is written at
 * a time. */
static int unzstd_mapped(struct packed_part *part, ZSTD_DCtx *zstd, uint8_t *map, uint64_t begin,
                         ZSTD_outBuffer *out, struct err *err)
{
    struct unfold *u = part->u;
    size_t want = FRAME_WANT;

    while (part->n > 0) {
        ZSTD_inBuffer in = {u->in, (size_t)size_min(size_min(want, u->room), part->n), 0};
        const size_t pos = out->pos;

        if (part_read(part, 0, u->in, in.size, err) != 0 ||
            spill_back(u->entry, part->area, begin + size_min(pos + BLOCK_ROOM, out->size), err) !=
                0)
            return -1;
        want = ZSTD_decompressStream(zstd, out, &in);
        if (ZSTD_isError(want))
            return zstd_failed(part, want, begin + out->size, err);
        part->from += in.pos;
        part->n -= in.pos;
        if (want == 0 && part->n == 0)
            return 0;
        if (want == 0)
            want = FRAME_WANT;
        /* Released pages stay in the page cache. */
        if (pos / DROP_NBYTES != out->pos / DROP_NBYTES)
            madvise(map, (size_t)begin + out->pos, MADV_DONTNEED);
    }
    return stream_zstd_failed((size_t)-ZSTD_error_srcSize_wrong, err);
}

static int unzstd(struct packed_part *part, uint64_t nbytes, struct err *err)
{
    struct spill_entry *entry = part->u->entry;
    const uint64_t begin = spill_nbytes(entry, part->area);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    ZSTD_outBuffer out = {0};
    uint8_t *map = NULL;
    uint64_t room;
    int rc = -1;

    if (zstd == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_stableOutBuffer, 1)) ||
        ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOWLOG_MAX)))
        err_nomem(err, "decompression");
    else
        map = spill_map(entry, part->area, &room, err);
    if (map != NULL) {
        out.dst = map + begin;
        out.size = (size_t)size_min(nbytes, room - begin);
        rc = unzstd_mapped(part, zstd, map, begin, &out, err);
        spill_unmap(entry, part->area, map);
        spill_cut(entry, part->area, begin + out.pos);
    }
    ZSTD_freeDCtx(zstd);
    return rc;
}

static int pull_all(struct unfold *u, struct stream *stream, unsigned area, struct err *err)
{
    size_t got;

    do {
        if (stream_pull(stream, u->out, u->room, &got, err) != 0 ||
            spill_append(u->entry, area, u->out, got, err) != 0)
            return -1;
    } while (got == u->room);
    return 0;
}

int unfold_unpack(struct unfold *u, enum stream_kind kind, uint64_t from, uint64_t n,
                  uint64_t nbytes, unsigned area, struct err *err)
{
    struct packed_part part = {u, from, n, area};
    const struct stream_spec spec = {
        .kind = kind, .read = part_read, .arg = &part, .length = n, .nbytes = nbytes};
    struct stream *stream;
    int rc;

    if (kind == STREAM_ZSTD)
        return unzstd(&part, nbytes, err);
    if (stream_new(&spec, &stream, err) != 0)
        return -1;
    rc = pull_all(u, stream, area, err);
    stream_free(stream);
    return rc;
}
