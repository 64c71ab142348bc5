/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static bool is_users(int number)
{
    return number == SIGHUP || number == SIGINT || number == SIGQUIT;
}

void signals_begin(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        if (!is_users(number))
            sigaction(number, &by_default, NULL); /* fails for those that cannot be changed */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}
