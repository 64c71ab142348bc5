/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks that fit no memory, of every kind that cannot be streamed, through the temporary file: the
 * bytes that they would be with all the memory there is, in any order, from any thread; and hostile
 * forms of each.
 */
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/store/spill.h"
#include "encoderd/zarr/store/stream.h"
#include "tests/unit/zarr_fixture.h"

#include <blosc.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <lz4.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <zstd.h>

#define SMALL    ((size_t)3 << 19)
#define NSPOILED 16
/* Of a chunk, decoded: more than a small decoder has, and no round number. */
#define NBYTES ((size_t)2000 * 1024)
#define LIMIT  ((uint64_t)1 << 30)
#define LITTLE "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"

#if defined(__SANITIZE_THREAD__) /* which runs some of the tests */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif

static struct fixture fix;
static struct spill *spill; /* fix.store's */

static int temporary(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

/* The next one, if there is one. */
static void start_spill(int fd, const char *dir, uint64_t limit)
{
    spill_free(spill);
    spill = spill_new(fd, dir, limit);
    store_set_spill(fix.store, spill);
}

static uint64_t bytes_spilled(void)
{
    return spill == NULL ? 0 : spill_used(spill);
}

static void forget_all(void)
{
    if (spill != NULL)
        spill_forget(spill, fix.store);
}

static int setup(void **state)
{
    (void)state;
    make_dir(&fix);
    put_text(&fix, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\",\"attributes\":{}}");
    open_path(&fix, fix.dir);
    start_spill(temporary(), "/tmp", LIMIT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_fixture(&fix);
    spill_free(spill);
    spill = NULL;
    return 0;
}

/* Bytes that compress somewhat, with matches near and far. */
static uint8_t *some_bytes(size_t n)
{
    uint8_t *bytes = malloc(n);
    uint32_t x = 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 30);
        if (i > 70000 && x % 64 == 0) {
            const size_t len = size_min(x >> 8 & 255, n - i), back = 1 + (x >> 12) % 70000;

            for (size_t k = 0; k < len; k++)
                bytes[i + k] = bytes[i + k - back];
            i += len;
            if (i < n)
                bytes[i] = (uint8_t)x;
        }
    }
    return bytes;
}

/* Not the directory itself: a store notices when that is another one. */
static int remove_below(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return ftw->level == 0 ? 0 : remove_entry(path, st, flag, ftw);
}

static struct zarr_array *make_array(const char *shape, const char *type, const char *fill,
                                     const char *codecs)
{
    char text[2048];

    snprintf(text, sizeof text, "%s/x", fix.dir);
    nftw(text, remove_below, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(text, sizeof text,
             "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":%s,\"data_type\":\"%s\","
             "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":%s}},"
             "\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":%s,\"codecs\":[%s]}",
             shape, type, shape, fill, codecs);
    put_text(&fix, "x/zarr.json", text);
    return open_array(&fix, "x");
}

static const char *chunk_file(const struct zarr_array *array)
{
    static char key[ZARR_KEY_MAX];

    zarr_chunk_key(array, (uint64_t[ZARR_DIMS_MAX]){0}, key);
    return key;
}

/* Forget what is in the file: another chunk has the same name. */
static void put_chunk(const struct zarr_array *array, const void *data, size_t n)
{
    forget_all();
    put_file(&fix, chunk_file(array), data, n);
}

/* The block that could not be decoded, or -1. */
static int read_all(struct decoder *decoder, const struct zarr_array *array,
                    const uint8_t *expected, struct err *err)
{
    struct chunk *chunk;
    struct block block;
    uint64_t n;

    if (decoder_chunk(decoder, array, (uint64_t[ZARR_DIMS_MAX]){0}, &chunk, err) != 0)
        return 0;
    n = chunk_nblocks(chunk);
    for (uint64_t i = 0; i < n + 4; i++) {
        /* In order, then here and there. */
        const uint64_t at = i < n ? i : i * 7 % n;

        if (decoder_block(decoder, chunk, at, false, &block, err) != 0)
            return (int)at;
        if (expected != NULL)
            assert_memory_equal(block.data, expected + block.begin, block.nbytes);
    }
    return -1;
}

static void expect(const struct zarr_array *array, const uint8_t *expected)
{
    struct decoder *small = decoder_new(SMALL, NULL);
    struct err err = {0};

    if (read_all(small, array, expected, &err) >= 0)
        fail_msg("%s: %s", array->meta.codec_text, err.msg);
    decoder_free(small);
    if (bytes_spilled() == 0)
        fail_msg("%s: it was not needed", array->meta.codec_text);
}

static void expect_error(const struct zarr_array *array, enum err_code code, const char *word)
{
    struct decoder *small = decoder_new(SMALL, NULL);
    struct err err = {0};

    forget_all();
    assert_int_equal(read_all(small, array, NULL, &err), 0);
    if (err.code != code || strstr(err.msg, chunk_file(array)) == NULL ||
        strstr(err.msg, word) == NULL)
        fail_msg("%d: '%s' does not say '%s'", err.code, err.msg, word);
    decoder_free(small);
    assert_int_equal(bytes_spilled(), 0);
}

