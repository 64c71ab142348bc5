/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/status.h"

#include "common/json_text.h"
#include "common/printable.h"
#include "common/size.h"
#include "common/version.h"

#include <inttypes.h>
#include <stdio.h>

#define UNKNOWN "not known"

/* The newer error of reads and of encoders; NULL if there is none. */
static const char *last_error(const struct status *s, uint64_t *when)
{
    const bool of_link = s->link.last_loss[0] != '\0';
    const bool of_reads = s->reads.last_error[0] != '\0';

    if (of_link && (!of_reads || s->link.last_loss_at > s->reads.last_error_at)) {
        *when = s->link.last_loss_at;
        return s->link.last_loss;
    }
    *when = s->reads.last_error_at;
    return of_reads ? s->reads.last_error : NULL;
}

static const char *encoder_state(const struct status *s)
{
    if (s->link.state == LINK_UP && s->reads.npending > 0 && !s->has_counters)
        return "not answering";
    return link_state_name(s->link.state);
}

static uint64_t restarts(const struct status *s)
{
    return s->link.nstarted > 0 ? s->link.nstarted - 1 : 0;
}

/* ---- JSON ---- */

static void json_seconds(struct buf *out, const char *key, uint64_t ms)
{
    buf_printf(out, "\"%s\": %" PRIu64 ".%03" PRIu64, key, ms / 1000, ms % 1000);
}

/* 0 is "not known". */
static void json_bytes(struct buf *out, const char *key, uint64_t n)
{
    if (n == 0)
        buf_printf(out, "\"%s\": null", key);
    else
        buf_printf(out, "\"%s\": %" PRIu64, key, n);
}

static void json_counters(struct buf *out, const struct status *s)
{
    const struct msg_counters *c = &s->counters;

    if (!s->has_counters) {
        buf_append_str(out, "null");
        return;
    }
    buf_printf(out,
               "{\"reads\": %" PRIu64 ", \"spans\": %" PRIu64 ", \"blocks\": %" PRIu64
               ", \"bytes_decoded\": %" PRIu64 ", \"bytes_encoded\": %" PRIu64
               ", \"spans_failed\": %" PRIu64 ", \"mixed_phase\": %" PRIu64
               ", \"requests\": %" PRIu64 ", \"bytes_read\": %" PRIu64 ", \"opened\": %" PRIu64
               ", \"waits\": %" PRIu64 ", \"most_in_flight\": %" PRIu64 ", \"unforeseen\": %" PRIu64
               ", \"leases_held\": %" PRIu64 ", \"arena_used\": %" PRIu64 "}",
               c->reads, c->spans, c->blocks, c->bytes_decoded, c->bytes_encoded, c->spans_failed,
               c->mixed_phase, c->requests, c->bytes_read, c->opened, c->waits, c->most_in_flight,
               c->unforeseen, c->leases_held, c->arena_used);
}

static void json_encoder(struct buf *out, const struct status *s)
{
    buf_append_str(out, "{\"program\": ");
    json_append_string(out, s->link.program[0] != '\0' ? s->link.program : NULL);
    buf_printf(out, ", \"pid\": %" PRIu64 ", \"state\": \"%s\", ", s->link.pid, encoder_state(s));
    json_seconds(out, "up", s->link.state == LINK_UP ? s->now - s->link.up_since : 0);
    buf_printf(out, ", \"restarts\": %" PRIu64 ", \"last_end\": ", restarts(s));
    json_append_string(out, s->last_end[0] != '\0' ? s->last_end : NULL);
    buf_append_str(out, ", ");
    json_bytes(out, "resident", s->encoder_resident);
    buf_append_str(out, ", \"counters\": ");
    json_counters(out, s);
    buf_append_char(out, '}');
}

