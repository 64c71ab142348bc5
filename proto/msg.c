/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/proto.h"

#include <errno.h>

static const char *const names[] = {
    [MSG_HELLO] = "hello", [MSG_OPEN] = "open",         [MSG_INFO] = "info",
    [MSG_READ] = "read",   [MSG_RETURN] = "return",     [MSG_RELEASE] = "release",
    [MSG_STATS] = "stats", [MSG_PROGRESS] = "progress", [MSG_NOTICE] = "notice",
    [MSG_FILE] = "file",   [MSG_OPENED] = "opened",     [MSG_REPORT] = "report",
    [MSG_SPAN] = "span",   [MSG_COUNTERS] = "counters", [MSG_ERROR] = "error",
    [MSG_FETCH] = "fetch", [MSG_SIDECAR] = "sidecar",   [MSG_EVIDENCE] = "evidence",
    [MSG_HOLD] = "hold",
};

const char *msg_type_name(enum msg_type type)
{
    return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

size_t msg_nfds(const struct msg *msg)
{
    switch (msg->type) {
    case MSG_OPEN:
        return (size_t)msg->u.open.view.has_selection + msg->u.open.has_state;
    case MSG_INFO:
        return msg->u.info.view.has_selection ? 1 : 0;
    case MSG_FILE:
        return msg->u.file.kind == FILE_SIDECAR ? 1 : 0;
    case MSG_OPENED:
        return msg->u.opened.has_state ? 2 : 1;
    case MSG_REPORT:
    case MSG_SIDECAR:
    case MSG_EVIDENCE:
        return 1;
    case MSG_HELLO:
    case MSG_READ:
    case MSG_RETURN:
    case MSG_RELEASE:
    case MSG_STATS:
    case MSG_FETCH:
    case MSG_HOLD:
    case MSG_PROGRESS:
    case MSG_NOTICE:
    case MSG_SPAN:
    case MSG_COUNTERS:
    case MSG_ERROR:
        return 0;
    }
    return 0;
}

uint64_t proto_errnum(enum err_code code)
{
    switch (code) {
    case ERR_NOT_FOUND:
        return ENOENT;
    case ERR_MEMORY:
    case ERR_BUDGET:
        return ENOMEM;
    case ERR_USAGE:
    case ERR_FORM:
        return EINVAL;
    case ERR_CHANGED:
        return ESTALE;
    case ERR_UNSUPPORTED:
    case ERR_PEER:
    case ERR_NONE:
    case ERR_HELD:
    case ERR_CORRUPT:
    case ERR_DATA:
    case ERR_IO:
    case ERR_SYSTEM:
        return EIO;
    }
    return EIO;
}
