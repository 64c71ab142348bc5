/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Needs: the stores of the vectors, through a kind of store that answers when it is told to: later,
 * in any order, with failures, by threads. What is decoded from bytes that were asked for must be
 * what is decoded by waiting, and decoding must read nothing that was not.
 */
#include "zarr_fixture.h"

#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/get.h"
#include "tests/unit/rng.h"

#include <pthread.h>
#include <stdatomic.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- A store that answers when it is told to ---- */

struct late_store {
    struct store store;  /* first */
    struct store *under; /* what it has */
    pthread_mutex_t lock;
    struct store_range *asked[4096]; /* under the lock, as is: */
    size_t nasked;
    unsigned now_one_in;  /* so often is something there at once; 0: never */
    unsigned fail_one_in; /* so often does a range fail; 0: never */
    atomic_uint nread, nwaited;
};

struct late_object {
    struct object object; /* first */
    struct object *under; /* owned */
};

static struct late_store *late_of(const struct store *store)
{
    return (struct late_store *)(uintptr_t)store;
}

static bool one_in(struct late_store *late, unsigned n)
{
    bool yes;

    pthread_mutex_lock(&late->lock);
    yes = n > 0 && rng() % n == 0;
    pthread_mutex_unlock(&late->lock);
    return yes;
}

static enum got late_open(const struct store *store, const struct store_range *range, bool may_wait,
                          struct object **out, struct err *err)
{
    struct late_store *late = late_of(store);
    struct late_object *object;
    struct object *under;

    if (!may_wait && !one_in(late, late->now_one_in))
        return GOT_NOT_NOW;
    if (store_object(late->under, range->key, &under, err) != 0)
        return GOT_FAILED;
    if (under == NULL)
        return GOT_NOTHING;
    object = calloc(1, sizeof *object);
    assert_non_null(object);
    object->object.size = object_size(under);
    object->under = under;
    *out = &object->object;
    return GOT_IT;
}

static enum got late_read(const struct object *object, uint64_t offset, void *to, size_t n,
                          bool may_wait, struct err *err)
{
    struct late_store *late = late_of(object->store);

    if (!may_wait && !one_in(late, late->now_one_in))
        return GOT_NOT_NOW;
    atomic_fetch_add(&late->nread, 1);
    return object_read(((const struct late_object *)object)->under, offset, to, n, err) != 0
               ? GOT_FAILED
               : GOT_IT;
}

static void late_close(struct object *object)
{
    object_close(((struct late_object *)object)->under);
    free(object);
}

static void late_submit(const struct store *store, struct store_range *range)
{
    struct late_store *late = late_of(store);

    pthread_mutex_lock(&late->lock);
    assert_true(late->nasked < COUNT(late->asked));
    late->asked[late->nasked++] = range;
    pthread_mutex_unlock(&late->lock);
    atomic_fetch_add(&late->nwaited, 1);
}

/* Any one of those that were asked for, or NULL. */
static struct store_range *late_take(struct late_store *late)
{
    struct store_range *range = NULL;
    size_t i;

    pthread_mutex_lock(&late->lock);
    if (late->nasked > 0) {
        i = rng() % late->nasked;
        range = late->asked[i];
        late->asked[i] = late->asked[--late->nasked];
    }
    pthread_mutex_unlock(&late->lock);
    return range;
}

static bool late_withdraw(const struct store *store, struct store_range *range)
{
    struct late_store *late = late_of(store);
    bool there = false;

    pthread_mutex_lock(&late->lock);
    for (size_t i = 0; i < late->nasked && !there; i++)
        if (late->asked[i] == range) {
            late->asked[i] = late->asked[--late->nasked];
            there = true;
        }
    pthread_mutex_unlock(&late->lock);
    return there;
}

/* Answers one; false if there is none. */
static bool late_answer(struct late_store *late)
{
    struct store_range *range = late_take(late);

    if (range == NULL)
        return false;
    if (one_in(late, late->fail_one_in)) {
        range->state = RANGE_FAILED;
        range->nread = 0;
        store_fail(&late->store, NULL, &range->err, ERR_IO, "it fails");
    } else {
        get_range(&late->store, range, true);
    }
    range->done(range, range->arg);
    return true;
}

