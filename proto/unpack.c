/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/get.h"
#include "proto/packet_shape.h"
#include "proto/proto.h"
#include "proto/rules.h"

#include <stdlib.h>
#include <string.h>

/* Holds what any message takes but an open of many long strings. */
#define ZONE_NBYTES 16384

struct proto_scratch {
    msgpack_zone *zone; /* owned; of the last message: its objects and strings */
};

struct proto_scratch *proto_scratch_new(void)
{
    struct proto_scratch *scratch = malloc(sizeof *scratch);

    if (scratch == NULL)
        return NULL;
    scratch->zone = msgpack_zone_new(ZONE_NBYTES);
    if (scratch->zone == NULL) {
        free(scratch);
        return NULL;
    }
    return scratch;
}

void proto_scratch_free(struct proto_scratch *scratch)
{
    if (scratch == NULL)
        return;
    msgpack_zone_free(scratch->zone);
    free(scratch);
}

static void get_id(struct getter *get, uint64_t *id)
{
    get_u64(get, "id", 0, UINT64_MAX, id);
}

static void get_size(struct getter *get, const char *key, uint64_t min, uint64_t *size)
{
    get_u64(get, key, min, PROTO_SIZE_MAX, size);
}

static void get_count(struct getter *get, const char *key, uint64_t *count)
{
    get_u64(get, key, 0, UINT64_MAX, count);
}

static void get_hello(struct getter *get, struct msg_hello *hello)
{
    get_count(get, "version", &hello->version);
    get_str(get, "program", 1, &hello->program);
    get_count(get, "pid", &hello->pid);
}

static void get_bgen_options(struct getter *get, struct view_options *view)
{
    get_bool(get, "no_bgi", &view->no_bgi);
    get_bool(get, "no_sample_file", &view->no_sample_file);
    get_bool(get, "no_header_samples", &view->no_header_samples);
    get_bool(get, "phased", &view->phased);
    get_bool(get, "haploid", &view->haploid);
    get_bool(get, "id_in_varid", &view->id_in_varid);
    get_count(get, "string_length", &view->total_string_length);
    get_u64(get, "pad_byte", 0, PROTO_PAD_MAX, &view->pad_byte);
}

static void get_view(struct getter *outer, struct view_options *view)
{
    struct getter get;

    get_map(outer, "view", &get);
    get_str_array(&get, "formats", PROTO_FORMATS_MAX, view->formats, &view->nformats);
    get_bool(&get, "optional", &view->formats_optional);
    get_str(&get, "basename", 0, &view->basename);
    get_bool(&get, "no_bim", &view->no_bim);
    get_bool(&get, "no_fam", &view->no_fam);
    get_bool(&get, "fid_zero", &view->fid_zero);
    get_u64(&get, "autosomes", 0, PROTO_CHR_SET_MAX, &view->autosomes);
    get_bgen_options(&get, view);
    get_count(&get, "min_alleles", &view->min_alleles);
    get_count(&get, "max_alleles", &view->max_alleles);
    get_bool(&get, "follow_links", &view->follow_links);
    get_bool(&get, "absent_fill", &view->absent_fill);
    get_bool(&get, "selection", &view->has_selection);
    if (get_end(&get) != 0)
        outer->failed = true;
}

static void get_open(struct getter *get, struct msg_open *open)
{
    get_id(get, &open->id);
    get_str(get, "store", 1, &open->store);
    get_view(get, &open->view);
    get_bool(get, "resume", &open->resume);
    if (!open->resume)
        return;
    get_bin(get, "mark", open->mark, sizeof open->mark);
    get_bool(get, "state", &open->has_state);
}

static void get_info(struct getter *get, struct msg_info *info)
{
    get_id(get, &info->id);
    get_str(get, "store", 1, &info->store);
    get_view(get, &info->view);
    get_bool(get, "json", &info->json);
    get_bool(get, "check", &info->check);
    get_str(get, "for", 0, &info->consumer);
}

static void get_read(struct getter *get, struct msg_read *request)
{
    get_id(get, &request->id);
    get_u64(get, "file", 0, PROTO_FILES_MAX - 1, &request->file);
    get_count(get, "fh", &request->handle);
    get_size(get, "off", 0, &request->offset);
    get_size(get, "len", 1, &request->length);
}

