/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/stats_request.h"

#include "encoderd/serve/sched.h"
#include "proto/conn.h"

#include <stdio.h>
#include <unistd.h>

/* Resident bytes, from the kernel; 0 if they are not known. */
static uint64_t resident_bytes(const struct server *server)
{
    char text[128];
    const ssize_t n = pread(server->statm, text, sizeof text - 1, 0);
    unsigned long long total, resident;

    if (n <= 0)
        return 0;
    text[n] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): the kernel counts in 64 bits */
    if (sscanf(text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void handle_stats(struct server *server, const struct msg_stats *request)
{
    struct sched_stats stats = {0};
    struct msg msg = {.type = MSG_COUNTERS};

    if (server->sched != NULL)
        sched_stats(server->sched, &stats);
    msg.u.counters = (struct msg_counters){.id = request->id,
                                           .reads = stats.reads,
                                           .spans = stats.spans,
                                           .blocks = stats.blocks,
                                           .bytes_decoded = stats.bytes_decoded,
                                           .bytes_encoded = stats.bytes_encoded,
                                           .spans_failed = stats.spans_failed,
                                           .mixed_phase = stats.mixed_phase,
                                           .requests = stats.requests,
                                           .bytes_read = stats.bytes_read,
                                           .opened = stats.opened,
                                           .waits = stats.waits,
                                           .most_in_flight = stats.most_in_flight,
                                           .unforeseen = stats.unforeseen,
                                           .leases_held = stats.leases_held,
                                           .arena_used = stats.arena_used,
                                           .resident = resident_bytes(server)};
    conn_send(server->conn, &msg, NULL, 0);
}