static void json_reads(struct buf *out, const struct status *s)
{
    const struct reads_facts *r = &s->reads;

    buf_printf(out,
               "{\"served\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"bytes\": %" PRIu64
               ", \"pending\": %" PRIu64 ", \"latency_us\": {\"p50\": %" PRIu64
               ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}, ",
               r->nserved, r->nfailed, r->bytes, r->npending, latency_quantile(r->latency, 0.5),
               latency_quantile(r->latency, 0.9), latency_quantile(r->latency, 0.99),
               r->latency->max);
    if (r->failed_at > 0)
        json_seconds(out, "last_failed_ago", s->now - r->failed_at);
    else
        buf_append_str(out, "\"last_failed_ago\": null");
    buf_append_char(out, '}');
}

/* The next suspect, from *i on, that is condemned now; NULL if there is none. */
static const struct suspect *next_condemned(const struct status *s, size_t *i)
{
    while (*i < SUSPECTS_MAX) {
        const struct suspect *suspect = &s->suspects->items[(*i)++];

        if (suspect->chunk[0] != '\0' && suspect_is_condemned(suspect, s->now))
            return suspect;
    }
    return NULL;
}

static void json_condemned(struct buf *out, const struct status *s)
{
    const struct suspect *suspect;
    size_t i = 0, n = 0;

    buf_append_char(out, '[');
    while ((suspect = next_condemned(s, &i)) != NULL) {
        buf_append_str(out, n++ > 0 ? ", {\"chunk\": " : "{\"chunk\": ");
        json_append_string(out, suspect->chunk);
        buf_printf(out, ", \"for\": %" PRIu64 "}", (suspect->until - s->now) / 1000);
    }
    buf_append_char(out, ']');
}

static void json_last_error(struct buf *out, const struct status *s)
{
    uint64_t when;
    const char *text = last_error(s, &when);

    if (text == NULL) {
        buf_append_str(out, "null");
        return;
    }
    buf_append_str(out, "{\"text\": ");
    json_append_string(out, text);
    buf_append_str(out, ", ");
    json_seconds(out, "ago", s->now - when);
    buf_append_char(out, '}');
}

void status_json(struct buf *out, const struct status *s)
{
    buf_append_str(out, "{\"store\": ");
    json_append_string(out, s->store);
    buf_append_str(out, ", \"directory\": ");
    json_append_string(out, s->dir);
    buf_append_str(out, ", \"log\": ");
    json_append_string(out, s->log_path);
    buf_printf(out, ", \"variants\": %" PRIu64 ", \"samples\": %" PRIu64 ",\n \"front\": ",
               s->link.view.nvariants, s->link.view.nsamples);
    buf_printf(out, "{\"program\": \"vczfs %s\", \"pid\": %" PRIu64 ", \"state\": \"%s\", ",
               VCZFS_VERSION, s->front_pid, s->link.state == LINK_STALE ? "stale" : "serving");
    json_seconds(out, "up", s->now - s->begun);
    buf_append_str(out, ", ");
    json_bytes(out, "resident", s->front_resident);
    buf_append_str(out, "},\n \"encoder\": ");
    json_encoder(out, s);
    buf_append_str(out, ",\n \"reads\": ");
    json_reads(out, s);
    buf_printf(out,
               ",\n \"handles\": %" PRIu64 ", \"leases\": {\"held\": %" PRIu64
               ", \"bytes\": %" PRIu64 "}, \"condemned\": ",
               s->reads.nhandles, s->reads.nleases, s->reads.lease_bytes);
    json_condemned(out, s);
    buf_append_str(out, ", \"last_error\": ");
    json_last_error(out, s);
    buf_append_str(out, "}\n");
}

/* ---- text ---- */

static void append_plain(struct buf *out, const char *text)
{
    const size_t begin = out->len;

    buf_append_str(out, text);
    if (!out->failed)
        printable((char *)out->data + begin, out->len - begin);
}

static const char *bytes_text(uint64_t n, char *text, size_t size)
{
    if (n == 0)
        return UNKNOWN;
    return size_format(n, text, size);
}

