/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of a store's objects: however they are asked for, the same bytes; and how many at a time.
 */
#include "zarr_fixture.h"

#include "encoderd/zarr/store/fetch_threads.h"
#include "encoderd/zarr/store/file.h"

#include <pthread.h>

#define BIG ((size_t)5 * FILE_PART + 77)

/* ---- Waiting for answers ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

/* Counts answers; `arg` is a counter under the lock. */
static void count_answer(struct store_range *range, void *arg)
{
    (void)range;
    pthread_mutex_lock(&lock);
    ++*(unsigned *)arg;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void wait_until(const unsigned *count, unsigned n)
{
    pthread_mutex_lock(&lock);
    while (*count < n)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}

/* ---- A directory ---- */

static struct fixture fix;
static uint8_t big[BIG];

static int setup(void **state)
{
    char path[512];

    (void)state;
    make_dir(&fix);
    for (size_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 2654435761u >> 13);
    put_file(&fix, "a/big", big, BIG);
    put_text(&fix, "a/empty", "");
    snprintf(path, sizeof path, "%s/fifo", fix.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/dangling", fix.dir);
    assert_int_equal(symlink("gone", path), 0);
    assert_int_equal(store_open(fix.dir, &fix.store, &(struct err){0}), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_fixture(&fix);
    return 0;
}

enum way { WAY_GET, WAY_SUBMIT, WAY_NOW, WAYS };

/* Asks in one way; false if it could not be had now. */
static bool ask(const struct store *store, enum way way, struct store_range *range)
{
    unsigned answered = 0;

    switch (way) {
    case WAY_NOW:
        return store_get_now(store, range);
    case WAY_SUBMIT:
        range->done = count_answer;
        range->arg = &answered;
        store_submit(store, range);
        wait_until(&answered, 1);
        assert_false(store_withdraw(store, range));
        return true;
    default:
        store_get(store, range);
        return true;
    }
}

static const struct {
    uint64_t offset, length;
    bool from_end;
    uint64_t begin, n; /* what is due */
} cuts[] = {
    {0, 0, false, 0, 0},
    {0, BIG, false, 0, BIG},
    {0, BIG + 9, false, 0, BIG},
    {1, FILE_PART, false, 1, FILE_PART},
    {3, 2 * FILE_PART + 1, false, 3, 2 * FILE_PART + 1},
    {BIG - 1, 5, false, BIG - 1, 1},
    {BIG, 5, false, BIG, 0},
    {UINT64_MAX, 5, false, UINT64_MAX, 0},
    {5, UINT64_MAX, false, 5, BIG - 5},
    {9, 4, true, BIG - 4, 4},
    {0, 3 * FILE_PART + 5, true, BIG - 3 * FILE_PART - 5, 3 * FILE_PART + 5},
    {0, BIG + 1, true, 0, BIG},
    {0, UINT64_MAX, true, 0, BIG},
};

static void check_cut(size_t i, enum way way, struct object *object, uint8_t *room)
{
    struct store_range range;

    store_range_init(&range, "a/big", object, cuts[i].offset, cuts[i].length, room);
    range.from_end = cuts[i].from_end;
    memset(room, 0xee, BIG + 1);
    if (!ask(fix.store, way, &range)) {
        assert_int_equal(way, WAY_NOW);
    } else {
        if (range.state != RANGE_THERE)
            fail_msg("cut %zu, way %d: %s", i, (int)way, range.err.msg);
        assert_int_equal(range.offset, cuts[i].begin);
        assert_int_equal(range.nread, cuts[i].n);
        assert_int_equal(range.size, BIG);
        if (cuts[i].n > 0)
            assert_memory_equal(room, big + cuts[i].begin, cuts[i].n);
        assert_int_equal(room[cuts[i].n], 0xee);
    }
    if (object == NULL)
        object_close(range.object);
    else
        assert_ptr_equal(range.object, object);
}

static void test_cuts(void **state)
{
    uint8_t *room = malloc(BIG + 1);
    struct object *object;

    (void)state;
    assert_non_null(room);
    assert_int_equal(store_object(fix.store, "a/big", &object, &(struct err){0}), 0);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        for (enum way way = 0; way < WAYS; way++) {
            check_cut(i, way, NULL, room);
            check_cut(i, way, object, room);
        }
    object_close(object);
    free(room);
}

static void test_no_bytes(void **state)
{
    static const struct {
        const char *key;
        enum range_state due;
        enum err_code code;
    } cases[] = {
        {"a/empty", RANGE_THERE, ERR_NONE},      {"a/none", RANGE_ABSENT, ERR_NONE},
        {"none/at/all", RANGE_ABSENT, ERR_NONE}, {"fifo", RANGE_FAILED, ERR_CORRUPT},
        {"dangling", RANGE_FAILED, ERR_CORRUPT}, {"a", RANGE_FAILED, ERR_CORRUPT},
        {"../x", RANGE_FAILED, ERR_CORRUPT},
    };
    uint8_t room[8];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (enum way way = 0; way < WAYS; way++) {
            struct store_range range;

            store_range_init(&range, cases[i].key, NULL, 0, sizeof room, room);
            if (!ask(fix.store, way, &range)) {
                assert_int_equal(way, WAY_NOW);
                object_close(range.object);
                continue;
            }
            if (range.state != cases[i].due)
                fail_msg("%s, way %d: %d", cases[i].key, (int)way, (int)range.state);
            assert_int_equal(range.nread, 0);
            if (range.state == RANGE_FAILED) {
                assert_int_equal(range.err.code, cases[i].code);
                assert_non_null(strstr(range.err.msg, cases[i].key));
            }
            assert_int_equal(range.object != NULL, range.state == RANGE_THERE);
            object_close(range.object);
        }
}

/* References: the last one closes. */
static void test_references(void **state)
{
    struct object *object;
    char text[4];

    (void)state;
    assert_int_equal(store_object(fix.store, "a/big", &object, &(struct err){0}), 0);
    assert_ptr_equal(object_hold(object), object);
    object_close(object);
    assert_int_equal(object_read(object, 7, text, sizeof text, &(struct err){0}), 0);
    assert_memory_equal(text, big + 7, sizeof text);
    object_close(object);
}

/* What changed is not shown, however it is asked for. */
static void test_changed(void **state)
{
    struct object *object;
    int64_t ahead;

    (void)state;
    assert_int_equal(store_object(fix.store, "a/big", &object, &(struct err){0}), 0);
    store_watch_from(fix.store, store_opened(fix.store, &ahead));
    store_settle(fix.store);
    put_text(&fix, "a/big", "other bytes");
    for (enum way way = 0; way < WAYS; way++)
        for (int opened = 0; opened < 2; opened++) {
            struct store_range range;
            uint8_t room[5];

            store_range_init(&range, "a/big", opened ? object : NULL, 0, sizeof room, room);
            if (ask(fix.store, way, &range)) {
                assert_int_equal(range.state, RANGE_FAILED);
                assert_int_equal(range.err.code, ERR_CHANGED);
            } else {
                assert_int_equal(way, WAY_NOW);
            }
            if (!opened)
                object_close(range.object);
        }
    object_close(object);
}

/* ---- A kind whose objects answer when they are let ---- */

#define GATE_SIZE  100
#define GATE_PART  10
#define RANGES_MAX 4096

/* Objects named h... hang until the gate is open. */
struct gated {
    struct store store;
    bool open;                 /* under the lock, as are: */
    unsigned passes;           /* so many may pass the closed gate */
    unsigned hanging;          /* threads */
    unsigned nread;            /* parts that were read */
    uint64_t read[RANGES_MAX]; /* their offsets, in order */
};

struct gated_object {
    struct object object;
    bool hangs;
};

static void pass_gate(struct gated *gated, bool hangs)
{
    pthread_mutex_lock(&lock);
    gated->hanging += hangs;
    pthread_cond_broadcast(&moved);
    while (hangs && !gated->open && gated->passes == 0)
        pthread_cond_wait(&moved, &lock);
    gated->passes -= hangs && !gated->open;
    gated->hanging -= hangs;
    pthread_mutex_unlock(&lock);
}

static enum got gated_open(const struct store *store, const struct store_range *range,
                           bool may_wait, struct object **out, struct err *err)
{
    struct gated_object *object;

    (void)store;
    (void)err;
    if (!may_wait)
        return GOT_NOT_NOW;
    object = calloc(1, sizeof *object);
    assert_non_null(object);
    object->object.size = GATE_SIZE;
    object->object.part = GATE_PART;
    object->hangs = range->key[0] == 'h';
    *out = &object->object;
    return GOT_IT;
}

static enum got gated_read(const struct object *object, uint64_t offset, void *to, size_t n,
                           bool may_wait, struct err *err)
{
    struct gated *gated = (struct gated *)(uintptr_t)object->store;

    (void)err;
    if (!may_wait)
        return GOT_NOT_NOW;
    assert_true(n <= GATE_PART);
    pass_gate(gated, ((const struct gated_object *)object)->hangs);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = (uint8_t)(offset + i);
    pthread_mutex_lock(&lock);
    gated->read[gated->nread++ % RANGES_MAX] = offset;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    return GOT_IT;
}

static void gated_close(struct object *object)
{
    free(object);
}

static const struct store_ops gated_ops = {
    .open = gated_open, .read = gated_read, .close = gated_close};

static void gated_init(struct gated *gated)
{
    static char path[] = "gated";

    *gated = (struct gated){.store = {.ops = &gated_ops, .path = path, .part = GATE_PART}};
    assert_int_equal(fetch_threads_new(&gated->store, &gated->store.threads), 0);
}

static void open_gate(struct gated *gated)
{
    pthread_mutex_lock(&lock);
    gated->open = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

/* One range of GATE_PART bytes, or all, of object `key`. */
struct asked {
    char key[16];
    struct store_range range;
    uint8_t room[GATE_SIZE];
};

static void submit(struct gated *gated, struct asked *asked, char kind, unsigned number,
                   uint64_t length, uint64_t order, unsigned *answered)
{
    snprintf(asked->key, sizeof asked->key, "%c%u", kind, number);
    store_range_init(&asked->range, asked->key, NULL, 0, length, asked->room);
    asked->range.order = order;
    asked->range.done = count_answer;
    asked->range.arg = answered;
    store_submit(&gated->store, &asked->range);
}

static void check_answer(const struct asked *asked, uint64_t length)
{
    assert_int_equal(asked->range.state, RANGE_THERE);
    assert_true(asked->range.waited);
    assert_int_equal(asked->range.nread, length);
    for (uint64_t i = 0; i < length; i++)
        assert_int_equal(asked->room[i], i);
    object_close(asked->range.object);
}

/* Objects that hang, with more ranges than there are threads, do not keep others from being
 * read. */
static void test_others_go_on(void **state)
{
    enum { HUNG = 4, EACH = 100, OTHERS = 200 };
    static struct asked hung[HUNG * EACH], others[OTHERS];
    unsigned nhung = 0, nothers = 0;
    struct gated gated;
    struct store_counts counts;

    (void)state;
    gated_init(&gated);
    for (unsigned i = 0; i < HUNG * EACH; i++)
        submit(&gated, &hung[i], 'h', i % HUNG, GATE_PART, 0, &nhung);
    for (unsigned i = 0; i < OTHERS; i++)
        submit(&gated, &others[i], 'o', i, GATE_SIZE, 1, &nothers);
    wait_until(&nothers, OTHERS);
    pthread_mutex_lock(&lock);
    assert_int_equal(nhung, 0);
    assert_true(gated.hanging >= 2 * HUNG);
    pthread_mutex_unlock(&lock);
    open_gate(&gated);
    wait_until(&nhung, HUNG * EACH);
    for (unsigned i = 0; i < HUNG * EACH; i++)
        check_answer(&hung[i], GATE_PART);
    for (unsigned i = 0; i < OTHERS; i++)
        check_answer(&others[i], GATE_SIZE);
    store_counts(&gated.store, &counts);
    assert_int_equal(counts.requests, HUNG * EACH + OTHERS);
    assert_int_equal(counts.waits, counts.requests);
    assert_int_equal(counts.opened, counts.requests);
    assert_int_equal(counts.bytes, HUNG * EACH * GATE_PART + OTHERS * GATE_SIZE);
    fetch_threads_free(gated.store.threads);
}

/* Many that hang, each with one range: those that come after them have the spare threads. */
static void test_spare_threads(void **state)
{
    static struct asked hung[1024], other;
    unsigned nhung = 0, nothers = 0, n;
    struct gated gated;

    (void)state;
    gated_init(&gated);
    n = fetch_in_flight_max(gated.store.threads);
    assert_true(n >= 4 && n <= 1024);
    for (unsigned i = 0; i < n; i++)
        submit(&gated, &hung[i], 'h', i, GATE_PART, 0, &nhung);
    submit(&gated, &other, 'o', 0, GATE_PART, 1, &nothers);
    wait_until(&nothers, 1);
    check_answer(&other, GATE_PART);
    open_gate(&gated);
    wait_until(&nhung, n);
    for (unsigned i = 0; i < n; i++)
        check_answer(&hung[i], GATE_PART);
    fetch_threads_free(gated.store.threads);
}

/* A long range is read in parts side by side, as far as one object may have threads. */
static void test_parts(void **state)
{
    unsigned answered = 0;
    struct asked asked;
    struct gated gated;
    const unsigned most = GATE_SIZE / GATE_PART - 1;

    (void)state;
    gated_init(&gated);
    gated.open = true;
    submit(&gated, &asked, 'h', 0, GATE_SIZE, 0, &answered);
    wait_until(&answered, 1);
    check_answer(&asked, GATE_SIZE);
    assert_int_equal(gated.nread, GATE_SIZE / GATE_PART);
    /* Opened already, all its parts hang at once. */
    gated.open = false;
    answered = 0;
    assert_int_equal(store_object(&gated.store, "h0", &asked.range.object, &(struct err){0}), 0);
    store_range_init(&asked.range, asked.key, asked.range.object, GATE_PART, GATE_SIZE, asked.room);
    asked.range.done = count_answer;
    asked.range.arg = &answered;
    store_submit(&gated.store, &asked.range);
    wait_until(&gated.hanging, most < fetch_in_flight_max(gated.store.threads) / 2
                                   ? most
                                   : fetch_in_flight_max(gated.store.threads) / 2);
    open_gate(&gated);
    wait_until(&answered, 1);
    assert_int_equal(asked.range.nread, GATE_SIZE - GATE_PART);
    assert_int_equal(asked.room[0], GATE_PART);
    assert_int_equal(asked.room[GATE_SIZE - GATE_PART - 1], GATE_SIZE - 1);
    object_close(asked.range.object);
    fetch_threads_free(gated.store.threads);
}

struct getting {
    struct gated *gated;
    struct asked asked;
};

static void *get_all(void *arg)
{
    struct getting *getting = arg;

    store_range_init(&getting->asked.range, "h", NULL, 0, GATE_SIZE, getting->asked.room);
    store_get(&getting->gated->store, &getting->asked.range);
    return NULL;
}

/* Who waits for a long range has its parts side by side, too. */
static void test_waiting_for_parts(void **state)
{
    struct gated gated;
    struct getting getting = {.gated = &gated};
    pthread_t thread;

    (void)state;
    gated_init(&gated);
    assert_int_equal(pthread_create(&thread, NULL, get_all, &getting), 0);
    wait_until(&gated.hanging, 1);
    pthread_mutex_lock(&lock);
    gated.passes = 1;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    wait_until(&gated.nread, 1);
    wait_until(&gated.hanging, 2);
    open_gate(&gated);
    pthread_join(thread, NULL);
    check_answer(&getting.asked, GATE_SIZE);
    fetch_threads_free(gated.store.threads);
}

/* The oldest are read first, whoever asked first; what has not begun can be taken back. */
static void test_order_and_withdrawal(void **state)
{
    enum { WAITING = 20 };
    static struct asked hung[1024], waiting[WAITING];
    unsigned nhung = 0, nwaiting = 0, n, slots;
    struct gated gated;

    (void)state;
    gated_init(&gated);
    slots = fetch_in_flight_max(gated.store.threads);
    n = slots + slots / 4;
    assert_true(n <= 1024);
    for (unsigned i = 0; i < n; i++)
        submit(&gated, &hung[i], 'h', i, GATE_PART, 0, &nhung);
    wait_until(&gated.hanging, n);
    for (unsigned i = 0; i < WAITING; i++) {
        snprintf(waiting[i].key, sizeof waiting[i].key, "o");
        store_range_init(&waiting[i].range, waiting[i].key, NULL, i, 1, waiting[i].room);
        waiting[i].range.order = WAITING - i;
        waiting[i].range.done = count_answer;
        waiting[i].range.arg = &nwaiting;
        store_submit(&gated.store, &waiting[i].range);
    }
    for (unsigned i = 0; i < WAITING; i += 2)
        assert_true(store_withdraw(&gated.store, &waiting[i].range));
    assert_false(store_withdraw(&gated.store, &hung[0].range));
    assert_false(store_withdraw(&gated.store, &waiting[0].range));
    pthread_mutex_lock(&lock);
    gated.passes = 1;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    wait_until(&nwaiting, WAITING / 2);
    for (unsigned i = 0; i < WAITING / 2; i++)
        assert_int_equal(gated.read[i + 1], WAITING - 1 - 2 * i);
    open_gate(&gated);
    wait_until(&nhung, n);
    assert_int_equal(nwaiting, WAITING / 2);
    for (unsigned i = 0; i < n; i++)
        check_answer(&hung[i], GATE_PART);
    for (unsigned i = 1; i < WAITING; i += 2)
        object_close(waiting[i].range.object);
    fetch_threads_free(gated.store.threads);
}

static unsigned count_threads(void)
{
    char line[128];
    unsigned n = 0;
    FILE *status = fopen("/proc/self/status", "r");

    assert_non_null(status);
    while (n == 0 && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "Threads: %u", &n);
    fclose(status);
    return n;
}

/* Threads end when nothing is asked for; and begin again. */
static void test_idle_threads_end(void **state)
{
    const unsigned before = count_threads();
    struct gated gated;

    (void)state;
    gated_init(&gated);
    for (int round = 0; round < 2; round++) {
        static struct asked asked[16];
        unsigned answered = 0;

        for (unsigned i = 0; i < 16; i++)
            submit(&gated, &asked[i], 'o', i, GATE_SIZE, 0, &answered);
        wait_until(&answered, 16);
        for (unsigned i = 0; i < 16; i++)
            check_answer(&asked[i], GATE_SIZE);
        while (round == 0 && count_threads() > before)
            usleep(10000);
    }
    fetch_threads_free(gated.store.threads);
}

/* A hang is a failure. */
static int setup_alarm(void **state)
{
    (void)state;
    alarm(120);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cuts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
        cmocka_unit_test(test_others_go_on),
        cmocka_unit_test(test_spare_threads),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_waiting_for_parts),
        cmocka_unit_test(test_order_and_withdrawal),
        cmocka_unit_test(test_idle_threads_end),
    };

    return cmocka_run_group_tests(tests, setup_alarm, NULL);
}