/* Damage: an error that names the chunk, always where it is cut off and where all of it is
 * `checked`. */
static void spoil(const struct zarr_array *array, const uint8_t *stored, size_t n, bool checked)
{
    struct decoder *small = decoder_new(SMALL, NULL);
    uint8_t *copy = malloc(n + 1);
    uint32_t x = 7;

    for (int i = 0; i < NSPOILED; i++) {
        struct err err = {0};
        size_t len = n;
        int bad;

        memcpy(copy, stored, n);
        copy[n] = 0;
        x = x * 1664525 + 1013904223;
        if (i < 5)
            len = i == 0 ? 0 : i == 1 ? n - 1 : i == 2 ? n + 1 : (x >> 4) % n;
        else
            copy[(i < 10 ? (x >> 4) % 64 : x >> 4) % n] ^= (uint8_t)(1 + x % 255);
        decoder_trim(small);
        put_chunk(array, copy, len);
        bad = read_all(small, array, NULL, &err);
        if (bad >= 0)
            assert_non_null(strstr(err.msg, chunk_file(array)));
        assert_true(bad < 0 || err.code == ERR_CORRUPT || err.code == ERR_BUDGET ||
                    err.code == ERR_UNSUPPORTED);
        /* What follows a Blosc frame is nobody's. */
        if ((i < 5 && i != 2) || checked)
            assert_int_equal(bad, 0);
        if (bad >= 0)
            assert_int_equal(bytes_spilled(), 0);
    }
    free(copy);
    decoder_free(small);
}

/* ---- Compressors ---- */

static size_t pack(const char *how, const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);
    size_t got = 0;

    if (strcmp(how, "zstd") == 0) {
        got = ZSTD_compress(to, room, from, n, 1);
    } else if (strcmp(how, "gzip") == 0) {
        got = libdeflate_gzip_compress(deflate, from, n / 2, to, room);
        got += libdeflate_gzip_compress(deflate, from + n / 2, n - n / 2, to + got, room - got);
    } else if (strcmp(how, "numcodecs.zlib") == 0) {
        got = libdeflate_zlib_compress(deflate, from, n, to, room);
    } else if (strcmp(how, "numcodecs.lz4") == 0) {
        put_le32(to, (uint32_t)n);
        got = 4 + (size_t)LZ4_compress_default((const char *)from, (char *)to + 4, (int)n,
                                               (int)room - 4);
    } else if (strcmp(how, "blosc") == 0) {
        got = (size_t)blosc_compress_ctx(5, 1, 4, n, from, to, room, "zstd", 0, 1);
    } else if (strcmp(how, "crc32c") == 0) {
        memcpy(to, from, n);
        put_le32(to + n, crc32c(from, n));
        got = n + 4;
    }
    libdeflate_free_compressor(deflate);
    assert_true(got > 0 && got <= room);
    return got;
}

/* Through several, in the order of the list; the caller frees *out. */
static size_t pack_all(const char *const *how, const uint8_t *from, size_t n, uint8_t **out)
{
    const size_t room = n + n / 4 + 65536;
    uint8_t *here = malloc(room), *there = malloc(room), *swap;

    memcpy(here, from, n);
    for (; *how != NULL; how++) {
        n = pack(*how, here, n, there, room);
        swap = here;
        here = there;
        there = swap;
    }
    free(there);
    *out = here;
    return n;
}

static void list_codecs(const char *const *how, const char *first, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s" LITTLE, first);

    for (; *how != NULL; how++)
        used += (size_t)snprintf(out + used, size - used, ",\"%s\"", *how);
}

static const char *const chains[][5] = {
    {"numcodecs.lz4"},
    {"numcodecs.lz4", "crc32c"},
    {"zstd", "gzip"},
    {"gzip", "zstd", "crc32c"},
    {"crc32c", "numcodecs.zlib", "numcodecs.lz4"},
    {"blosc", "zstd"},
    {"numcodecs.lz4", "blosc"},
    {"blosc", "crc32c"},
};

static void test_chains(void **state)
{
    uint8_t *bytes = some_bytes(NBYTES);

    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        struct zarr_array *array;
        char codecs[512];
        uint8_t *stored;
        size_t n;

        list_codecs(chains[i], "", codecs, sizeof codecs);
        array = make_array("[2000,256]", "int32", "0", codecs);
        n = pack_all(chains[i], bytes, NBYTES, &stored);
        put_chunk(array, stored, n);
        expect(array, bytes);
        spoil(array, stored, n, strcmp(chains[i][1] != NULL ? chains[i][1] : "", "crc32c") == 0);
        free(stored);
        zarr_array_free(array);
    }
    free(bytes);
}

