/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY /* decompression without a window of its own */
#include "encoderd/zarr/chunk/unfold_impl.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ROOM_MAX ((size_t)512 << 10)
/* Of a mapping, before its pages are let go of. */
#define DROP_NBYTES ((uint64_t)2 << 20)
/* LZ4 cannot do better than a byte for 255. */
#define LZ4_RATIO 255

int unfold_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct unfold *u = arg;

    if (!size_range_ok(offset, n, u->length))
        return err_set(err, ERR_CORRUPT, "its data ends too early; " DAMAGED);
    return u->stored ? chunk_read(u->decoder, u->chunk, offset, to, n, err)
                     : spill_read(u->entry, u->area, offset, to, n, err);
}

int unfold_put(void *arg, const void *from, size_t n, struct err *err)
{
    struct sink *sink = arg;

    if (n > sink->end - sink->at)
        return err_set(err, ERR_CORRUPT,
                       "its data decompresses to more than a chunk has; " DAMAGED);
    if (spill_write(sink->u->entry, sink->area, sink->at, from, n, err) != 0)
        return -1;
    sink->at += n;
    return 0;
}

int unfold_broken(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its compressed data does not decompress; " DAMAGED);
}

/* ---- Decompression: bytes [from, from + n) of where the chunk is, into a sink ---- */

int unfold_copy(struct unfold *u, uint64_t from, uint64_t n, struct sink *sink, struct err *err)
{
    while (n > 0) {
        const size_t step = (size_t)size_min(n, u->room);

        if (unfold_read(u, from, u->in, step, err) != 0 || unfold_put(sink, u->in, step, err) != 0)
            return -1;
        from += step;
        n -= step;
    }
    return 0;
}

static int inflate_more(struct unfold *u, z_stream *z, struct sink *sink, int *state,
                        struct err *err)
{
    z->next_out = u->out;
    z->avail_out = (uInt)u->room;
    *state = inflate(z, Z_NO_FLUSH);
    if (*state == Z_MEM_ERROR)
        return err_nomem(err, "decompression");
    if (*state != Z_OK && *state != Z_STREAM_END && *state != Z_BUF_ERROR)
        return unfold_broken(err);
    return unfold_put(sink, u->out, u->room - z->avail_out, err);
}

static int inflate_loop(struct unfold *u, z_stream *z, bool gzip, uint64_t from, uint64_t n,
                        struct sink *sink, struct err *err)
{
    for (int state = Z_OK;;) {
        if (z->avail_in == 0 && n > 0) {
            const size_t step = (size_t)size_min(n, u->room);

            if (unfold_read(u, from, u->in, step, err) != 0)
                return -1;
            z->next_in = u->in;
            z->avail_in = (uInt)step;
            from += step;
            n -= step;
        }
        if (inflate_more(u, z, sink, &state, err) != 0)
            return -1;
        if (state == Z_STREAM_END && z->avail_in == 0 && n == 0)
            return 0;
        /* A gzip file may be several members in a row. */
        if (state == Z_STREAM_END && (!gzip || inflateReset(z) != Z_OK))
            return unfold_broken(err);
        if (state != Z_STREAM_END && z->avail_in == 0 && n == 0 && z->avail_out > 0)
            return unfold_broken(err);
    }
}

static int unzlib(struct unfold *u, bool gzip, uint64_t from, uint64_t n, struct sink *sink,
                  struct err *err)
{
    z_stream z = {0};
    int rc;

    if (inflateInit2(&z, gzip ? 15 + 16 : 15) != Z_OK)
        return err_nomem(err, "decompression");
    rc = inflate_loop(u, &z, gzip, from, n, sink, err);
    inflateEnd(&z);
    return rc;
}

static int unlz(struct unfold *u, enum lz_kind kind, uint64_t from, uint64_t n, uint64_t nbytes,
                struct sink *sink, struct err *err)
{
    struct unfold_part part = {u, from, sink};
    const struct lz_spec spec = {
        .kind = kind,
        .read = unfold_part_read,
        .length = n,
        .write = unfold_part_put,
        .arg = &part,
        .nbytes = nbytes,
        .in = u->in,
        .out = u->out,
        .in_size = u->room,
        .out_size = u->room,
    };

    return lz_decompress(&spec, err);
}

int unfold_part_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct unfold_part *part = arg;

    return unfold_read(part->u, part->from + offset, to, n, err);
}

int unfold_part_put(void *arg, const void *from, size_t n, struct err *err)
{
    return unfold_put(((struct unfold_part *)arg)->sink, from, n, err);
}

struct zstd_input {
    uint64_t at, end;
};

/* One step of a frame: a header, or a block, which is 128 KiB at most. Matches look back into the
 * mapping, so that the window needs no memory. */
static int zstd_step(struct unfold *u, struct zstd_input *in, size_t need, uint8_t *map,
                     struct sink *sink, struct err *err)
{
    const size_t most = (size_t)size_min(ZSTD_BLOCKSIZE_MAX, sink->end - sink->at);
    size_t got;

