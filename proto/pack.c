/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/proto.h"
#include "proto/rules.h"

#include <msgpack.h>
#include <string.h>

/* Like a getter, a putter that has failed ignores what follows. */
struct putter {
    msgpack_packer packer;
    const char *message;
    struct err *err;
    bool failed;
};

static int write_buf(void *data, const char *bytes, size_t len)
{
    struct buf *out = data;

    buf_append(out, bytes, len);
    return out->failed ? -1 : 0;
}

static void put_fail(struct putter *put, const char *key, const char *what)
{
    if (put->failed)
        return;
    put->failed = true;
    err_set(put->err, ERR_USAGE, "message %s: %s %s", put->message, key, what);
}

static void put_text(struct putter *put, const char *text, size_t len)
{
    msgpack_pack_str(&put->packer, len);
    msgpack_pack_str_body(&put->packer, text, len);
}

static void put_key(struct putter *put, const char *key)
{
    put_text(put, key, strlen(key));
}

static void put_u64(struct putter *put, const char *key, uint64_t min, uint64_t max, uint64_t value)
{
    if (value < min || value > max)
        put_fail(put, key, "is out of range");
    put_key(put, key);
    msgpack_pack_uint64(&put->packer, value);
}

static void put_id(struct putter *put, uint64_t id)
{
    put_u64(put, "id", 0, UINT64_MAX, id);
}

static void put_size(struct putter *put, const char *key, uint64_t min, uint64_t size)
{
    put_u64(put, key, min, PROTO_SIZE_MAX, size);
}

static void put_count(struct putter *put, const char *key, uint64_t count)
{
    put_u64(put, key, 0, UINT64_MAX, count);
}

static void put_bool(struct putter *put, const char *key, bool value)
{
    put_key(put, key);
    if (value)
        msgpack_pack_true(&put->packer);
    else
        msgpack_pack_false(&put->packer);
}

static void put_bin(struct putter *put, const char *key, const uint8_t *bytes, size_t len)
{
    put_key(put, key);
    msgpack_pack_bin(&put->packer, len);
    msgpack_pack_bin_body(&put->packer, bytes, len);
}

/* The string alone; key only names it in an error. */
static void put_str_value(struct putter *put, const char *key, size_t min, const char *text)
{
    size_t len = text == NULL ? 0 : strnlen(text, PROTO_STRING_MAX + 1);

    if (text == NULL || len < min)
        put_fail(put, key, "is not set");
    else if (len > PROTO_STRING_MAX)
        put_fail(put, key, "is longer than 4096 bytes");
    else
        put_text(put, text, len);
}

static void put_str(struct putter *put, const char *key, size_t min, const char *text)
{
    put_key(put, key);
    put_str_value(put, key, min, text);
}

static void put_strings(struct putter *put, const char *key, const char *const *texts, size_t n)
{
    put_key(put, key);
    msgpack_pack_array(&put->packer, n);
    for (size_t i = 0; i < n; i++)
        put_str_value(put, key, 1, texts[i]);
}

static void put_hello(struct putter *put, const struct msg_hello *hello)
{
    put_count(put, "version", hello->version);
    put_str(put, "program", 1, hello->program);
    put_count(put, "pid", hello->pid);
}

static void put_bgen_options(struct putter *put, const struct view_options *view)
{
    put_bool(put, "no_bgi", view->no_bgi);
    put_bool(put, "no_sample_file", view->no_sample_file);
    put_bool(put, "no_header_samples", view->no_header_samples);
    put_bool(put, "phased", view->phased);
    put_bool(put, "haploid", view->haploid);
    put_bool(put, "id_in_varid", view->id_in_varid);
    put_count(put, "string_length", view->total_string_length);
    put_u64(put, "pad_byte", 0, PROTO_PAD_MAX, view->pad_byte);
}

static void put_view(struct putter *put, const struct view_options *view)
{
    put_key(put, "view");
    msgpack_pack_map(&put->packer, 20);
    if (view->nformats > PROTO_FORMATS_MAX) {
        put_fail(put, "formats", "holds too many");
        return;
    }
    put_strings(put, "formats", view->formats, view->nformats);
    put_bool(put, "optional", view->formats_optional);
    put_str(put, "basename", 0, view->basename);
    put_bool(put, "no_bim", view->no_bim);
    put_bool(put, "no_fam", view->no_fam);
    put_bool(put, "fid_zero", view->fid_zero);
    put_u64(put, "autosomes", 0, PROTO_CHR_SET_MAX, view->autosomes);
    put_bgen_options(put, view);
    put_count(put, "min_alleles", view->min_alleles);
    put_count(put, "max_alleles", view->max_alleles);
    put_bool(put, "follow_links", view->follow_links);
    put_bool(put, "absent_fill", view->absent_fill);
    put_bool(put, "selection", view->has_selection);
}