/* A window that is longer than any scratch, and frames that say nothing. */
static void test_zstd_window(void **state)
{
    const size_t n = (size_t)12 << 20, room = ZSTD_compressBound(n) + 64;
    uint8_t *bytes = some_bytes(n), *stored = malloc(room);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    struct zarr_array *array;
    size_t got = 0;

    (void)state;
    memcpy(bytes + n / 2, bytes, n / 2);
    put_le32(stored, 0x184d2a57);
    put_le32(stored + 4, 9);
    got = 8 + 9;
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 24);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_enableLongDistanceMatching, 1);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    got += ZSTD_compress2(zstd, stored + got, room - got, bytes, n - 1000);
    got += ZSTD_compress2(zstd, stored + got, room - got, bytes + n - 1000, 1000);
    assert_true(got < n * 2 / 3);
    array = make_array("[3145728]", "int32", "0", LITTLE ",\"zstd\"");
    put_chunk(array, stored, got);
    expect(array, bytes);
    spoil(array, stored, got, false);
    zarr_array_free(array);
    ZSTD_freeCCtx(zstd);
    free(bytes);
    free(stored);
}

/* ---- Orders ---- */

static void transpose_bytes(const struct zarr_meta *meta, const uint8_t *plain, uint8_t *stored)
{
    const size_t size = meta->dtype.size;
    uint64_t index[ZARR_DIMS_MAX] = {0};

    for (uint64_t k = 0; k < meta->chunk_elements; k++) {
        uint64_t place = 0;
        unsigned d;

        for (d = 0; d < meta->ndim; d++)
            place = place * meta->chunk[d] + index[d];
        memcpy(stored + k * size, plain + place * size, size);
        for (d = meta->ndim; d > 0; d--) {
            if (++index[meta->axes[d - 1]] < meta->chunk[meta->axes[d - 1]])
                break;
            index[meta->axes[d - 1]] = 0;
        }
    }
}