static int late_children(const struct store *store, const char *key,
                         int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    return store_children(late_of(store)->under, key, visit, arg, err);
}

static void late_init(struct late_store *late, struct store *under)
{
    static const struct store_ops ops = {
        .open = late_open,
        .read = late_read,
        .close = late_close,
        .submit = late_submit,
        .withdraw = late_withdraw,
        .children = late_children,
    };
    static char path[] = "late";

    *late = (struct late_store){.store = {.ops = &ops, .path = path}, .under = under};
    pthread_mutex_init(&late->lock, NULL);
}

/* ---- What is asked for ---- */

struct late_fixture {
    struct fixture due; /* the same, by waiting */
    struct late_store late;
    struct zarr_group *group;
    struct chunk_table *table;
};

static void open_late(struct late_fixture *f, const char *name)
{
    char path[512];

    memset(f, 0, sizeof *f);
    open_path(&f->due, vector_path(name, path));
    late_init(&f->late, f->due.store);
    assert_int_equal(zarr_group_open(&f->late.store, &f->group, NULL), 0);
    f->table = chunk_table_new(NULL);
    assert_non_null(f->table);
}

static void close_late(struct late_fixture *f)
{
    chunk_table_free(f->table);
    zarr_group_free(f->group);
    pthread_mutex_destroy(&f->late.lock);
    close_fixture(&f->due);
}

/* Blocks of one chunk that somebody wants, as a scheduler would ask for them. */
struct asker {
    struct late_fixture *f;
    struct decoder *decoder;  /* shares the table */
    struct zarr_array *array; /* of the late store */
    uint64_t index[ZARR_DIMS_MAX];
    struct chunk_need need;
    unsigned which;   /* blocks: bit i of so many at a time */
    atomic_int wakes; /* due, less those that came: 0 or 1 */
    unsigned forms;
    struct chunk *chunk;
};

static void count_wake(struct chunk_need *need)
{
    struct asker *asker = (struct asker *)(void *)((char *)need - offsetof(struct asker, need));

    assert_int_equal(atomic_fetch_sub(&asker->wakes, 1), 1);
}

static bool is_wanted(const struct asker *asker, uint64_t i)
{
    return (asker->which >> i % 8 & 1) != 0;
}

static enum need look(struct asker *asker, struct err *err)
{
    struct blocks_need blocks = {
        .decoder = asker->decoder, .need = &asker->need, .forms = asker->forms};
    enum need answer = decoder_need_chunk(asker->decoder, asker->array, asker->index, &asker->need,
                                          &blocks.chunk, err);

    if (answer != NEED_THERE)
        return answer;
    asker->chunk = blocks.chunk;
    for (uint64_t i = 0; i < chunk_nblocks(blocks.chunk); i++)
        if (is_wanted(asker, i))
            blocks_need_add(&blocks, i, i, err);
    return blocks_need_end(&blocks, err);
}

/* NEED_WAITS: its wake is due. */
static enum need ask(struct asker *asker, struct err *err)
{
    enum need answer;

    asker->need.wake = count_wake;
    do {
        atomic_store(&asker->wakes, 1);
        answer = look(asker, err);
    } while (answer == NEED_WAITS && !chunk_need_sleep(&asker->need));
    return answer;
}

static void hold_against(struct asker *asker)
{
    struct zarr_array *array = open_array(&asker->f->due, asker->array->name);
    struct decoder_stats before, after;
    struct chunk *due_chunk;
    struct block block, due;
    struct err err = {0};

    decoder_stats(asker->decoder, &before);
    decoder_use(asker->decoder, &asker->need);
    assert_int_equal(decoder_chunk(asker->f->due.decoder, array, asker->index, &due_chunk, &err),
                     0);
    assert_int_equal(decoder_chunk(asker->decoder, asker->array, asker->index, &asker->chunk, &err),
                     0);
    for (uint64_t i = 0; i < chunk_nblocks(due_chunk); i++) {
        if (!is_wanted(asker, i))
            continue;
        /* Twice: what is changed on the way is put back. */
        for (unsigned k = 0; k < 2; k++)
            if (decoder_block_as(asker->decoder, asker->chunk, i, k == 0 ? asker->forms : 0, &block,
                                 &err) != 0)
                fail_msg("%s", err.msg);
        assert_int_equal(decoder_block(asker->f->due.decoder, due_chunk, i, false, &due, &err), 0);
        assert_int_equal(block.nbytes, due.nbytes);
        assert_memory_equal(block.data, due.data, due.nbytes);
    }
    decoder_use(asker->decoder, NULL);
    decoder_stats(asker->decoder, &after);
    assert_int_equal(after.unforeseen, before.unforeseen);
    zarr_array_free(array);
}

