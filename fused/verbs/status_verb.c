/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_verb: `vczfs status [DIR]`, for people; its exit status is for scripts.
 */
#include "fused/verbs/verbs.h"

#include "common/cleanup.h"
#include "common/json_text.h"
#include "common/printable.h"
#include "fused/mounts/mount_place.h"
#include "fused/mounts/mounts.h"
#include "fused/serve/status_file.h"
#include "fused/verbs/status_look.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Is the mount served, and has no read failed in the last `since` seconds? */
static bool is_well(const char *json, unsigned since)
{
    return status_look_is(json, "encoder", "state", "serving") &&
           status_look_number(json, "reads", "last_failed_ago", INFINITY) > since;
}

static int write_out(const struct buf *text, struct err *err)
{
    if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return err_set(err, ERR_IO, "cannot write to standard output");
    return 0;
}

static int show(const struct options *opt, bool *well, struct err *err)
{
    CLEANUP(mount_place_free) struct mount_place place;
    CLEANUP(buf_free) struct buf json = {0};
    CLEANUP(buf_free) struct buf text = {0};

    if (mount_place_hold(opt->dir, &place, err) != 0)
        return -1;
    if (!mount_place_is_ours(&place))
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", opt->dir);
    if (status_look(place.by, opt->dir, STATUS_NAME_JSON, &json, err) != 0)
        return -1;
    *well = is_well((const char *)json.data, opt->since);
    if (opt->json)
        return write_out(&json, err);
    if (status_look(place.by, opt->dir, STATUS_NAME_TEXT, &text, err) != 0)
        return -1;
    return write_out(&text, err);
}

/* ---- all of them ---- */

struct list {
    const struct options *opt;
    struct buf text; /* owned */
    size_t nmounts;
    bool well;
};

/* Appends "serving, 12 reads, 0 failed", or what is wrong. */
static void append_state(struct buf *out, const char *json)
{
    static const char *const states[] = {"serving", "not answering", "starting",
                                         "opening", "down",          "ended for good"};
    const char *state = "of unknown state";

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (status_look_is(json, "encoder", "state", states[i]))
            state = states[i];
    buf_printf(out, "encoder %s, %.0f reads served, %.0f failed", state,
               status_look_number(json, "reads", "served", 0),
               status_look_number(json, "reads", "failed", 0));
}

static void list_json(struct list *list, const char *path, const struct buf *json,
                      const struct err *failed)
{
    buf_append_str(&list->text, list->nmounts > 0 ? ",\n" : "[");
    if (failed == NULL) {
        buf_append(&list->text, json->data, json->len);
        return;
    }
    buf_append_str(&list->text, "{\"directory\": ");
    json_append_string(&list->text, path);
    buf_append_str(&list->text, ", \"error\": ");
    json_append_string(&list->text, failed->msg);
    buf_append_char(&list->text, '}');
}

static void list_text(struct list *list, const char *path, const struct buf *json,
                      const struct err *failed)
{
    const size_t begin = list->text.len;

    buf_append_str(&list->text, path);
    if (!list->text.failed)
        printable((char *)list->text.data + begin, list->text.len - begin);
    buf_append_str(&list->text, ": ");
    if (failed == NULL)
        append_state(&list->text, (const char *)json->data);
    else
        buf_append_str(&list->text, failed->msg);
    buf_append_char(&list->text, '\n');
}

static void add_mount(const char *path, const struct mount_entry *entry, void *arg)
{
    struct list *list = arg;
    CLEANUP(buf_free) struct buf json = {0};
    struct err err;
    const struct err *failed = NULL;

    if (getuid() != 0 && entry->owner != getuid())
        return;
    if (status_look(path, path, STATUS_NAME_JSON, &json, &err) != 0)
        failed = &err;
    list->well &= failed == NULL && is_well((const char *)json.data, list->opt->since);
    (list->opt->json ? list_json : list_text)(list, path, &json, failed);
    list->nmounts++;
}

static int show_all(const struct options *opt, bool *well, struct err *err)
{
    struct list list = {.opt = opt, .well = true};
    int failed;

    mounts_each(add_mount, &list);
    *well = list.well;
    if (opt->json)
        buf_append_str(&list.text, list.nmounts > 0 ? "]\n" : "[]\n");
    else if (list.nmounts == 0)
        buf_append_str(&list.text, getuid() == 0 ? "vczfs has mounted nothing\n"
                                                 : "you have mounted nothing with vczfs\n");
    failed = list.text.failed ? err_nomem(err, "the status") : write_out(&list.text, err);
    buf_free(&list.text);
    return failed;
}

int verb_status(const struct options *opt)
{
    struct err err = {0};
    bool well = false;

    if ((opt->dir != NULL ? show : show_all)(opt, &well, &err) == 0)
        return well ? EXIT_SUCCESS : EXIT_FAILURE;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return EXIT_FAILURE;
}
