/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the mount verb share: its parts and its state. mount.c runs it from start to
 * end; mount_check.c checks the command; mount_parts.c makes the parts and takes them down;
 * mount_events.c handles what happens while it runs.
 */
#ifndef VCZFS_FUSED_VERBS_MOUNT_IMPL_H
#define VCZFS_FUSED_VERBS_MOUNT_IMPL_H

#include "fused/cli/options.h"
#include "fused/cli/progress.h"
#include "fused/encoder/link.h"
#include "fused/encoder/probe.h"
#include "fused/files/lazy.h"
#include "fused/files/reads.h"
#include "fused/process/service.h"
#include "fused/serve/outside_link.h"
#include "fused/serve/session.h"

/* The parts of the mount verb, and its state. */
struct mount {
    const struct options *opt;
    int log_fd;
    const char *log_path;                         /* NULL: standard error */
    int status_fd;                                /* to the parent, with --background; else -1 */
    char *store, *dir, *encoder, *encoder_socket; /* owned, absolute; the last two may be NULL */
    bool handed;      /* dir is a descriptor that somebody else mounted */
    int dir_fd;       /* the mount point, until a session has it; owned */
    int selection_fd; /* made by select_options_gather; -1: none */
    struct fs fs;
    struct progress progress;
    struct fuse_view view;
    struct link_view opened;

    struct event_base *base;
    struct event *signals[4]; /* those that end it */
    struct access_log *access_log;
    struct outside_link outside_link;
    struct outside outside; /* of reads and lazy */
    struct reads *reads;
    struct lazy *lazy;
    struct supervisor *supervisor;
    struct link *link;
    struct supervisor *probe_supervisor;
    struct probe *probe;
    struct session *session; /* NULL until mounted */
    struct service *service;
    struct status_file *status;

    bool ready;
    struct err err; /* why it failed; ERR_NONE: no failure */
};

/* Checks everything about the command and the mount point that can be checked before a process is
 * started. */
int mount_check(struct mount *mount, struct err *err);

/* Makes all parts. `null` is /dev/null, borrowed. */
int mount_make_parts(struct mount *mount, int null, struct err *err);

/* Takes the mount away first, without waiting for any reader, and then the encoder, which may be
 * wedged. Parts that were not made are skipped. */
void mount_take_down(struct mount *mount);

/* mount_events.c: `arg` is the mount. */
extern const struct link_handlers mount_link_handlers;
void mount_on_signal(evutil_socket_t sig, short what, void *arg);
void mount_on_held_changed(void *arg);
void mount_on_settled(void *arg);

#endif