static void put_open(struct putter *put, const struct msg_open *open)
{
    put_id(put, open->id);
    put_str(put, "store", 1, open->store);
    put_view(put, &open->view);
    put_bool(put, "resume", open->resume);
    if (open->resume) {
        put_bin(put, "mark", open->mark, sizeof open->mark);
        put_bool(put, "state", open->has_state);
    } else if (open->has_state) {
        put_fail(put, "state", "is only for resume");
    }
}

static void put_info(struct putter *put, const struct msg_info *info)
{
    put_id(put, info->id);
    put_str(put, "store", 1, info->store);
    put_view(put, &info->view);
    put_bool(put, "json", info->json);
    put_bool(put, "check", info->check);
    put_str(put, "for", 0, info->consumer);
}

static void put_read(struct putter *put, const struct msg_read *request)
{
    put_id(put, request->id);
    put_u64(put, "file", 0, PROTO_FILES_MAX - 1, request->file);
    put_count(put, "fh", request->handle);
    put_size(put, "off", 0, request->offset);
    put_size(put, "len", 1, request->length);
}

static void put_return(struct putter *put, const struct msg_return *ret)
{
    if (ret->nleases == 0 || ret->nleases > PROTO_RETURN_MAX) {
        put_fail(put, "leases", "holds none or too many");
        return;
    }
    put_key(put, "leases");
    msgpack_pack_array(&put->packer, ret->nleases);
    for (size_t i = 0; i < ret->nleases; i++)
        msgpack_pack_uint64(&put->packer, ret->leases[i]);
}

static void put_fetch(struct putter *put, const struct msg_fetch *fetch)
{
    put_id(put, fetch->id);
    put_u64(put, "file", 0, PROTO_FILES_MAX - 1, fetch->file);
    put_size(put, "mtime", 0, fetch->mtime);
}

static void put_hold(struct putter *put, const struct msg_hold *hold)
{
    if (hold->nchunks > PROTO_HOLD_MAX)
        put_fail(put, "chunks", "holds too many");
    else
        put_strings(put, "chunks", hold->chunks, hold->nchunks);
}

static void put_progress(struct putter *put, const struct msg_progress *progress)
{
    put_id(put, progress->id);
    put_str(put, "what", 0, progress->what);
    put_u64(put, "done", 0, progress->total, progress->done);
    put_count(put, "total", progress->total);
}

static void put_notice(struct putter *put, const struct msg_notice *notice)
{
    put_id(put, notice->id);
    put_str(put, "text", 0, notice->text);
}

static void put_file(struct putter *put, const struct msg_file *file)
{
    put_id(put, file->id);
    put_u64(put, "file", 0, PROTO_FILES_MAX - 1, file->file);
    if (file->name == NULL || !rules_file_name_ok(file->name))
        put_fail(put, "name", "cannot be a file's name");
    put_str(put, "name", 1, file->name);
    put_str(put, "kind", 1,
            file->kind == FILE_SIDECAR ? "sidecar"
            : file->kind == FILE_LAZY  ? "lazy"
                                       : "stream");
    put_u64(put, "size", 0, file->kind == FILE_LAZY ? 0 : PROTO_SIZE_MAX, file->size);
    put_u64(put, "buffer", 0, PROTO_BUFFER_MAX, file->buffer);
    if (!rules_buffer_ok(file->buffer))
        put_fail(put, "buffer", "is not a power of two");
}

static void put_opened(struct putter *put, const struct msg_opened *opened)
{
    put_id(put, opened->id);
    put_bin(put, "fp", opened->fingerprint, sizeof opened->fingerprint);
    put_size(put, "mtime", 0, opened->mtime);
    put_count(put, "variants", opened->nvariants);
    put_count(put, "samples", opened->nsamples);
    put_u64(put, "files", 0, PROTO_FILES_MAX, opened->nfiles);
    put_size(put, "arena", 0, opened->arena_size);
    put_bool(put, "state", opened->has_state);
}

static void put_report(struct putter *put, const struct msg_report *report)
{
    put_id(put, report->id);
    put_size(put, "size", 0, report->size);
    put_count(put, "problems", report->problems);
}

static void put_span(struct putter *put, const struct msg_span *span)
{
    put_id(put, span->id);
    put_count(put, "lease", span->lease);
    put_size(put, "off", 0, span->offset);
    put_size(put, "len", 1, span->length);
    put_size(put, "at", 0, span->at);
}

