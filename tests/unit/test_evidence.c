/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that died says about it, in each way in which one can die. */
#include "common/evidence.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Not NULL: a sanitizer sees that coming. */
static int *volatile nowhere = (int *)(uintptr_t)64;

static void fault(void)
{
    *nowhere = 1;
}

static void raise_fault(void)
{
    raise(SIGSEGV);
}

static int descend(int depth)
{
    volatile char room[4096];

    room[0] = (char)depth;
    return nowhere != NULL ? descend(depth + 1) + room[0] : 0;
}

static void overflow(void)
{
    descend(0);
}

static void wait_for_signal(void)
{
    for (;;)
        pause();
}

static void leave(void)
{
    _exit(3);
}

struct death {
    const char *name;
    void (*die)(void);
    int sent;     /* to it; 0: nothing is */
    int signal;   /* that it ends of; 0: it exits */
    bool handled; /* that signal is in the evidence */
    bool own_fault;
};

static const struct death deaths[] = {
    {"a fault", fault, 0, SIGSEGV, true, true},
    {"abort", abort, 0, SIGABRT, true, true},
    {"a fault it raised", raise_fault, 0, SIGSEGV, true, true},
    {"a full stack", overflow, 0, SIGSEGV, true, true},
    {"SEGV was sent", wait_for_signal, SIGSEGV, SIGSEGV, true, false},
    {"ABRT was sent", wait_for_signal, SIGABRT, SIGABRT, true, false},
    {"BUS was sent", wait_for_signal, SIGBUS, SIGBUS, true, false},
    {"KILL was sent", wait_for_signal, SIGKILL, SIGKILL, false, false},
    {"TERM was sent", wait_for_signal, SIGTERM, SIGTERM, false, false},
    {"it left", leave, 0, 0, false, false},
};

/* Another decoder of another thread, and another one of the same thread, which came before. */
static void *be_at_something_else(void *arg)
{
    evidence_note(evidence_take_slot(), "other/0", 1);
    sem_post(arg);
    for (;;)
        pause();
    return NULL;
}

static void *die(void *arg)
{
    const struct death *death = arg;
    struct evidence_slot *slot = evidence_take_slot();

    evidence_note(evidence_take_slot(), "earlier/0", 1);
    evidence_note(slot, "guilty/1.2", 6);
    evidence_note(slot, "guilty/1.2", 7);
    death->die();
    return NULL;
}

static void child(int fd, const struct death *death, int ready)
{
    pthread_t thread;
    struct err err;
    sem_t noted;

    for (int signal = 1; signal < SIGRTMIN; signal++)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL); /* not cmocka's */
    sem_init(&noted, 0, 0);
    if (evidence_give(fd, &err) != 0 ||
        pthread_create(&thread, NULL, be_at_something_else, &noted) != 0)
        _exit(99);
    sem_wait(&noted);
    close(ready);
    if (pthread_create(&thread, NULL, die, (void *)(uintptr_t)death) != 0)
        _exit(99);
    pthread_join(thread, NULL);
    _exit(98);
}

static int end_of(const struct death *death, struct evidence *out)
{
    struct evidence_page *page;
    int fd, status, pair[2];
    struct err err;
    char none;
    pid_t pid;

    assert_int_equal(evidence_new(&fd, &page, &err), 0);
    assert_int_equal(pipe(pair), 0);
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        child(fd, death, pair[1]);
    }
    close(pair[1]);
    assert_int_equal(read(pair[0], &none, 1), 0);
    close(pair[0]);
    if (death->sent != 0)
        kill(pid, death->sent);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    evidence_read(page, out);
    evidence_free(&page);
    close(fd);
    assert_null(page);
    return status;
}

static void each_death_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        const struct death *death = &deaths[i];
        struct evidence evidence;
        const int status = end_of(death, &evidence);

        if (death->signal == 0 ? WIFSIGNALED(status) : WTERMSIG(status) != death->signal)
            fail_msg("%s: status %d", death->name, status);
        if (evidence.signal != (death->handled ? death->signal : 0) ||
            evidence.own_fault != death->own_fault ||
            strcmp(evidence.label, death->own_fault ? "guilty/1.2" : "") != 0 ||
            evidence.block != (death->own_fault ? 7u : 0u))
            fail_msg("%s: signal %d, earned %d, '%s' block %llu", death->name, evidence.signal,
                     evidence.own_fault, evidence.label, (unsigned long long)evidence.block);
    }
}

static void fault_after(void)
{
    struct evidence_slot *slot = evidence_take_slot();

    for (size_t i = 0; i < 2 * EVIDENCE_SLOTS;
         i++) { /* slots that are given back are not used up */
        evidence_put_slot(slot);
        slot = evidence_take_slot();
        evidence_note(slot, "done/0", i);
    }
    evidence_done(slot);
    fault();
}

static void what_is_done_is_not_blamed(void **state)
{
    const struct death death = {"after all", fault_after, 0, SIGSEGV, true, true};
    struct evidence evidence;

    (void)state;
    end_of(&death, &evidence);
    assert_true(evidence.own_fault);
    assert_string_equal(evidence.label,
                        "guilty/1.2"); /* the thread's other decoder is still at it */
}

/* The front maps what the encoder may fill with anything. */
static void pages_may_hold_anything(void **state)
{
    struct evidence_page page;
    struct evidence evidence;

    (void)state;
    memset(&page, 0xff, sizeof page);
    evidence_read(&page, &evidence);
    assert_int_equal(evidence.signal, 0);
    page.state = 2;
    evidence_read(&page, &evidence);
    assert_int_equal(strlen(evidence.label), EVIDENCE_LABEL_MAX - 1);
    page.thread = 0;
    evidence_read(&page, &evidence);
    assert_string_equal(evidence.label, "");
    evidence_read(NULL, &evidence);
    assert_false(evidence.own_fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_death_tells),
        cmocka_unit_test(what_is_done_is_not_blamed),
        cmocka_unit_test(pages_may_hold_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
