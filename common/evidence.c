/* SPDX-License-Identifier: Apache-2.0 */
#include "common/evidence.h"

#include "common/memfd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_NBYTES ((size_t)64 << 10)
#if defined(__SANITIZE_ADDRESS__) /* which brings its own */
#define MAKES_STACKS false
#else
#define MAKES_STACKS true
#endif

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
#define NSIGNALS (sizeof signals / sizeof signals[0])

/* Global, because a signal handler gets no argument of ours. Set once, by evidence_give. */
static struct evidence_page *given;
static struct sigaction before[NSIGNALS];
static pthread_key_t stack_key; /* each thread's alternate stack; unmapped when the thread ends */

static _Thread_local pid_t own_thread;
static _Thread_local uint64_t own_ticks;

/* ---- the encoder's side ---- */

static void restore(int signal)
{
    for (size_t i = 0; i < NSIGNALS; i++)
        if (signals[i] == signal)
            sigaction(signal, &before[i], NULL);
}

/* A fault has a positive code. abort() and the checks for overflows raise their signal themselves,
 * so its sender is this process. */
static bool is_own_fault(const siginfo_t *info)
{
    return info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());
}

/* Only the first signal is recorded: signals after it come from a program that is ending already.
 * Afterwards the signal's earlier action takes over: a fault happens again when the handler
 * returns, and a signal that was sent is raised again. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    int nobody = 0;

    (void)context;
    if (atomic_compare_exchange_strong(&given->state, &nobody, 1)) {
        given->signal = signal;
        given->code = info->si_code;
        given->thread = gettid();
        given->own_fault = is_own_fault(info);
        given->address = info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr : 0;
        atomic_store(&given->state, 2);
    }
    restore(signal);
    if (info->si_code <= 0)
        raise(signal);
    errno = saved;
}

static void drop_stack(void *stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};

    sigaltstack(&none, NULL);
    munmap(stack, STACK_NBYTES);
}

/* A signal stack for this thread: if the thread's own stack is full, the handler cannot run on
 * it. */
static void make_stack(void)
{
    void *const memory = mmap(NULL, STACK_NBYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const stack_t stack = {.ss_sp = memory, .ss_size = STACK_NBYTES};

    if (memory == MAP_FAILED)
        return;
    if (pthread_setspecific(stack_key, memory) != 0 || sigaltstack(&stack, NULL) != 0) {
        pthread_setspecific(stack_key, NULL);
        munmap(memory, STACK_NBYTES);
    }
}

static void meet_thread(void)
{
    own_thread = gettid();
    if (MAKES_STACKS)
        make_stack();
}

int evidence_give(int fd, struct err *err)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const uint8_t *checked;
    void *map;

    if (given != NULL || memfd_map(fd, sizeof *given, &checked, err) != 0)
        return given != NULL ? 0 : -1;
    memfd_unmap(checked, sizeof *given);
    map = mmap(NULL, sizeof *given, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return err_sys(err, ERR_SYSTEM, errno, "cannot map the page for evidence");
    if (pthread_key_create(&stack_key, drop_stack) != 0) {
        munmap(map, sizeof *given);
        return err_set(err, ERR_SYSTEM, "no key for a thread's own memory is left");
    }
    given = map;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < NSIGNALS; i++)
        sigaction(signals[i], &action, &before[i]);
    meet_thread();
    return 0;
}

struct evidence_slot *evidence_take_slot(void)
{
    for (size_t i = 0; given != NULL && i < EVIDENCE_SLOTS; i++)
        if (atomic_exchange(&given->slots[i].taken, 1) == 0)
            return &given->slots[i];
    return NULL;
}

void evidence_put_slot(struct evidence_slot *slot)
{
    evidence_done(slot);
    if (slot != NULL)
        atomic_store(&slot->taken, 0);
}

/* Only the order of this thread's own writes matters, because the page is read after the process
 * has ended. */
void evidence_note(struct evidence_slot *slot, const char *label, uint64_t block)
{
    if (slot == NULL)
        return;
    if (own_thread == 0)
        meet_thread();
    atomic_store_explicit(&slot->thread, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    slot->when = ++own_ticks;
    slot->block = block;
    memccpy(slot->label, label, 0, sizeof slot->label - 1); /* the last byte stays 0 */
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&slot->thread, own_thread, memory_order_release);
}

void evidence_done(struct evidence_slot *slot)
{
    if (slot != NULL)
        atomic_store_explicit(&slot->thread, 0, memory_order_release);
}

/* ---- the front's side ---- */

int evidence_new(int *fd, struct evidence_page **page, struct err *err)
{
    void *map;

    *page = NULL;
    *fd = memfd_arena("vczfs-evidence", sizeof **page, err);
    if (*fd < 0)
        return -1;
    map = mmap(NULL, sizeof **page, PROT_READ, MAP_SHARED, *fd, 0);
    if (map != MAP_FAILED) {
        *page = map;
        return 0;
    }
    err_sys(err, ERR_SYSTEM, errno, "cannot map the page for evidence");
    close(*fd);
    *fd = -1;
    return -1;
}

void evidence_free(struct evidence_page **page)
{
    memfd_unmap((const uint8_t *)*page, sizeof **page);
    *page = NULL;
}

/* Finds the chunk that the thread worked on last. */
static void read_slots(const struct evidence_page *page, int thread, struct evidence *out)
{
    const struct evidence_slot *last = NULL;

    for (size_t i = 0; i < EVIDENCE_SLOTS; i++) {
        const struct evidence_slot *slot = &page->slots[i];

        if (atomic_load(&slot->thread) == thread && (last == NULL || slot->when > last->when))
            last = slot;
    }
    if (last == NULL)
        return;
    memcpy(out->label, last->label, sizeof out->label);
    out->label[sizeof out->label - 1] = '\0';
    out->block = last->block;
}

void evidence_read(const struct evidence_page *page, struct evidence *out)
{
    *out = (struct evidence){0};
    if (page == NULL || atomic_load(&page->state) != 2)
        return;
    out->signal = page->signal;
    out->code = page->code;
    out->address = page->address;
    out->own_fault = page->own_fault != 0;
    if (out->own_fault && page->thread != 0)
        read_slots(page, page->thread, out);
}
