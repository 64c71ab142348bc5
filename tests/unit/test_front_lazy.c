/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lazy: who waits for a file that is being made, for how long, and what they hear. (That the file
 * is taken as it should be is test_front_fs.c's.)
 */
#include "common/log.h"
#include "fused/files/lazy.h"
#include "fused/process/clock.h"
#include "tests/unit/made_time.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT 3000 /* ms */
#define WAITING (-1)

struct asking {
    int outcome; /* an errno, 0: the file is there; WAITING */
    void (*gone)(struct fuse_req *req, void *data);
    void *data;
};

/* Two lazy files, and what is outside. */
struct world {
    struct made_time time;
    struct outside outside;
    struct fs fs;
    struct lazy *lazy;
    unsigned nfetched[2];
    enum probe_answer answer;
    unsigned most_again; /* that is believed */
    struct asking askings[4];
};

static bool take_fetch(const struct msg_fetch *fetch, void *arg)
{
    ((struct world *)arg)->nfetched[fetch->file]++;
    return true;
}

static int believe(const char *chunk, unsigned nagain, void *arg, struct err *err)
{
    (void)chunk;
    return nagain <= ((struct world *)arg)->most_again ? 0 : err_set(err, ERR_PEER, "a lie");
}

static enum probe_answer ask_probe(const char *chunk, const struct question *question, void *arg)
{
    (void)chunk;
    assert_true(question->fetch);
    return ((struct world *)arg)->answer;
}

static void on_interrupt(struct fuse_req *req, void (*gone)(struct fuse_req *req, void *data),
                         void *data)
{
    struct asking *asking = (struct asking *)(void *)req;

    asking->gone = gone;
    asking->data = data;
}

static void reply(struct fuse_req *req, const struct fs_file *file, int errnum)
{
    struct asking *asking = (struct asking *)(void *)req;

    (void)file;
    assert_int_equal(asking->outcome, WAITING);
    asking->outcome = errnum;
}

static void begin(struct world *world)
{
    struct err err;

    *world = (struct world){.time = {.now = 5000000}, .most_again = 1};
    world->outside = (struct outside){
        .timers = made_timers(&world->time),
        .fetch = take_fetch,
        .believe = believe,
        .ask_probe = ask_probe,
        .on_interrupt = on_interrupt,
        .arg = world,
    };
    world->fs.nfiles = 2;
    world->fs.files[0] = world->fs.files[1] =
        (struct fs_file){.name = (char *)(uintptr_t) "x.bgi", .kind = FILE_LAZY, .fd = -1};
    world->lazy = lazy_new(&world->outside, &world->fs, TIMEOUT, &err);
    assert_non_null(world->lazy);
}

/* Whoever still waits hears that it is over. */
static void end(struct world *world)
{
    bool waited[4];

    for (size_t i = 0; i < 4; i++)
        waited[i] = world->askings[i].outcome == WAITING;
    lazy_free(world->lazy);
    for (size_t i = 0; i < 4; i++)
        assert_true(!waited[i] || world->askings[i].outcome == ENOTCONN);
    assert_int_equal(made_left(&world->time), 0);
}

static void ask(struct world *world, size_t i, size_t file)
{
    world->askings[i].outcome = WAITING;
    lazy_wait(world->lazy, (struct fuse_req *)(void *)&world->askings[i], &world->fs.files[file],
              reply);
}

static int say(struct world *world, uint64_t file, enum err_code code, int errnum)
{
    const struct msg_error error = {.code = code, .errnum = (uint64_t)errnum, .text = "x/0"};
    struct err err = {0};

    return lazy_error(world->lazy, file, &error, &err);
}

/* One question for all, asked again of each encoder. */
static void a_file_is_asked_for_once(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    ask(&world, 0, 0);
    assert_int_equal(world.nfetched[0], 0);
    lazy_up(world.lazy);
    ask(&world, 1, 0);
    ask(&world, 2, 1);
    assert_int_equal(world.nfetched[0], 1);
    assert_int_equal(world.nfetched[1], 1);
    lazy_down(world.lazy);
    lazy_up(world.lazy);
    assert_int_equal(world.nfetched[0], 2);
    assert_int_equal(say(&world, 0, ERR_IO, ENOENT), 0);
    assert_int_equal(world.askings[0].outcome, EIO);
    assert_int_equal(world.askings[1].outcome, EIO);
    assert_int_equal(world.askings[2].outcome, WAITING);
    ask(&world, 3, 0);
    assert_int_equal(world.nfetched[0], 3);
    end(&world);
}

/* As long as the file gets on; who comes later has no more time than who waits already. */
static void those_who_wait_for_a_file_wait_together(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    lazy_up(world.lazy);
    ask(&world, 0, 0);
    ask(&world, 1, 1);
    made_pass(&world.time, 2000);
    lazy_progress(world.lazy, 0);
    made_pass(&world.time, 1000);
    assert_int_equal(world.askings[1].outcome, EIO);
    made_pass(&world.time, 1000);
    ask(&world, 2, 0);
    made_pass(&world.time, 999);
    assert_int_equal(world.askings[0].outcome, WAITING);
    assert_int_equal(world.askings[2].outcome, WAITING);
    made_pass(&world.time, 1);
    assert_int_equal(world.askings[0].outcome, EIO);
    assert_int_equal(world.askings[2].outcome, EIO);
    end(&world);
}

static void a_stop_is_forgiven(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    ask(&world, 0, 0);
    world.time.now += (TIMEOUT + CLOCK_STOPPED_MS) * 1000;
    made_pass(&world.time, TIMEOUT - 1);
    assert_int_equal(world.askings[0].outcome, WAITING);
    made_pass(&world.time, 1);
    assert_int_equal(world.askings[0].outcome, EIO);
    end(&world);
}

static void who_gives_up_is_answered_alone(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    lazy_up(world.lazy);
    ask(&world, 0, 0);
    ask(&world, 1, 0);
    world.askings[0].gone(NULL, world.askings[0].data);
    assert_int_equal(world.askings[0].outcome, WAITING);
    made_settle(&world.time);
    assert_int_equal(world.askings[0].outcome, EINTR);
    assert_int_equal(world.askings[1].outcome, WAITING);
    end(&world);
}

static void a_store_that_changed_ends_it(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    ask(&world, 0, 0);
    lazy_stale(world.lazy);
    ask(&world, 1, 1);
    assert_int_equal(world.askings[0].outcome, ESTALE);
    assert_int_equal(world.askings[1].outcome, ESTALE);
    end(&world);
}

/* What is held back is waited for, asked for again, or lost. */
static void a_chunk_that_is_held_back(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    lazy_up(world.lazy);
    ask(&world, 0, 0);
    world.answer = PROBE_WAIT;
    assert_int_equal(say(&world, 0, ERR_HELD, EIO), 0);
    assert_int_equal(world.nfetched[0], 1);
    lazy_settled(world.lazy);
    assert_int_equal(world.nfetched[0], 2);
    world.answer = PROBE_AGAIN;
    assert_int_equal(say(&world, 0, ERR_HELD, EIO), 0);
    assert_int_equal(say(&world, 0, ERR_HELD, EIO), 0);
    assert_int_equal(world.nfetched[0], 4);
    assert_int_equal(say(&world, 0, ERR_HELD, EIO), -1);
    lazy_down(world.lazy);
    lazy_up(world.lazy);
    assert_int_equal(world.nfetched[0], 5);
    assert_int_equal(world.askings[0].outcome, WAITING);
    world.answer = PROBE_CONDEMNED;
    assert_int_equal(say(&world, 0, ERR_HELD, EIO), 0);
    assert_int_equal(world.askings[0].outcome, EIO);
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_asked_for_once),
        cmocka_unit_test(those_who_wait_for_a_file_wait_together),
        cmocka_unit_test(a_stop_is_forgiven),
        cmocka_unit_test(who_gives_up_is_answered_alone),
        cmocka_unit_test(a_store_that_changed_ends_it),
        cmocka_unit_test(a_chunk_that_is_held_back),
    };

    log_init("test", LOG_LEVEL_ERROR, open("/dev/null", O_WRONLY | O_CLOEXEC));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