static void test_orders(void **state)
{
    static const struct {
        const char *shape, *order, *type;
        size_t nbytes;
    } cases[] = {
        {"[600,1024]", "[1,0]", "int32", 600 * 1024 * 4},
        {"[1001,1024,2]", "[2,1,0]", "int8", 1001 * 1024 * 2},
        {"[1024,1000,2]", "[0,2,1]", "int8", 1000 * 1024 * 2},
        {"[3,1000,7,100]", "[1,3,0,2]", "uint8", 3 * 1000 * 7 * 100},
        {"[700000,3]", "[1,0]", "uint8", 2100000},
        {"[3,700000]", "[1,0]", "uint8", 2100000},
        {"[11,13,17,9,3,5,9]", "[6,0,5,1,4,2,3]", "uint8", 11 * 13 * 17 * 9 * 3 * 5 * 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t c = 0; c < 3; c++) {
            static const char *const how[3][3] = {{NULL}, {"zstd"}, {"numcodecs.lz4", "crc32c"}};
            uint8_t *bytes = some_bytes(cases[i].nbytes), *turned = malloc(cases[i].nbytes);
            char first[128], codecs[512];
            struct zarr_array *array;
            uint8_t *stored;
            size_t n;

            snprintf(first, sizeof first,
                     "{\"name\":\"transpose\",\"configuration\":{\"order\":%s}},", cases[i].order);
            list_codecs(how[c], first, codecs, sizeof codecs);
            array = make_array(cases[i].shape, cases[i].type, "0", codecs);
            transpose_bytes(&array->meta, bytes, turned);
            n = pack_all(how[c], turned, cases[i].nbytes, &stored);
            put_chunk(array, stored, n);
            expect(array, bytes);
            if (i == 0)
                spoil(array, stored, n, c == 2);
            zarr_array_free(array);
            free(stored);
            free(turned);
            free(bytes);
        }
}

/* ---- Filters: what a small decoder makes of them is what a large one makes, which other tests
 * hold against numcodecs' definitions ---- */

static void test_filters(void **state)
{
    static const struct {
        const char *dtype, *filters;
        size_t each; /* stored bytes per 8 elements */
    } cases[] = {
        {"<i4", "{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"|i1\"}", 8},
        {"<f4", "{\"id\":\"delta\",\"dtype\":\"<f4\"}", 32},
        {"<f2", "{\"id\":\"delta\",\"dtype\":\"<f2\"}", 16},
        {"|b1", "{\"id\":\"packbits\"}", 1},
        {"<f8",
         "{\"id\":\"fixedscaleoffset\",\"scale\":10,\"offset\":1.5,\"dtype\":\"<f8\",\"astype\":"
         "\"<i2\"}",
         16},
        {">i4", "{\"id\":\"shuffle\",\"elementsize\":4}", 32},
        {"<i8",
         "{\"id\":\"delta\",\"dtype\":\"<i8\",\"astype\":\"<i4\"},"
         "{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"<i2\"},"
         "{\"id\":\"shuffle\",\"elementsize\":2}",
         16},
    };
    struct decoder *large = decoder_new((size_t)256 << 20, NULL);
    uint8_t *packed = NULL;

    (void)state;
    make_dir(&fix);
    put_text(&fix, ".zgroup", "{\"zarr_format\":2}");
    open_path(&fix, fix.dir);
    start_spill(temporary(), "/tmp", LIMIT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t f = 0; f < 2; f++) {
            const size_t elements = (size_t)800 * 2048; /* 1.6 MB of bools */
            const size_t stored = elements / 8 * cases[i].each + (cases[i].each == 1);
            uint8_t *plain = malloc(elements * 8), *at;
            struct chunk *chunk;
            struct block block;
            struct err err = {0};
            char text[1024];
            struct zarr_array *array;
            size_t n;

            assert_true(stored <= (size_t)16 << 20);
            at = some_bytes(stored);
            if (cases[i].each == 1)
                at[0] = 0;
            packed = realloc(packed, ZSTD_compressBound(stored));
            snprintf(text, sizeof text,
                     "{\"zarr_format\":2,\"shape\":[800,2048],\"chunks\":[800,2048],\"dtype\":"
                     "\"%s\",\"fill_value\":null,\"order\":\"%s\",\"filters\":[%s],"
                     "\"compressor\":{\"id\":\"zstd\"}}",
                     cases[i].dtype, f == 0 ? "C" : "F", cases[i].filters);
            put_text(&fix, "x/.zarray", text);
            array = open_array(&fix, "x");
            n = ZSTD_compress(packed, ZSTD_compressBound(stored), at, stored, 1);
            decoder_trim(large);
            put_chunk(array, packed, n);
            if (decoder_chunk(large, array, (uint64_t[2]){0, 0}, &chunk, &err) != 0)
                fail_msg("%s", err.msg);
            assert_int_equal(chunk_nblocks(chunk), 1);
            if (decoder_block(large, chunk, 0, false, &block, &err) != 0)
                fail_msg("%s", err.msg);
            memcpy(plain, block.data, block.nbytes);
            assert_int_equal(bytes_spilled(), 0);
            expect(array, plain);
            if (f == 1 && i % 3 == 0)
                spoil(array, packed, n, false);
            zarr_array_free(array);
            free(at);
            free(plain);
        }
    decoder_free(large);
    free(packed);
}

/* ---- Blosc ---- */

static void check_frame(uint8_t *frame, size_t n, const uint8_t *bytes, size_t nbytes, bool damage)
{
    struct zarr_array *array;
    char shape[32];

    snprintf(shape, sizeof shape, "[%zu]", nbytes);
    array = make_array(shape, "uint8", "0", LITTLE ",\"blosc\"");
    put_chunk(array, frame, n);
    expect(array, bytes);
    if (damage)
        spoil(array, frame, n, false);
    zarr_array_free(array);
}

/* c-blosc splits no block of more than 1 MiB; others may. */
static size_t split_frame(const uint8_t *frame, size_t nbytes, const char *compressor, uint8_t *out)
{
    const uint32_t splits = frame[3], each = (uint32_t)nbytes / splits;
    uint8_t *shuffled = malloc(nbytes), *plain = malloc(nbytes * 2), *part = malloc(each * 2);
    size_t at = 20;

    /* What is in the streams is what the frame has if nothing is said of shuffling. */
    memcpy(plain, frame, get_le32(frame + 12));
    plain[2] &= (uint8_t)~5;
    assert_int_equal(blosc_decompress_ctx(plain, shuffled, nbytes, 1), nbytes);
    memcpy(out, frame, 16);
    out[2] &= (uint8_t)~0x10;
    put_le32(out + 16, 20);
    for (uint32_t k = 0; k < splits; k++) {
        const int n = blosc_compress_ctx(5, 0, 1, each, shuffled + k * each, part, each * 2,
                                         compressor, each, 1);
        const bool stored = (part[2] & 2) != 0;
        const uint32_t len = stored ? each : (uint32_t)n - 24;

        assert_true(n > 0 && (stored || get_le32(part + 20) == len));
        put_le32(out + at, len);
        memcpy(out + at + 4, part + (stored ? 16 : 24), len);
        at += 4 + len;
    }
    put_le32(out + 12, (uint32_t)at);
    free(shuffled);
    free(plain);
    free(part);
    return at;
}

static void check_blosc(const char *compressor, int shuffle, unsigned typesize, bool damage)
{
    /* One block; or one and a shorter one, with a rest that is no element. */
    const bool whole = typesize % 2 == 0;
    const size_t block = whole ? (size_t)2 << 20 : (size_t)7 << 18,
                 nbytes = block + (whole ? 0 : 41);
    const size_t room = nbytes * 2;
    uint8_t *bytes = some_bytes(nbytes), *frame = malloc(room), *split = malloc(room);
    int n =
        blosc_compress_ctx(5, shuffle, typesize, nbytes, bytes, frame, room, compressor, block, 1);

    assert_true(n > 0 && (frame[2] & 2) == 0);
    assert_int_equal(get_le32(frame + 8), block / typesize * typesize);
    check_frame(frame, (size_t)n, bytes, nbytes, damage);
    if (whole && typesize > 1 && typesize <= 16) {
        const size_t m = split_frame(frame, nbytes, compressor, split);
        uint8_t *due = malloc(nbytes);

        assert_int_equal(blosc_decompress_ctx(split, due, nbytes, 1), nbytes);
        assert_memory_equal(due, bytes, nbytes);
        check_frame(split, m, bytes, nbytes, damage);
        free(due);
    }
    free(split);
    free(frame);
    free(bytes);
}

static void test_blosc(void **state)
{
    static const char *const compressors[] = {"blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"};
    static const unsigned sizes[] = {1, 2, 3, 4, 8, 17};

    (void)state;
    blosc_set_splitmode(BLOSC_NEVER_SPLIT);
    for (size_t c = 0; c < sizeof compressors / sizeof compressors[0]; c++)
        for (int shuffle = 0; shuffle < 3; shuffle++)
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
                if ((c + s + (size_t)shuffle) % 3 == 0 || s == 3)
                    check_blosc(compressors[c], shuffle, sizes[s], s == 3 && shuffle == (int)c % 3);
    blosc_set_splitmode(BLOSC_FORWARD_COMPAT_SPLIT);
}

/* ---- Strings ---- */

static size_t make_strings(uint64_t n, uint32_t seed, uint8_t **out, size_t **lengths)
{
    uint8_t *to = malloc(4 + n * 80);
    size_t at = 4;
    uint32_t x = seed;

    *lengths = calloc(n, sizeof **lengths);
    put_le32(to, (uint32_t)n);
    for (uint64_t k = 0; k < n; k++) {
        size_t len;

        x = x * 1664525 + 1013904223;
        len = x >> 8 & 31;
        put_le32(to + at, (uint32_t)len);
        for (size_t i = 0; i < len; i++)
            to[at + 4 + i] = (uint8_t)("ACGT"[(x >> (i % 16)) & 3]);
        if (len > 4)
            memcpy(to + at + 4 + len - 3, "\xe2\x82\xac", 3);
        (*lengths)[k] = len;
        at += 4 + len;
    }
    *out = to;
    return at;
}

/* Where string k of the file is in C order: [a,b], stored with a fastest or slowest. */
static uint64_t string_place(uint64_t k, uint64_t a, uint64_t b, bool fortran)
{
    return fortran ? k % a * b + k / a : k;
}

static void check_strings(struct decoder *decoder, const struct zarr_array *array,
                          const uint8_t *file, const size_t *lengths, uint64_t a, uint64_t b,
                          bool fortran, uint64_t first, uint64_t least)
{
    const uint8_t **where = calloc(a * b, sizeof *where);
    size_t *length = calloc(a * b, sizeof *length);
    struct strings got = {0};
    struct err err = {0};
    size_t at = 4;

    for (uint64_t k = 0; k < a * b; k++, at += 4 + lengths[k - 1]) {
        where[string_place(k, a, b, fortran)] = file + at + 4;
        length[string_place(k, a, b, fortran)] = lengths[k];
    }
    for (uint64_t k = first; k < a * b; k = got.first + got.nitems) {
        if (zarr_chunk_strings_at(decoder, array, (uint64_t[2]){0, 0}, k,
                                  size_min(least, a * b - k), (size_t)1 << 18, &got, &err) != 0)
            fail_msg("%s", err.msg);
        assert_true(strings_hold(&got, k, size_min(least, a * b - k)));
        assert_true(got.nitems * sizeof(struct str) <= 1 << 18);
        for (size_t i = 0; i < got.nitems; i++) {
            assert_int_equal(got.items[i].len, length[got.first + i]);
            assert_memory_equal(got.items[i].at, where[got.first + i], got.items[i].len);
        }
    }
    strings_free(&got);
    free(where);
    free(length);
}

static void spoil_strings(const struct zarr_array *array, const uint8_t *stored, size_t n)
{
    struct decoder *small = decoder_new(SMALL, NULL);
    uint8_t *copy = malloc(n);
    uint32_t x = 3;

    for (int i = 0; i < 24; i++) {
        struct strings got = {0};
        struct err err = {0};
        size_t len = n;
        int rc;

        memcpy(copy, stored, n);
        x = x * 1664525 + 1013904223;
        if (i < 6)
            len = (x >> 4) % n;
        else
            copy[(i < 16 ? (x >> 4) % 64 : x >> 4) % n] ^= (uint8_t)(0x80 | x % 255);
        put_chunk(array, copy, len);
        rc = zarr_chunk_strings_at(small, array, (uint64_t[2]){0, 0}, 5, 1, 65536, &got, &err);
        if (rc != 0)
            assert_non_null(strstr(err.msg, "x/c/0/0"));
        if (i < 6)
            assert_int_equal(rc, -1);
        strings_free(&got);
    }
    free(copy);
    decoder_free(small);
}

static void test_strings(void **state)
{
    static const char *const how[][3] = {
        {NULL}, {"zstd"}, {"numcodecs.lz4", "crc32c"}, {"gzip"}, {"blosc"}};
    const uint64_t a = 30000, b = 5;
    size_t *lengths, plain;
    uint8_t *file;

    (void)state;
    plain = make_strings(a * b, 1, &file, &lengths);
    assert_true(plain > (size_t)2 << 20);
    for (size_t c = 0; c < sizeof how / sizeof how[0]; c++)
        for (int fortran = 0; fortran < 2; fortran++) {
            struct decoder *small = decoder_new(SMALL, NULL);
            struct zarr_array *array;
            char codecs[256] = "";
            uint8_t *stored;
            size_t used = 0, n;

            if (fortran)
                used = (size_t)sprintf(
                    codecs, "{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}},");
            used += (size_t)sprintf(codecs + used, "\"vlen-utf8\"");
            for (const char *const *h = how[c]; *h != NULL; h++)
                used += (size_t)sprintf(codecs + used, ",\"%s\"", *h);
            array = make_array("[30000,5]", "string", "\"\"", codecs);
            n = pack_all(how[c], file, plain, &stored);
            put_chunk(array, stored, n);
            check_strings(small, array, file, lengths, a, b, fortran, 0, 1);
            assert_true(bytes_spilled() > plain);
            check_strings(small, array, file, lengths, a, b, fortran, a * b - 17, 5);
            check_strings(small, array, file, lengths, a, b, fortran, a * b / 3, 4000);
            spoil_strings(array, stored, n);
            free(stored);
            zarr_array_free(array);
            decoder_free(small);
        }
    free(file);
    free(lengths);
}

/* One string that no window holds is checked all the same, and held if it is not too long. */
static void test_long_string(void **state)
{
    const size_t len = ((size_t)3 << 20) + 2;
    uint8_t *file = malloc(4 + 3 * 4 + len);
    struct decoder *small = decoder_new(SMALL, NULL);
    struct strings got = {0};
    struct zarr_array *array;
    struct err err = {0};

    (void)state;
    put_le32(file, 3);
    put_le32(file + 4, 0);
    put_le32(file + 8, (uint32_t)len);
    for (size_t i = 0; i < len; i++)
        file[12 + i] = (uint8_t) "\xe2\x82\xac"[i % 3];
    file[12 + len - 2] = 'x';
    file[12 + len - 1] = 'y';
    put_le32(file + 12 + len, 0);
    array = make_array("[3]", "string", "\"\"", "\"vlen-utf8\"");
    put_chunk(array, file, 16 + len);
    assert_int_equal(zarr_chunk_strings_at(small, array, (uint64_t[]){0}, 1, 1, 65536, &got, &err),
                     0);
    assert_true(strings_hold(&got, 1, 1));
    assert_int_equal(got.items[1 - got.first].len, len);
    assert_memory_equal(got.items[1 - got.first].at, file + 12, len);
    file[12 + len / 2] = 0xff;
    put_chunk(array, file, 16 + len);
    assert_int_equal(zarr_chunk_strings_at(small, array, (uint64_t[]){0}, 0, 1, 65536, &got, &err),
                     -1);
    assert_non_null(strstr(err.msg, "string 1 is not UTF-8"));
    zarr_array_free(array);
    decoder_free(small);
    strings_free(&got);
    free(file);
}

static void test_fixed_strings(void **state)
{
    static const char *const types[] = {"null_terminated_bytes", "fixed_length_utf32"};
    const uint64_t n = 400000;
    uint8_t *bytes = calloc(n, 12);
    struct decoder *small = decoder_new(SMALL, NULL);

    (void)state;
    for (unsigned wide = 0; wide < 2; wide++)
        for (unsigned c = 0; c < 2; c++) {
            static const char *const how[2][2] = {{NULL}, {"numcodecs.lz4"}};
            struct strings got = {0};
            struct zarr_array *array;
            struct err err = {0};
            uint8_t *stored;
            char text[1024];
            size_t used;

            memset(bytes, 0, n * 12);
            for (uint64_t k = 0; k < n; k++)
                for (uint64_t i = 0; i < k % (wide ? 4 : 12); i++)
                    bytes[k * 12 + i * (wide ? 4 : 1)] = (uint8_t)('a' + (k + i) % 26);
            snprintf(text, sizeof text,
                     "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[400000],\"data_type\":"
                     "{\"name\":\"%s\",\"configuration\":{\"length_bytes\":12}},\"chunk_grid\":"
                     "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[400000]}},"
                     "\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":\"\","
                     "\"codecs\":[" LITTLE "%s]}",
                     types[wide], c == 1 ? ",\"numcodecs.lz4\"" : "");
            put_text(&fix, "x/zarr.json", text);
            array = open_array(&fix, "x");
            used = pack_all(how[c], bytes, n * 12, &stored);
            decoder_trim(small);
            put_chunk(array, stored, used);
            for (uint64_t k = 0; k < n; k = got.first + got.nitems) {
                if (zarr_chunk_strings_at(small, array, (uint64_t[]){0}, k, 1, 100000, &got,
                                          &err) != 0)
                    fail_msg("%s", err.msg);
                for (size_t i = 0; i < got.nitems; i++) {
                    const uint64_t at = got.first + i;

                    assert_int_equal(got.items[i].len, at % (wide ? 4 : 12));
                    for (size_t j = 0; j < got.items[i].len; j++)
                        assert_int_equal(got.items[i].at[j], 'a' + (at + j) % 26);
                }
            }
            strings_free(&got);
            free(stored);
            zarr_array_free(array);
        }
    decoder_free(small);
    free(bytes);
}

/* ---- Sharing, limits, lies ---- */

struct reader {
    pthread_t thread;
    const struct zarr_array *array;
    const uint8_t *expected;
    uint64_t bytes_read;
};

static void *read_thread(void *arg)
{
    struct reader *reader = arg;
    struct decoder *decoder = decoder_new(SMALL, NULL);
    struct decoder_stats stats;
    struct err err = {0};

    if (read_all(decoder, reader->array, reader->expected, &err) >= 0)
        fail_msg("%s", err.msg);
    decoder_stats(decoder, &stats);
    reader->bytes_read = stats.bytes_read;
    decoder_free(decoder);
    return NULL;
}

static void test_shared(void **state)
{
    static const char *const how[] = {"numcodecs.lz4", NULL};
    uint8_t *bytes = some_bytes(NBYTES), *stored;
    struct zarr_array *array = make_array("[2000,256]", "int32", "0", LITTLE ",\"numcodecs.lz4\"");
    size_t n = pack_all(how, bytes, NBYTES, &stored);
    struct reader readers[6];
    uint64_t sum = 0;

    (void)state;
    put_chunk(array, stored, n);
    for (size_t k = 0; k < 6; k++) {
        readers[k] = (struct reader){.array = array, .expected = bytes};
        assert_int_equal(pthread_create(&readers[k].thread, NULL, read_thread, &readers[k]), 0);
    }
    for (size_t k = 0; k < 6; k++) {
        pthread_join(readers[k].thread, NULL);
        sum += readers[k].bytes_read;
    }
    assert_int_equal(sum, n);
    assert_true(bytes_spilled() >= NBYTES && bytes_spilled() < NBYTES + (1 << 20));
    forget_all();
    assert_int_equal(bytes_spilled(), 0);
    zarr_array_free(array);
    free(stored);
    free(bytes);
}

/* Many chunks, and room for one and a half of them on their way: everybody gets the right bytes in
 * the end, and the file never has more than it may. */
static void test_room(void **state)
{
    static const char *const how[] = {"numcodecs.lz4", "crc32c", "zstd", NULL};
    uint8_t *bytes = some_bytes(NBYTES), *stored;
    size_t n = pack_all(how, bytes, NBYTES, &stored);
    struct zarr_array *arrays[5];
    struct reader readers[5];
    char name[16], text[128];

    (void)state;
    for (size_t k = 0; k < 5; k++) {
        struct zarr_array *array;
        char meta[2048];
        FILE *file;

        array =
            make_array("[2000,256]", "int32", "0", LITTLE ",\"numcodecs.lz4\",\"crc32c\",\"zstd\"");
        zarr_array_free(array);
        snprintf(text, sizeof text, "%s/x/zarr.json", fix.dir);
        file = fopen(text, "r");
        meta[fread(meta, 1, sizeof meta - 1, file)] = '\0';
        fclose(file);
        snprintf(text, sizeof text, "y%zu/zarr.json", k);
        put_text(&fix, text, meta);
        snprintf(text, sizeof text, "y%zu/c/0/0", k);
        put_file(&fix, text, stored, n);
        snprintf(name, sizeof name, "y%zu", k);
        arrays[k] = open_array(&fix, name);
    }
    start_spill(temporary(), "/tmp", NBYTES * 2 + NBYTES / 2);
    for (size_t k = 0; k < 5; k++) {
        readers[k] = (struct reader){.array = arrays[k], .expected = bytes};
        assert_int_equal(pthread_create(&readers[k].thread, NULL, read_thread, &readers[k]), 0);
    }
    for (size_t k = 0; k < 5; k++)
        pthread_join(readers[k].thread, NULL);
    assert_true(bytes_spilled() <= NBYTES * 2 + NBYTES / 2);
    for (size_t k = 0; k < 5; k++)
        zarr_array_free(arrays[k]);
    free(stored);
    free(bytes);
}

static void test_limits(void **state)
{
    static const char *const how[] = {"numcodecs.lz4", NULL};
    uint8_t *bytes = some_bytes(NBYTES), *stored;
    struct zarr_array *array = make_array("[2000,256]", "int32", "0", LITTLE ",\"numcodecs.lz4\"");
    size_t n = pack_all(how, bytes, NBYTES, &stored);
    struct rlimit before, limit;

    (void)state;
    put_chunk(array, stored, n);
    start_spill(temporary(), "/some/dir", NBYTES / 2);
    expect_error(array, ERR_BUDGET, "/some/dir");
    expect_error(array, ERR_BUDGET, "TMPDIR");
    start_spill(temporary(), "/some/dir", LIMIT);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){1 << 20, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    expect_error(array, ERR_BUDGET, "/some/dir");
    setrlimit(RLIMIT_FSIZE, &before);
    expect(array, bytes);
    /* Without a file it is refused, and says what to do. */
    start_spill(-1, "", 0);
    expect_error(array, ERR_BUDGET, "TMPDIR");
    expect_error(array, ERR_BUDGET, "--memory");
    zarr_array_free(array);
    free(stored);
    free(bytes);
}

/* What is claimed costs nothing. */
static void test_claims(void **state)
{
    static const struct {
        const char *codecs, *word;
    } cases[] = {
        {LITTLE ",\"numcodecs.lz4\"", "LZ4"},
        {LITTLE ",\"zstd\",\"gzip\"", "decompress"},
        {"{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}}," LITTLE, "bytes"},
        {LITTLE ",\"blosc\",\"crc32c\"", ""},
    };
    uint8_t lies[64];

    (void)state;
    memset(lies, 0xfe, sizeof lies);
    put_le32(lies, 0x7ffffff0);
    put_le32(lies + 60, crc32c(lies, 60));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* 1 TiB */
        struct zarr_array *array = make_array("[1048576,262144]", "int32", "0", cases[i].codecs);

        put_chunk(array, lies, sizeof lies);
        expect_error(array, ERR_CORRUPT, cases[i].word);
        zarr_array_free(array);
    }
}