static void get_fetch(struct getter *get, struct msg_fetch *fetch)
{
    get_id(get, &fetch->id);
    get_u64(get, "file", 0, PROTO_FILES_MAX - 1, &fetch->file);
    get_size(get, "mtime", 0, &fetch->mtime);
}

static void get_progress(struct getter *get, struct msg_progress *progress)
{
    get_id(get, &progress->id);
    get_str(get, "what", 0, &progress->what);
    get_count(get, "total", &progress->total);
    get_u64(get, "done", 0, progress->total, &progress->done);
}

static void get_notice(struct getter *get, struct msg_notice *notice)
{
    get_id(get, &notice->id);
    get_str(get, "text", 0, &notice->text);
}

static void get_kind(struct getter *get, enum file_kind *kind)
{
    const char *name = "";

    get_str(get, "kind", 1, &name);
    if (strcmp(name, "stream") == 0)
        *kind = FILE_STREAM;
    else if (strcmp(name, "sidecar") == 0)
        *kind = FILE_SIDECAR;
    else if (strcmp(name, "lazy") == 0)
        *kind = FILE_LAZY;
    else
        get_fail(get, "kind", "is neither stream nor sidecar nor lazy");
}

static void get_file(struct getter *get, struct msg_file *file)
{
    get_id(get, &file->id);
    get_u64(get, "file", 0, PROTO_FILES_MAX - 1, &file->file);
    get_str(get, "name", 1, &file->name);
    if (file->name != NULL && !rules_file_name_ok(file->name))
        get_fail(get, "name", "cannot be a file's name");
    get_kind(get, &file->kind);
    get_u64(get, "size", 0, file->kind == FILE_LAZY ? 0 : PROTO_SIZE_MAX, &file->size);
    get_u64(get, "buffer", 0, PROTO_BUFFER_MAX, &file->buffer);
    if (!rules_buffer_ok(file->buffer))
        get_fail(get, "buffer", "is not a power of two");
}

static void get_opened(struct getter *get, struct msg_opened *opened)
{
    get_id(get, &opened->id);
    get_bin(get, "fp", opened->fingerprint, sizeof opened->fingerprint);
    get_size(get, "mtime", 0, &opened->mtime);
    get_count(get, "variants", &opened->nvariants);
    get_count(get, "samples", &opened->nsamples);
    get_u64(get, "files", 0, PROTO_FILES_MAX, &opened->nfiles);
    get_size(get, "arena", 0, &opened->arena_size);
    get_bool(get, "state", &opened->has_state);
}

static void get_report(struct getter *get, struct msg_report *report)
{
    get_id(get, &report->id);
    get_size(get, "size", 0, &report->size);
    get_count(get, "problems", &report->problems);
}

static void get_span(struct getter *get, struct msg_span *span)
{
    get_id(get, &span->id);
    get_count(get, "lease", &span->lease);
    get_size(get, "off", 0, &span->offset);
    get_size(get, "len", 1, &span->length);
    get_size(get, "at", 0, &span->at);
}

static void get_counters(struct getter *get, struct msg_counters *counters)
{
    get_id(get, &counters->id);
    get_count(get, "reads", &counters->reads);
    get_count(get, "spans", &counters->spans);
    get_count(get, "blocks", &counters->blocks);
    get_count(get, "decoded", &counters->bytes_decoded);
    get_count(get, "encoded", &counters->bytes_encoded);
    get_count(get, "failed", &counters->spans_failed);
    get_count(get, "mixed_phase", &counters->mixed_phase);
    get_count(get, "requests", &counters->requests);
    get_count(get, "read", &counters->bytes_read);
    get_count(get, "opened", &counters->opened);
    get_count(get, "waits", &counters->waits);
    get_count(get, "most_in_flight", &counters->most_in_flight);
    get_count(get, "unforeseen", &counters->unforeseen);
    get_count(get, "held", &counters->leases_held);
    get_count(get, "arena", &counters->arena_used);
    get_count(get, "resident", &counters->resident);
}

