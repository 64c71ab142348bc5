/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/outside_link.h"

#include "fused/process/event_timers.h"
#include "fused/serve/fuse_api.h"

static uint64_t ask_read(const struct msg_read *read, void *arg)
{
    return link_read(((struct outside_link *)arg)->link, read);
}

static bool ask_fetch(const struct msg_fetch *fetch, void *arg)
{
    return link_fetch(((struct outside_link *)arg)->link, fetch);
}

static void give_back(const uint64_t *leases, size_t nleases, void *arg)
{
    link_return(((struct outside_link *)arg)->link, leases, nleases);
}

static void release(uint64_t handle, void *arg)
{
    link_release(((struct outside_link *)arg)->link, handle);
}

static int believe(const char *chunk, unsigned nagain, void *arg, struct err *err)
{
    return probe_believe(((struct outside_link *)arg)->probe, chunk, nagain, err);
}

static enum probe_answer ask_probe(const char *chunk, const struct question *question, void *arg)
{
    return probe_ask(((struct outside_link *)arg)->probe, chunk, question);
}

static void reply(struct fuse_req *req, const struct iovec *pieces, int npieces)
{
    if (npieces == 1)
        fuse_reply_buf(req, pieces->iov_base, pieces->iov_len); /* allocates nothing */
    else
        fuse_reply_iov(req, pieces, npieces);
}

static void reply_error(struct fuse_req *req, int errnum)
{
    fuse_reply_err(req, errnum);
}

struct outside outside_link(struct event_base *base, struct outside_link *link)
{
    return (struct outside){
        .timers = event_timers(base),
        .read = ask_read,
        .fetch = ask_fetch,
        .give_back = give_back,
        .release = release,
        .believe = believe,
        .ask_probe = ask_probe,
        .reply = reply,
        .reply_error = reply_error,
        .on_interrupt = fuse_req_interrupt_func,
        .arg = link,
    };
}
