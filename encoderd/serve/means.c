/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/means.h"

#include "proto/conn.h"

#include <poll.h>

struct budget server_budget(const struct server *server)
{
    return budget_of(server->config.memory, server->config.nthreads);
}

/* Reports the progress of an open, which may take long, to the front, and stops it if the front is
 * gone. Runs on the threads of the pass, one call at a time, while the event loop waits for the
 * open. */
static int report_progress(const char *what, uint64_t done, uint64_t total, void *arg)
{
    struct server *server = arg;
    const struct msg msg = {
        .type = MSG_PROGRESS,
        .u.progress = {.id = server->open_id, .what = what, .done = done, .total = total}};
    struct pollfd gone = {.fd = server->fd, .events = POLLRDHUP};

    if (poll(&gone, 1, 0) > 0 && (gone.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
        return -1;
    conn_send(server->conn, &msg, NULL, 0);
    return 0;
}

struct pass_means server_means(struct server *server)
{
    return (struct pass_means){.nthreads = server_budget(server).nthreads,
                               .scratch_max = server_budget(server).scratch,
                               .spill = server->spill,
                               .progress = report_progress,
                               .progress_arg = server};
}