static void put_counters(struct putter *put, const struct msg_counters *counters)
{
    put_id(put, counters->id);
    put_count(put, "reads", counters->reads);
    put_count(put, "spans", counters->spans);
    put_count(put, "blocks", counters->blocks);
    put_count(put, "decoded", counters->bytes_decoded);
    put_count(put, "encoded", counters->bytes_encoded);
    put_count(put, "failed", counters->spans_failed);
    put_count(put, "mixed_phase", counters->mixed_phase);
    put_count(put, "requests", counters->requests);
    put_count(put, "read", counters->bytes_read);
    put_count(put, "opened", counters->opened);
    put_count(put, "waits", counters->waits);
    put_count(put, "most_in_flight", counters->most_in_flight);
    put_count(put, "unforeseen", counters->unforeseen);
    put_count(put, "held", counters->leases_held);
    put_count(put, "arena", counters->arena_used);
    put_count(put, "resident", counters->resident);
}

static void put_sidecar(struct putter *put, const struct msg_sidecar *sidecar)
{
    put_id(put, sidecar->id);
    put_u64(put, "file", 0, PROTO_FILES_MAX - 1, sidecar->file);
    put_size(put, "size", 0, sidecar->size);
    put_bool(put, "sealed", sidecar->sealed);
}

static void put_error(struct putter *put, const struct msg_error *error)
{
    if (error->code == ERR_NONE)
        put_fail(put, "code", "is not set");
    put_id(put, error->id);
    put_str(put, "code", 1, err_code_name(error->code));
    put_u64(put, "errno", 1, RULES_ERRNO_MAX, error->errnum);
    put_str(put, "text", 0, error->text);
}

static void put_body(struct putter *put, const struct msg *msg)
{
    switch (msg->type) {
    case MSG_HELLO:
        put_hello(put, &msg->u.hello);
        break;
    case MSG_OPEN:
        put_open(put, &msg->u.open);
        break;
    case MSG_INFO:
        put_info(put, &msg->u.info);
        break;
    case MSG_READ:
        put_read(put, &msg->u.read);
        break;
    case MSG_RETURN:
        put_return(put, &msg->u.ret);
        break;
    case MSG_RELEASE:
        put_count(put, "fh", msg->u.release.handle);
        break;
    case MSG_STATS:
        put_id(put, msg->u.stats.id);
        break;
    case MSG_FETCH:
        put_fetch(put, &msg->u.fetch);
        break;
    case MSG_EVIDENCE:
        break;
    case MSG_HOLD:
        put_hold(put, &msg->u.hold);
        break;
    case MSG_PROGRESS:
        put_progress(put, &msg->u.progress);
        break;
    case MSG_NOTICE:
        put_notice(put, &msg->u.notice);
        break;
    case MSG_FILE:
        put_file(put, &msg->u.file);
        break;
    case MSG_OPENED:
        put_opened(put, &msg->u.opened);
        break;
    case MSG_REPORT:
        put_report(put, &msg->u.report);
        break;
    case MSG_SPAN:
        put_span(put, &msg->u.span);
        break;
    case MSG_COUNTERS:
        put_counters(put, &msg->u.counters);
        break;
    case MSG_SIDECAR:
        put_sidecar(put, &msg->u.sidecar);
        break;
    case MSG_ERROR:
        put_error(put, &msg->u.error);
        break;
    }
}

/* Keys in the message's map, "t" counted. */
static size_t nkeys(const struct msg *msg)
{
    static const size_t fixed[] = {
        [MSG_HELLO] = 4,   [MSG_OPEN] = 5,     [MSG_INFO] = 7,      [MSG_READ] = 6,
        [MSG_RETURN] = 2,  [MSG_RELEASE] = 2,  [MSG_STATS] = 2,     [MSG_PROGRESS] = 5,
        [MSG_NOTICE] = 3,  [MSG_FILE] = 7,     [MSG_OPENED] = 9,    [MSG_REPORT] = 4,
        [MSG_SPAN] = 6,    [MSG_ERROR] = 5,    [MSG_COUNTERS] = 18, [MSG_FETCH] = 4,
        [MSG_SIDECAR] = 5, [MSG_EVIDENCE] = 1, [MSG_HOLD] = 2,
    };

    return fixed[msg->type] + (msg->type == MSG_OPEN && msg->u.open.resume ? 2 : 0);
}

int proto_pack(const struct msg *msg, struct buf *out, struct err *err)
{
    struct putter put = {.message = msg_type_name(msg->type), .err = err};
    size_t before = out->len;

    if ((unsigned)msg->type > MSG_ERROR)
        return err_set(err, ERR_USAGE, "no message has the type %d", (int)msg->type);
    msgpack_packer_init(&put.packer, out, write_buf);
    msgpack_pack_map(&put.packer, nkeys(msg));
    put_str(&put, "t", 1, put.message);
    put_body(&put, msg);
    if (out->failed)
        return err_set(err, ERR_MEMORY, "message %s: out of memory", put.message);
    if (!put.failed && out->len - before > PROTO_PACKET_MAX)
        put_fail(&put, "packet", "is over the limit");
    if (put.failed)
        out->len = before;
    return put.failed ? -1 : 0;
}
