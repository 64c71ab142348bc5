/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/messages.h"
#include "proto/proto.h"
#include "proto/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *msg_type_name(enum msg_type type)
{
    return (size_t)type < MESSAGES_N ? messages[type].name : "unknown";
}

size_t msg_nfds(const struct msg *msg)
{
    return messages[msg->type].nfds + record_nfds(&messages[msg->type].record, &msg->u);
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

int proto_pack(const struct msg *msg, struct buf *out, struct err *err)
{
    const struct record_report report = {"message ", msg_type_name(msg->type), NULL, ERR_USAGE,
                                         err};
    const size_t before = out->len;

    if ((size_t)msg->type >= MESSAGES_N)
        return err_set(err, ERR_USAGE, "no message has the type %d", (int)msg->type);
    if (record_check(&messages[msg->type].record, &msg->u, &report) != 0)
        return -1;
    record_pack(&messages[msg->type].record, &msg->u, report.name, out);
    if (!out->failed && out->len - before <= PROTO_PACKET_MAX)
        return 0;
    if (out->failed)
        return err_nomem(err, "message %s", report.name);
    out->len = before;
    return err_set(err, ERR_USAGE, "message %s: packet is over the limit", report.name);
}

/* All memory that one unpacked message needs. A string never needs more room than it had in the
 * packet. */
struct proto_scratch {
    struct value values[VALUES_MAX];
    char strings[PROTO_PACKET_MAX];
};

struct proto_scratch *proto_scratch_new(void)
{
    return malloc(sizeof(struct proto_scratch));
}

void proto_scratch_free(struct proto_scratch *scratch)
{
    free(scratch);
}

/* The value under the first key "t", or NULL. */
static const struct value *find_type(const struct value *map)
{
    const struct value *key = map + 1;

    for (uint32_t i = 0; i < map->n; i++) {
        if (value_is_str(key, "t", 1))
            return value_next(key);
        key = value_next(value_next(key));
    }
    return NULL;
}

static int take_type(const struct value *map, enum msg_type *type,
                     const struct record_report *report)
{
    const struct value *name = find_type(map);

    if (name == NULL)
        return record_fail(report, "t", "is missing");
    for (size_t i = 0; i < MESSAGES_N; i++) {
        if (value_is_str(name, messages[i].name, strlen(messages[i].name))) {
            *type = (enum msg_type)i;
            return 0;
        }
    }
    return record_fail(
        report, "t", name->type != VALUE_STR ? "is not a string" : "is not the name of a message");
}

int proto_unpack(const void *packet, size_t len, struct proto_scratch *scratch, struct msg *msg,
                 struct err *err)
{
    struct record_report report = {"message ", "without a name", NULL, ERR_PEER, err};

    memset(msg, 0, sizeof *msg);
    if (len > PROTO_PACKET_MAX)
        return err_set(err, ERR_PEER, "packet of %zu bytes is over the limit", len);
    if (values_parse(packet, len, scratch->values, err) != 0)
        return -1;
    if (scratch->values->type != VALUE_MAP)
        return err_set(err, ERR_PEER, "packet is not a map");
    if (take_type(scratch->values, &msg->type, &report) != 0)
        return -1;
    report.name = messages[msg->type].name;
    return record_unpack(&messages[msg->type].record, scratch->values, true, scratch->strings,
                         &msg->u, &report);
}