    if (need > in->end - in->at || need > u->room)
        return unfold_broken(err);
    if (unfold_read(u, in->at, u->in, need, err) != 0 ||
        spill_back(u->entry, sink->area, sink->at + most, err) != 0)
        return -1;
    got = ZSTD_decompressContinue(u->decoder->codecs.zstd, map + sink->at, most, u->in, need);
    if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall)
        return err_set(err, ERR_CORRUPT,
                       "its data decompresses to more than a chunk has; " DAMAGED);
    if (ZSTD_isError(got))
        return unfold_broken(err);
    in->at += need;
    /* What was touched goes on in the page cache. */
    if (sink->at / DROP_NBYTES != (sink->at + got) / DROP_NBYTES)
        madvise(map, (size_t)(sink->at + got), MADV_DONTNEED);
    sink->at += got;
    return 0;
}

/* Frames without contents, of any length, may lie between frames. */
static int skip_frame(struct unfold *u, struct zstd_input *in, bool *skipped, struct err *err)
{
    uint8_t head[8];

    *skipped = false;
    if (in->end - in->at < sizeof head)
        return 0;
    if (unfold_read(u, in->at, head, sizeof head, err) != 0)
        return -1;
    if ((get_le32(head) & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
        return 0;
    if (get_le32(head + 4) > in->end - in->at - sizeof head)
        return unfold_broken(err);
    in->at += sizeof head + get_le32(head + 4);
    *skipped = true;
    return 0;
}

static int unzstd_mapped(struct unfold *u, struct zstd_input *in, uint8_t *map, struct sink *sink,
                         struct err *err)
{
    ZSTD_DCtx *zstd = u->decoder->codecs.zstd;

    if (in->at == in->end)
        return unfold_broken(err);
    while (in->at < in->end) {
        bool skipped;
        size_t need;

        if (skip_frame(u, in, &skipped, err) != 0)
            return -1;
        if (skipped)
            continue;
        ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only);
        ZSTD_decompressBegin(zstd);
        while ((need = ZSTD_nextSrcSizeToDecompress(zstd)) > 0)
            if (zstd_step(u, in, need, map, sink, err) != 0)
                return -1;
    }
    return 0;
}

static int unzstd(struct unfold *u, uint64_t from, uint64_t n, struct sink *sink, struct err *err)
{
    struct zstd_input in = {from, from + n};
    uint8_t *map = spill_map(u->entry, sink->area, err);
    int rc = map == NULL ? -1 : unzstd_mapped(u, &in, map, sink, err);

    spill_unmap(u->entry, sink->area, map);
    return rc;
}

int unfold_unpack(struct unfold *u, enum packing packing, uint64_t from, uint64_t n,
                  struct sink *sink, struct err *err)
{
    switch (packing) {
    case PACKED_PLAIN:
        return unfold_copy(u, from, n, sink, err);
    case PACKED_ZSTD:
        return unzstd(u, from, n, sink, err);
    case PACKED_GZIP:
        return unzlib(u, true, from, n, sink, err);
    case PACKED_ZLIB:
        return unzlib(u, false, from, n, sink, err);
    case PACKED_LZ4:
        return unlz(u, LZ_LZ4, from, n, sink->end - sink->at, sink, err);
    case PACKED_BLOSCLZ:
        return unlz(u, LZ_BLOSCLZ, from, n, sink->end - sink->at, sink, err);
    case PACKED_SNAPPY:
        return unlz(u, LZ_SNAPPY, from, n, sink->end - sink->at, sink, err);
    }
    return err_set(err, ERR_SYSTEM, "packed in no way");
}

/* ---- Steps: from where the chunk is to the other area ---- */

int unfold_begin(struct unfold *u, uint64_t room, struct sink *sink, struct err *err)
{
    *sink = (struct sink){.u = u, .area = u->stored ? 0 : 1 - u->area, .end = room};
    return spill_area_open(u->entry, sink->area, room, err);
}

void unfold_end(struct unfold *u, const struct sink *sink, uint64_t nbytes)
{
    if (!u->stored)
        spill_area_close(u->entry, u->area);
    u->stored = false;
    u->area = sink->area;
    u->length = nbytes;
}

static int turn_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct unfold_turn *turn = arg;

    return turn->here ? unfold_read(turn->u, offset, to, n, err)
                      : spill_read(turn->u->entry, turn->area, offset, to, n, err);
}

static int turn_write(void *arg, uint64_t offset, const void *from, size_t n, struct err *err)
{
    const struct unfold_turn *turn = arg;

    return spill_write(turn->u->entry, turn->sink.area, turn->sink.at + offset, from, n, err);
}

int unfold_turn(const struct unfold_turn *ends, struct transpose *turn, struct err *err)
{
    const struct unfold *u = ends->u;

    turn->read = turn_read;
    turn->write = turn_write;
    turn->arg = (void *)(uintptr_t)ends;
    turn->in = u->in;
    turn->out = u->out;
    turn->room = u->room;
    return transpose_run(turn, err);
}