static void append_duration(struct buf *out, uint64_t ms)
{
    const uint64_t s = ms / 1000;

    if (s < 60)
        buf_printf(out, "%" PRIu64 ".%" PRIu64 " s", s, ms % 1000 / 100);
    else if (s < 3600)
        buf_printf(out, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        buf_printf(out, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
    else
        buf_printf(out, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s % 86400 / 3600);
}

static void append_latency(struct buf *out, const char *name, uint64_t us)
{
    if (us < 10000)
        buf_printf(out, "%s %" PRIu64 " us", name, us);
    else
        buf_printf(out, "%s %" PRIu64 " ms", name, us / 1000);
}

static void text_processes(struct buf *out, const struct status *s)
{
    char memory[24];

    buf_printf(out, "front     pid %" PRIu64 ", vczfs " VCZFS_VERSION ", up ", s->front_pid);
    append_duration(out, s->now - s->begun);
    buf_printf(out, ", memory %s\n", bytes_text(s->front_resident, memory, sizeof memory));
    buf_append_str(out, "encoder   ");
    if (s->link.pid != 0) {
        buf_printf(out, "pid %" PRIu64 ", ", s->link.pid);
        append_plain(out, s->link.program);
        buf_append_str(out, ", ");
    }
    buf_append_str(out, encoder_state(s));
    if (s->link.state == LINK_UP) {
        buf_append_str(out, ", up ");
        append_duration(out, s->now - s->link.up_since);
        buf_printf(out, ", memory %s", bytes_text(s->encoder_resident, memory, sizeof memory));
    }
    buf_printf(out, "; %" PRIu64 " restarts", restarts(s));
    if (s->last_end[0] != '\0')
        buf_printf(out, ", the last one that failed %s", s->last_end);
    buf_append_char(out, '\n');
}

static void text_reads(struct buf *out, const struct status *s)
{
    const struct reads_facts *r = &s->reads;
    char bytes[24];

    buf_printf(out, "reads     %" PRIu64 " served (%s), %" PRIu64 " failed, %" PRIu64 " waiting\n",
               r->nserved, r->bytes == 0 ? "0 B" : size_format(r->bytes, bytes, sizeof bytes),
               r->nfailed, r->npending);
    append_latency(out, "latency   p50", latency_quantile(r->latency, 0.5));
    append_latency(out, ", p90", latency_quantile(r->latency, 0.9));
    append_latency(out, ", p99", latency_quantile(r->latency, 0.99));
    append_latency(out, ", max", r->latency->max);
    buf_printf(out, "\nhandles   %" PRIu64 " open; %" PRIu64 " leases (%s)\n", r->nhandles,
               r->nleases,
               r->lease_bytes == 0 ? "0 B" : size_format(r->lease_bytes, bytes, sizeof bytes));
}

static void text_troubles(struct buf *out, const struct status *s)
{
    const struct suspect *suspect;
    uint64_t when;
    const char *error = last_error(s, &when);
    size_t i = 0;

    while ((suspect = next_condemned(s, &i)) != NULL) {
        buf_append_str(out, "condemned ");
        append_plain(out, suspect->chunk);
        buf_append_str(out, " for ");
        append_duration(out, suspect->until - s->now);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, "error     ");
    if (error == NULL) {
        buf_append_str(out, "none so far\n");
        return;
    }
    append_duration(out, s->now - when);
    buf_append_str(out, " ago: ");
    append_plain(out, error);
    buf_append_char(out, '\n');
}

static void text_log(struct buf *out, const struct status *s)
{
    if (s->log_path == NULL)
        return;
    buf_append_str(out, "log       ");
    append_plain(out, s->log_path);
    buf_append_char(out, '\n');
}

void status_text(struct buf *out, const struct status *s)
{
    append_plain(out, s->store);
    buf_append_str(out, " on ");
    append_plain(out, s->dir);
    buf_printf(out, ": %" PRIu64 " variants, %" PRIu64 " samples%s\n", s->link.view.nvariants,
               s->link.view.nsamples,
               s->link.state == LINK_STALE ? "; THE STORE CHANGED: unmount and mount again" : "");
    text_processes(out, s);
    text_reads(out, s);
    text_troubles(out, s);
    text_log(out, s);
}