/* zstd that goes on and on: no more than the chunk has is ever written. */
static void test_bomb(void **state)
{
    const size_t n = (size_t)100 << 20, room = ZSTD_compressBound(n);
    uint8_t *plain = calloc(1, n), *packed = malloc(room), *outer = malloc(room);
    struct zarr_array *array = make_array("[2000,256]", "int32", "0", LITTLE ",\"zstd\",\"zstd\"");
    size_t got;

    (void)state;
    got = ZSTD_compress(packed, room, plain, n, 1);
    got = ZSTD_compress(outer, room, packed, got, 1);
    put_chunk(array, outer, got);
    start_spill(temporary(), "/tmp", NBYTES * 5);
    expect_error(array, ERR_CORRUPT, "more than a chunk");
    got = ZSTD_compress(outer, room, plain, n, 1);
    put_chunk(array, outer, got);
    expect_error(array, ERR_CORRUPT, "more than a chunk");
    zarr_array_free(array);
    free(plain);
    free(packed);
    free(outer);
}

/* ---- The decompressors by themselves, against the libraries ---- */

static int text_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    (void)err;
    memcpy(to, (const uint8_t *)arg + offset, n);
    return 0;
}

/* In parts of a size that divides nothing. */
static int unpack(enum stream_kind kind, const uint8_t *from, size_t n, uint8_t *to, size_t nbytes)
{
    const struct stream_spec spec = {.kind = kind,
                                     .read = text_read,
                                     .arg = (void *)(uintptr_t)from,
                                     .length = n,
                                     .nbytes = nbytes};
    struct stream *stream;
    int rc = stream_new(&spec, &stream, NULL);

    assert_int_equal(rc, 0);
    for (size_t at = 0, step; at < nbytes && rc == 0; at += step) {
        step = size_min(nbytes - at, 77777);
        rc = stream_read(stream, at, to + at, step, NULL);
    }
    stream_free(stream);
    return rc;
}