static void random_index(const struct zarr_meta *meta, uint64_t *index)
{
    chunk_index(meta, rng() % total_chunks(meta), index);
}

static const char *const stores[] = {
    "biallelic.vcz",          "biallelic_v3.vcz",      "codec_blosc_zstd_bit_smallblocks.vcz",
    "codec_none.vcz",         "codec_zstd.vcz",        "gt_int32.vcz",
    "missing_chunks.vcz",     "order_f.vcz",           "v3_sharded.vcz",
    "biallelic_onechunk.vcz", "codec_blosc_lz4_0.vcz", "filters.vcz",
};

#define ASKERS 12

static void begin_asker(struct late_fixture *f, struct asker *asker, struct zarr_array *array)
{
    memset(asker, 0, sizeof *asker);
    asker->f = f;
    asker->array = array;
    asker->decoder = decoder_new((size_t)8 << 20, NULL);
    assert_non_null(asker->decoder);
    decoder_share(asker->decoder, f->table);
    asker->which = (unsigned)rng() % 256;
    asker->forms = rng() % 2 == 0 ? 0 : BLOCK_MAY_BE_PLANES;
    random_index(&array->meta, asker->index);
}

static void end_asker(struct asker *asker)
{
    chunk_need_clear(&asker->need);
    decoder_free(asker->decoder);
}

/* Several at a time, answers in any order between their looks; some fail, and some give up while
 * they wait. */
static void go_through(struct late_fixture *f, struct zarr_array *array)
{
    struct asker askers[ASKERS];
    bool done[ASKERS] = {false};
    size_t left = ASKERS;

    for (size_t i = 0; i < ASKERS; i++)
        begin_asker(f, &askers[i], array);
    while (left > 0) {
        const size_t i = rng() % ASKERS;
        struct err err = {0};
        enum need answer;

        if (rng() % 2 == 0)
            late_answer(&f->late);
        if (done[i] || (askers[i].need.asleep && rng() % 16 != 0))
            continue;
        answer = askers[i].need.asleep ? NEED_FAILED : ask(&askers[i], &err);
        if (answer == NEED_THERE)
            hold_against(&askers[i]);
        else if (answer == NEED_FAILED && err.code != ERR_NONE)
            assert_string_equal(err.msg, "late: it fails");
        if (answer == NEED_THERE || answer == NEED_SLOW) {
            done[i] = true;
            left--;
        }
        if (answer != NEED_WAITS)
            chunk_need_clear(&askers[i].need);
    }
    while (late_answer(&f->late))
        ;
    for (size_t i = 0; i < ASKERS; i++)
        end_asker(&askers[i]);
    assert_int_equal(chunk_table_nbytes(f->table), 0);
}

static void go_through_store(const char *name, unsigned now_one_in, unsigned fail_one_in)
{
    struct late_fixture f;
    struct zarr_array *array = NULL;

    open_late(&f, name);
    f.late.now_one_in = now_one_in;
    f.late.fail_one_in = fail_one_in;
    assert_int_equal(zarr_array_open(f.group, "call_genotype", &array, NULL), 0);
    for (unsigned k = 0; k < 4; k++) {
        go_through(&f, array);
        chunk_table_trim(f.table);
    }
    zarr_array_free(array);
    close_late(&f);
}

static void test_any_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stores); i++) {
        go_through_store(stores[i], 0, 0);
        go_through_store(stores[i], 2, 0);
        go_through_store(stores[i], 1, 0);
        go_through_store(stores[i], 3, 4);
    }
}

/* ---- Round trips ---- */

static void pump(struct late_store *late)
{
    size_t n;

    pthread_mutex_lock(&late->lock);
    n = late->nasked;
    pthread_mutex_unlock(&late->lock);
    while (n-- > 0)
        late_answer(late);
}

