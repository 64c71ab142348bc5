/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/messages.h"

#include "proto/field_table.h"
#include "proto/proto.h"
#include "proto/rules.h"

#include <limits.h>

#define ERRNO_MAX 4095 /* what a system call can return */

static const char *name_of_kind(int kind)
{
    static const char *const names[] = {
        [FILE_STREAM] = "stream", [FILE_SIDECAR] = "sidecar", [FILE_LAZY] = "lazy"};

    return names[kind];
}

static const char *name_of_code(int code)
{
    return err_code_name((enum err_code)code);
}

static const struct field_names kinds = {name_of_kind, "is neither stream nor sidecar nor lazy"};
static const struct field_names codes = {name_of_code, "is not the name of an error"};

#define ID(S)             U64(S, "id", id)
#define ANY_STR(S, k, m)  STR(S, k, m, 1, PROTO_STRING_MAX)
#define ANY_TEXT(S, k, m) STR(S, k, m, 0, PROTO_STRING_MAX)

static const struct field hello_fields[] = {
    {U64(msg_hello, "version", version)},
    {ANY_STR(msg_hello, "program", program)},
    {U64(msg_hello, "pid", pid)},
};

static const struct field setting_fields[] = {
    {ANY_STR(option_setting, "format", format)},
    {ANY_STR(option_setting, "key", key)},
    {ANY_TEXT(option_setting, "value", value)},
};
static const struct record setting = TUPLE(option_setting, setting_fields);

static const struct field view_fields[] = {
    {LIST(view_options, "formats", formats, const char *, nformats, 0, OF_STRS(PROTO_STRING_MAX))},
    {BOOL(view_options, "optional", formats_optional)},
    {ANY_TEXT(view_options, "basename", basename)},
    {LIST(view_options, "options", settings, struct option_setting, nsettings, 0,
          OF_STRUCTS(setting))},
    {U64(view_options, "min_alleles", min_alleles)},
    {U64(view_options, "max_alleles", max_alleles)},
    {BOOL(view_options, "follow_links", follow_links)},
    {BOOL(view_options, "absent_fill", absent_fill)},
    {BOOL(view_options, "selection", has_selection), .brings = true},
};
static const struct record view = RECORD(view_options, view_fields);

static const struct field open_fields[] = {
    {ID(msg_open)},
    {ANY_STR(msg_open, "store", store)},
    {STRUCT(msg_open, "view", view, view_options, view)},
    {BOOL(msg_open, "resume", resume)},
    {BIN(msg_open, "mark", mark), .only_if = offsetof(struct msg_open, resume)},
    {BOOL(msg_open, "state", has_state), .only_if = offsetof(struct msg_open, resume),
     .brings = true},
};

static const struct field info_fields[] = {
    {ID(msg_info)},
    {ANY_STR(msg_info, "store", store)},
    {STRUCT(msg_info, "view", view, view_options, view)},
    {BOOL(msg_info, "json", json)},
    {BOOL(msg_info, "check", check)},
    {ANY_TEXT(msg_info, "for", consumer)},
};

static const struct field read_fields[] = {
    {ID(msg_read)},
    {INDEX(msg_read, "file", file)},
    {U64(msg_read, "fh", handle)},
    {SIZE(msg_read, "off", offset, 0)},
    {SIZE(msg_read, "len", length, 1)},
};

static const struct field return_fields[] = {
    {LIST(msg_return, "leases", leases, uint64_t, nleases, 1, OF_NUMBERS)},
};

static const struct field release_fields[] = {
    {U64(msg_release, "fh", handle)},
};

static const struct field stats_fields[] = {
    {ID(msg_stats)},
};

static const struct field fetch_fields[] = {
    {ID(msg_fetch)},
    {INDEX(msg_fetch, "file", file)},
    {SIZE(msg_fetch, "mtime", mtime, 0)},
};

static const struct field hold_fields[] = {
    {LIST(msg_hold, "chunks", chunks, const char *, nchunks, 0, OF_STRS(PROTO_STRING_MAX))},
};

static const struct field progress_fields[] = {
    {ID(msg_progress)},
    {ANY_TEXT(msg_progress, "what", what)},
    {U64(msg_progress, "done", done)},
    {U64(msg_progress, "total", total), .rule = rule_progress_total},
};

static const struct field notice_fields[] = {
    {ID(msg_notice)},
    {ANY_TEXT(msg_notice, "text", text)},
};

static const struct field file_fields[] = {
    {ID(msg_file)},
    {INDEX(msg_file, "file", file)},
    {STR(msg_file, "name", name, 1, NAME_MAX), .rule = rule_file_name},
    {NAME(msg_file, "kind", kind, enum file_kind, FILE_STREAM, FILE_LAZY, kinds),
     .brings = FILE_SIDECAR},
    {SIZE(msg_file, "size", size, 0), .rule = rule_file_size},
    {NUMBER(msg_file, "buffer", buffer, 0, PROTO_BUFFER_MAX), .rule = rule_file_buffer},
};