/* In a Blosc frame of one block that is one stream, which begins here. */
#define STREAM_AT 24

static void test_lz(void **state)
{
    static const char *const names[] = {"lz4", "blosclz", "snappy"};
    static const enum stream_kind kinds[] = {STREAM_LZ4, STREAM_BLOSCLZ, STREAM_SNAPPY};
    const size_t n = 300000, room = n * 2;
    uint8_t *bytes = some_bytes(n), *packed = malloc(room), *got = malloc(n), *due = malloc(n);
    uint32_t x = 5;

    (void)state;
    blosc_set_splitmode(BLOSC_NEVER_SPLIT);
    for (unsigned k = 0; k < 3; k++) {
        const int used = blosc_compress_ctx(5, 0, 1, n, bytes, packed, room, names[k], n, 1);
        const size_t len = (size_t)used - STREAM_AT;
        unsigned ntaken = 0;

        assert_true(used > STREAM_AT && get_le32(packed + 20) == len && get_le32(packed + 8) == n);
        assert_int_equal(unpack(kinds[k], packed + STREAM_AT, len, got, n), 0);
        assert_memory_equal(got, bytes, n);
        assert_int_equal(unpack(kinds[k], packed + STREAM_AT, len - 1, got, n), -1);
        assert_int_equal(unpack(kinds[k], packed + STREAM_AT, len, got, n - 1), -1);
        /* What c-blosc takes of damaged ones is taken, with the same result. */
        for (int i = 0; i < 150; i++) {
            uint8_t *copy = malloc((size_t)used);
            size_t at;
            bool taken;

            x = x * 1664525 + 1013904223;
            at = (x >> 3) % (i % 2 == 0 ? len : 200);
            memcpy(copy, packed, (size_t)used);
            copy[STREAM_AT + at] ^= (uint8_t)(1 + (x >> 24) % 255);
            taken = blosc_decompress_ctx(copy, due, n, 1) == (int)n;
            if (taken) {
                assert_int_equal(unpack(kinds[k], copy + STREAM_AT, len, got, n), 0);
                assert_memory_equal(got, due, n);
            } else {
                (void)unpack(kinds[k], copy + STREAM_AT, len, got, n);
            }
            ntaken += taken;
            free(copy);
        }
        assert_true(ntaken > 10);
    }
    blosc_set_splitmode(BLOSC_FORWARD_COMPAT_SPLIT);
    free(bytes);
    free(packed);
    free(got);
    free(due);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shared),
        TEST(test_room),
    /* The rest has no threads. */
#if !defined(__SANITIZE_THREAD__)
        TEST(test_chains),
        TEST(test_zstd_window),
        TEST(test_orders),
        TEST(test_blosc),
        TEST(test_strings),
        TEST(test_long_string),
        TEST(test_fixed_strings),
        TEST(test_limits),
        TEST(test_claims),
        TEST(test_bomb),
        cmocka_unit_test(test_lz),
        cmocka_unit_test_teardown(test_filters, teardown),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