/* How often everything on the way has to be answered until all of the chunk's blocks are there. */
static unsigned round_trips(struct asker *asker)
{
    unsigned n = 0;
    struct err err = {0};
    enum need answer;

    while ((answer = ask(asker, &err)) == NEED_WAITS) {
        pump(&asker->f->late);
        n++;
    }
    assert_int_equal(answer, NEED_THERE);
    chunk_need_clear(&asker->need);
    return n;
}

static void test_round_trips(void **state)
{
    static const struct {
        const char *store;
        unsigned unseen; /* of an array's first chunk, */
        unsigned next;   /* of one of whose array another one is known */
        unsigned known;  /* of one that was opened before */
    } cases[] = {
        /* short chunks, which are read whole */
        {"biallelic.vcz", 1, 1, 1},
        {"codec_none.vcz", 1, 1, 1},
        {"codec_zstd.vcz", 1, 1, 1},
        {"v3_sharded.vcz", 2, 1, 1}, /* the index, then the chunk */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct zarr_array *array = NULL;
        struct late_fixture f;
        struct asker asker;

        open_late(&f, cases[i].store);
        assert_int_equal(zarr_array_open(f.group, "call_genotype", &array, NULL), 0);
        begin_asker(&f, &asker, array);
        asker.which = 0xff;
        memset(asker.index, 0, sizeof asker.index);
        assert_int_equal(round_trips(&asker), cases[i].unseen);
        assert_int_equal(round_trips(&asker), cases[i].known);
        for (unsigned d = 0; d < 2;
             d++) /* the next along the axis that a shard has several of, if it has */
            if (d == 1 || array->meta.sharding.chunks[d] > 1) {
                asker.index[d]++;
                break;
            }
        assert_int_equal(round_trips(&asker), cases[i].next);
        end_asker(&asker);
        zarr_array_free(array);
        close_late(&f);
    }
}

/* ---- Columns ---- */

static void hold_strings_against(const struct strings *got, const struct strings *due)
{
    assert_int_equal(got->nitems, due->nitems);
    for (size_t i = 0; i < got->nitems; i++) {
        assert_int_equal(got->items[i].len, due->items[i].len);
        assert_memory_equal(got->items[i].at, due->items[i].at, due->items[i].len);
    }
}

static void column_by_need(struct late_fixture *f, const char *name)
{
    struct zarr_array *array = NULL, *due_array = open_array(&f->due, name);
    struct strings got = {0}, due = {0};
    const uint64_t index[ZARR_DIMS_MAX] = {0};
    struct decoder_stats stats;
    struct asker asker;
    struct err err = {0};
    enum need answer;
    unsigned nread;

    assert_int_equal(zarr_array_open(f->group, name, &array, NULL), 0);
    begin_asker(f, &asker, array);
    while ((answer = zarr_need_elements(asker.decoder, array, index, 0, array->meta.chunk_elements,
                                        &asker.need, &err)) == NEED_WAITS)
        pump(&f->late);
    assert_int_equal(answer, NEED_THERE);
    nread = atomic_load(&f->late.nread);
    decoder_use(asker.decoder, &asker.need);
    if (array->meta.dtype.kind == DTYPE_INT) {
        int64_t *ints = calloc(2 * array->meta.chunk_elements, sizeof *ints);
        int64_t *ints_due = ints + array->meta.chunk_elements;

        assert_int_equal(zarr_chunk_ints(asker.decoder, array, index, ints, &err), 0);
        assert_int_equal(zarr_chunk_ints(f->due.decoder, due_array, index, ints_due, &err), 0);
        assert_memory_equal(ints, ints_due, array->meta.chunk_elements * sizeof *ints);
        free(ints);
    } else {
        assert_int_equal(zarr_chunk_strings(asker.decoder, array, index, &got, &err), 0);
        assert_int_equal(zarr_chunk_strings(f->due.decoder, due_array, index, &due, &err), 0);
        hold_strings_against(&got, &due);
    }
    decoder_stats(asker.decoder, &stats);
    assert_int_equal(stats.unforeseen, 0);
    assert_int_equal(atomic_load(&f->late.nread), nread);
    strings_free(&got);
    strings_free(&due);
    end_asker(&asker);
    zarr_array_free(array);
    zarr_array_free(due_array);
}