static void get_sidecar(struct getter *get, struct msg_sidecar *sidecar)
{
    get_id(get, &sidecar->id);
    get_u64(get, "file", 0, PROTO_FILES_MAX - 1, &sidecar->file);
    get_size(get, "size", 0, &sidecar->size);
    get_bool(get, "sealed", &sidecar->sealed);
}

static void get_error(struct getter *get, struct msg_error *error)
{
    const char *code = "";

    get_id(get, &error->id);
    get_str(get, "code", 1, &code);
    error->code = err_code_from_name(code);
    if (error->code == ERR_NONE || strcmp(err_code_name(error->code), code) != 0)
        get_fail(get, "code", "is not the name of an error");
    get_u64(get, "errno", 1, RULES_ERRNO_MAX, &error->errnum);
    get_str(get, "text", 0, &error->text);
}

static void get_body(struct getter *get, struct msg *msg)
{
    switch (msg->type) {
    case MSG_HELLO:
        get_hello(get, &msg->u.hello);
        break;
    case MSG_OPEN:
        get_open(get, &msg->u.open);
        break;
    case MSG_INFO:
        get_info(get, &msg->u.info);
        break;
    case MSG_READ:
        get_read(get, &msg->u.read);
        break;
    case MSG_RETURN:
        get_u64_array(get, "leases", 1, PROTO_RETURN_MAX, msg->u.ret.leases, &msg->u.ret.nleases);
        break;
    case MSG_RELEASE:
        get_count(get, "fh", &msg->u.release.handle);
        break;
    case MSG_STATS:
        get_id(get, &msg->u.stats.id);
        break;
    case MSG_FETCH:
        get_fetch(get, &msg->u.fetch);
        break;
    case MSG_EVIDENCE:
        break;
    case MSG_HOLD:
        get_str_array(get, "chunks", PROTO_HOLD_MAX, msg->u.hold.chunks, &msg->u.hold.nchunks);
        break;
    case MSG_PROGRESS:
        get_progress(get, &msg->u.progress);
        break;
    case MSG_NOTICE:
        get_notice(get, &msg->u.notice);
        break;
    case MSG_FILE:
        get_file(get, &msg->u.file);
        break;
    case MSG_OPENED:
        get_opened(get, &msg->u.opened);
        break;
    case MSG_REPORT:
        get_report(get, &msg->u.report);
        break;
    case MSG_SPAN:
        get_span(get, &msg->u.span);
        break;
    case MSG_COUNTERS:
        get_counters(get, &msg->u.counters);
        break;
    case MSG_SIDECAR:
        get_sidecar(get, &msg->u.sidecar);
        break;
    case MSG_ERROR:
        get_error(get, &msg->u.error);
        break;
    }
}

static void get_type(struct getter *get, enum msg_type *type)
{
    const char *name = "";

    get_str(get, "t", 1, &name);
    for (int i = MSG_HELLO; i <= MSG_ERROR; i++) {
        if (strcmp(name, msg_type_name((enum msg_type)i)) == 0) {
            *type = (enum msg_type)i;
            get->message = msg_type_name(*type);
            return;
        }
    }
    get_fail(get, "t", "is not the name of a message");
}

int proto_unpack(const void *packet, size_t len, struct proto_scratch *scratch, struct msg *msg,
                 struct err *err)
{
    struct getter get;
    msgpack_object object;
    size_t end = 0;

    memset(msg, 0, sizeof *msg);
    if (len > PROTO_PACKET_MAX)
        return err_set(err, ERR_PEER, "packet of %zu bytes is over the limit", len);
    if (packet_shape_check(packet, len, err) != 0)
        return -1;
    /* msgpack_unpack_next would allocate a zone for every message. */
    msgpack_zone_clear(scratch->zone);
    if (msgpack_unpack(packet, len, &end, scratch->zone, &object) != MSGPACK_UNPACK_SUCCESS ||
        end != len)
        return err_set(err, ERR_PEER, "packet is not one msgpack value");
    get_begin(&get, &object, scratch->zone, "without a name", err);
    get_type(&get, &msg->type);
    if (!get.failed)
        get_body(&get, msg);
    return get_end(&get);
}
