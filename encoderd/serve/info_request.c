/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/info_request.h"

#include "common/cleanup.h"
#include "common/memfd.h"
#include "encoderd/check/check.h"
#include "encoderd/report/consumers.h"
#include "encoderd/report/report.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/serve/confine.h"
#include "encoderd/serve/means.h"
#include "encoderd/serve/tell.h"
#include "encoderd/serve/view.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/vcz_open.h"
#include "proto/conn.h"

#include <unistd.h>

static int write_text(struct server *server, const struct msg_info *info,
                      const struct selection_request *request, struct vcz *vcz,
                      struct notices *notices, struct buf *text, struct err *err)
{
    const struct selection_options options = view_selection_options(&info->view, request);
    const struct format_options formats = view_format_options(&info->view);
    struct pass_means means = server_means(server);

    means.notices = notices;
    vcz->fill = info->view.absent_fill;
    if (!vcz->fill && holes_new(vcz, means.scratch_max, &vcz->holes, err) != 0)
        return -1;
    if (info->consumer[0] == '\0')
        return report_write(vcz, &options, &formats, &means, info->json, text, err);
    return consumers_write(vcz, &options, &formats, &means, consumer_find(info->consumer),
                           info->check, info->json, text, err);
}

static int describe(struct server *server, const struct msg_info *info,
                    const struct selection_request *request, struct buf *text, struct err *err)
{
    const struct vcz_opening how = {
        .store_flags = view_store_flags(&info->view),
        .spill = server->spill,
        .since = INT64_MAX,
        .scratch_max = server_budget(server).scratch,
        .sites_soon = true,
    };
    struct notices notices = {0};
    struct vcz *vcz;
    int result;

    if (vcz_open_with(info->store, &how, &vcz, err) != 0)
        return -1;
    result = write_text(server, info, request, vcz, &notices, text, err);
    tell_notices(server, info->id, &notices);
    notices_clear(&notices);
    vcz_free(vcz);
    return result;
}

static int make_report(struct server *server, const struct msg_info *info, int selection_fd,
                       struct buf *text, uint64_t *nproblems, struct err *err)
{
    struct pass_means means;
    struct selection_request request = {0};
    struct selection_memory *memory = NULL;
    int result;

    if (confine_to(server, info->store, info->view.follow_links, err) != 0)
        return -1;
    tell_lacks(server, info->id);
    means = server_means(server);
    if (info->consumer[0] != '\0' && consumer_find(info->consumer) == CONSUMERS)
        return err_set(err, ERR_USAGE, "nothing is known of a program '%s'", info->consumer);
    if (info->check && info->consumer[0] == '\0')
        return check_store(info->store, view_store_flags(&info->view), info->view.absent_fill,
                           &means, info->json, text, nproblems, err);
    if (view_settings_check(&info->view, err) != 0 ||
        (selection_fd >= 0 && selection_request_unpack(selection_fd, &request, &memory, err) != 0))
        return -1;
    result = describe(server, info, &request, text, err);
    selection_memory_free(memory);
    return result;
}

void handle_info(struct server *server, const struct msg_info *info, const int *fds)
{
    const int selection_fd = info->view.has_selection ? fds[0] : -1;
    uint64_t nproblems = 0;
    struct buf text = {0};
    struct err err = {0};
    int fd = -1;

    server->open_id = info->id;
    if (make_report(server, info, selection_fd, &text, &nproblems, &err) == 0)
        fd = memfd_of("vczfs-report", text.data, text.len, "the report", &err);
    if (fd < 0) {
        tell_error(server, info->id, &err);
    } else {
        const struct msg msg = {.type = MSG_REPORT, .u.report = {info->id, text.len, nproblems}};

        conn_send(server->conn, &msg, &fd, 1);
        close(fd);
    }
    buf_free(&text);
}