/* What sites are made of: whole numbers, and strings of any length or of one. */
static void test_columns(void **state)
{
    static const char *const names[] = {"variant_position", "variant_contig", "variant_allele",
                                        "contig_id"};
    static const char *const which[] = {"biallelic.vcz", "biallelic_v3.vcz", "small.vcz"};

    (void)state;
    for (size_t s = 0; s < COUNT(which); s++)
        for (size_t i = 0; i < COUNT(names); i++) {
            struct late_fixture f;

            open_late(&f, which[s]);
            column_by_need(&f, names[i]);
            close_late(&f);
        }
}

/* Askers of the same chunk share what is on the way. */
static void test_shared(void **state)
{
    struct zarr_array *array = NULL;
    struct asker askers[ASKERS];
    struct late_fixture f;

    (void)state;
    open_late(&f, "biallelic.vcz");
    assert_int_equal(zarr_array_open(f.group, "call_genotype", &array, NULL), 0);
    for (size_t i = 0; i < ASKERS; i++) {
        begin_asker(&f, &askers[i], array);
        memset(askers[i].index, 0, sizeof askers[i].index);
        askers[i].which = 0xff;
        assert_int_equal(ask(&askers[i], NULL), NEED_WAITS);
    }
    assert_int_equal(f.late.nasked, 1);
    assert_true(late_answer(&f.late));
    for (size_t i = 0; i < ASKERS; i++) {
        assert_int_equal(atomic_load(&askers[i].wakes), 0);
        assert_int_equal(ask(&askers[i], NULL), NEED_THERE);
        hold_against(&askers[i]);
    }
    assert_int_equal(f.late.nwaited, 1);
    for (size_t i = 0; i < ASKERS; i++)
        end_asker(&askers[i]);
    zarr_array_free(array);
    close_late(&f);
}

struct two {
    struct late_fixture f;
    struct zarr_array *array;
    struct asker a, b;
};

static void begin_two(struct two *two)
{
    open_late(&two->f, "biallelic.vcz");
    assert_int_equal(zarr_array_open(two->f.group, "call_genotype", &two->array, NULL), 0);
    begin_asker(&two->f, &two->a, two->array);
    begin_asker(&two->f, &two->b, two->array);
}

static void end_two(struct two *two)
{
    end_asker(&two->a);
    end_asker(&two->b);
    zarr_array_free(two->array);
    close_late(&two->f);
}

/* Who gives up takes back what nobody else wants and the store has not begun. */
static void test_taken_back(void **state)
{
    struct two two;
    struct asker *a = &two.a, *b = &two.b;

    (void)state;
    begin_two(&two);
    memcpy(b->index, a->index, sizeof a->index);
    assert_int_equal(ask(a, NULL), NEED_WAITS);
    assert_int_equal(ask(b, NULL), NEED_WAITS);
    chunk_need_clear(&a->need);
    assert_int_equal(two.f.late.nasked, 1);
    chunk_need_clear(&b->need);
    assert_int_equal(two.f.late.nasked, 0);
    assert_int_equal(chunk_table_nbytes(two.f.table), 0);
    end_two(&two);
}

static void test_budget(void **state)
{
    struct two two;
    struct asker *a = &two.a, *b = &two.b;

    (void)state;
    begin_two(&two);
    memset(a->index, 0, sizeof a->index);
    memset(b->index, 0, sizeof b->index);
    b->index[1] = two.array->meta.nchunks[1] - 1;
    chunk_table_set_budget(two.f.table, 16 << 10);
    assert_int_equal(ask(a, NULL), NEED_WAITS);
    assert_int_equal(ask(b, NULL), NEED_WAITS);
    chunk_table_set_budget(two.f.table, 9 << 10);
    chunk_need_clear(&b->need);
    assert_int_equal(ask(b, NULL), NEED_FULL);
    b->need.demand = true;
    assert_int_equal(ask(b, NULL), NEED_WAITS);
    chunk_need_clear(&a->need);
    chunk_need_clear(&b->need);
    chunk_table_set_budget(two.f.table, 4 << 10);
    assert_int_equal(ask(b, NULL), NEED_SLOW);
    end_two(&two);
}