static const struct field opened_fields[] = {
    {ID(msg_opened)},
    {BIN(msg_opened, "fp", fingerprint)},
    {SIZE(msg_opened, "mtime", mtime, 0)},
    {U64(msg_opened, "variants", nvariants)},
    {U64(msg_opened, "samples", nsamples)},
    {NUMBER(msg_opened, "files", nfiles, 0, PROTO_FILES_MAX)},
    {SIZE(msg_opened, "arena", arena_size, 0)},
    {BOOL(msg_opened, "state", has_state), .brings = true},
};

static const struct field report_fields[] = {
    {ID(msg_report)},
    {SIZE(msg_report, "size", size, 0)},
    {U64(msg_report, "problems", problems)},
};

static const struct field span_fields[] = {
    {ID(msg_span)},
    {U64(msg_span, "lease", lease)},
    {SIZE(msg_span, "off", offset, 0)},
    {SIZE(msg_span, "len", length, 1)},
    {SIZE(msg_span, "at", at, 0)},
};

static const struct field counters_fields[] = {
    {ID(msg_counters)},
    {U64(msg_counters, "reads", reads)},
    {U64(msg_counters, "spans", spans)},
    {U64(msg_counters, "blocks", blocks)},
    {U64(msg_counters, "decoded", bytes_decoded)},
    {U64(msg_counters, "encoded", bytes_encoded)},
    {U64(msg_counters, "failed", spans_failed)},
    {U64(msg_counters, "mixed_phase", mixed_phase)},
    {U64(msg_counters, "requests", requests)},
    {U64(msg_counters, "read", bytes_read)},
    {U64(msg_counters, "opened", opened)},
    {U64(msg_counters, "waits", waits)},
    {U64(msg_counters, "most_in_flight", most_in_flight)},
    {U64(msg_counters, "unforeseen", unforeseen)},
    {U64(msg_counters, "held", leases_held)},
    {U64(msg_counters, "arena", arena_used)},
    {U64(msg_counters, "resident", resident)},
};

static const struct field sidecar_fields[] = {
    {ID(msg_sidecar)},
    {INDEX(msg_sidecar, "file", file)},
    {SIZE(msg_sidecar, "size", size, 0)},
    {BOOL(msg_sidecar, "sealed", sealed)},
};

static const struct field error_fields[] = {
    {ID(msg_error)},
    {NAME(msg_error, "code", code, enum err_code, ERR_NONE + 1, ERR_SYSTEM, codes)},
    {NUMBER(msg_error, "errno", errnum, 1, ERRNO_MAX)},
    {ANY_TEXT(msg_error, "text", text)},
};

const struct message messages[MESSAGES_N] = {
    [MSG_HELLO] = {"hello", RECORD(msg_hello, hello_fields), .nfds = 0},
    [MSG_OPEN] = {"open", RECORD(msg_open, open_fields), .nfds = 0},
    [MSG_INFO] = {"info", RECORD(msg_info, info_fields), .nfds = 0},
    [MSG_READ] = {"read", RECORD(msg_read, read_fields), .nfds = 0},
    [MSG_RETURN] = {"return", RECORD(msg_return, return_fields), .nfds = 0},
    [MSG_RELEASE] = {"release", RECORD(msg_release, release_fields), .nfds = 0},
    [MSG_STATS] = {"stats", RECORD(msg_stats, stats_fields), .nfds = 0},
    [MSG_FETCH] = {"fetch", RECORD(msg_fetch, fetch_fields), .nfds = 0},
    [MSG_EVIDENCE] = {"evidence", {.nfields = 0}, .nfds = 1},
    [MSG_HOLD] = {"hold", RECORD(msg_hold, hold_fields), .nfds = 0},
    [MSG_PROGRESS] = {"progress", RECORD(msg_progress, progress_fields), .nfds = 0},
    [MSG_NOTICE] = {"notice", RECORD(msg_notice, notice_fields), .nfds = 0},
    [MSG_FILE] = {"file", RECORD(msg_file, file_fields), .nfds = 0},
    [MSG_OPENED] = {"opened", RECORD(msg_opened, opened_fields), .nfds = 1},
    [MSG_REPORT] = {"report", RECORD(msg_report, report_fields), .nfds = 1},
    [MSG_SPAN] = {"span", RECORD(msg_span, span_fields), .nfds = 0},
    [MSG_COUNTERS] = {"counters", RECORD(msg_counters, counters_fields), .nfds = 0},
    [MSG_SIDECAR] = {"sidecar", RECORD(msg_sidecar, sidecar_fields), .nfds = 1},
    [MSG_ERROR] = {"error", RECORD(msg_error, error_fields), .nfds = 0},
};