/* ---- Threads ---- */

struct crowd {
    struct late_fixture f;
    struct zarr_array *array, *due; /* the same, of the late store and of the one below it */
    atomic_bool stop;
};

static void *answer_all(void *arg)
{
    struct crowd *crowd = arg;

    while (!atomic_load(&crowd->stop))
        if (!late_answer(&crowd->f.late))
            usleep(50);
    return NULL;
}

/* The blocks that the asker wanted, against those of a decoder that waits; only plain ones can be
 * compared. */
static void hold_wanted(struct crowd *crowd, struct asker *asker, struct decoder *by_waiting,
                        bool planes_ok)
{
    struct chunk *chunk, *due_chunk;
    struct block block, due;

    assert_int_equal(decoder_chunk(asker->decoder, crowd->array, asker->index, &chunk, NULL), 0);
    assert_int_equal(decoder_chunk(by_waiting, crowd->due, asker->index, &due_chunk, NULL), 0);
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        if (!is_wanted(asker, i))
            continue;
        assert_int_equal(decoder_block(asker->decoder, chunk, i, planes_ok, &block, NULL), 0);
        if (block.form != BLOCK_PLAIN)
            continue;
        assert_int_equal(decoder_block(by_waiting, due_chunk, i, false, &due, NULL), 0);
        assert_int_equal(block.nbytes, due.nbytes);
        assert_memory_equal(block.data, due.data, due.nbytes);
    }
}

static void *ask_on(void *arg)
{
    struct crowd *crowd = arg;
    struct decoder *by_waiting = decoder_new((size_t)8 << 20, NULL);
    struct asker asker;

    assert_non_null(by_waiting);
    for (unsigned k = 0; k < 60; k++) {
        enum need answer;

        pthread_mutex_lock(&crowd->f.late.lock);
        begin_asker(&crowd->f, &asker, crowd->array);
        pthread_mutex_unlock(&crowd->f.late.lock);
        while ((answer = ask(&asker, NULL)) == NEED_WAITS && k % 7 != 0)
            while (atomic_load(&asker.wakes) == 1)
                usleep(20);
        if (answer == NEED_THERE) {
            decoder_use(asker.decoder, &asker.need);
            hold_wanted(crowd, &asker, by_waiting, k % 2 == 0);
            decoder_use(asker.decoder, NULL);
        }
        if (k % 16 == 0)
            chunk_table_trim(crowd->f.table);
        end_asker(&asker);
    }
    decoder_free(by_waiting);
    return NULL;
}

static void test_threads(void **state)
{
    static const char *const names[] = {"biallelic.vcz", "v3_sharded.vcz"};
    pthread_t answerers[3], askers[4];
    static struct crowd crowd;

    (void)state;
    for (size_t s = 0; s < COUNT(names); s++) {
        open_late(&crowd.f, names[s]);
        crowd.f.late.now_one_in = 4;
        atomic_store(&crowd.stop, false);
        assert_int_equal(zarr_array_open(crowd.f.group, "call_genotype", &crowd.array, NULL), 0);
        crowd.due = open_array(&crowd.f.due, "call_genotype");
        for (size_t i = 0; i < COUNT(answerers); i++)
            assert_int_equal(pthread_create(&answerers[i], NULL, answer_all, &crowd), 0);
        for (size_t i = 0; i < COUNT(askers); i++)
            assert_int_equal(pthread_create(&askers[i], NULL, ask_on, &crowd), 0);
        for (size_t i = 0; i < COUNT(askers); i++)
            pthread_join(askers[i], NULL);
        atomic_store(&crowd.stop, true);
        for (size_t i = 0; i < COUNT(answerers); i++)
            pthread_join(answerers[i], NULL);
        while (late_answer(&crowd.f.late))
            ;
        assert_int_equal(chunk_table_nbytes(crowd.f.table), 0);
        zarr_array_free(crowd.array);
        zarr_array_free(crowd.due);
        close_late(&crowd.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),  cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_shared),     cmocka_unit_test(test_columns),
        cmocka_unit_test(test_taken_back), cmocka_unit_test(test_budget),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
