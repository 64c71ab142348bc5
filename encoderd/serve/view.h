/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: an open store shown as files.
 *
 * Immutable after view_open: any thread may encode from it.
 */
#ifndef VCZFS_SERVE_VIEW_H
#define VCZFS_SERVE_VIEW_H

#include "common/notices.h"
#include "encoderd/format/format.h"
#include "encoderd/select/selection_open.h"
#include "proto/proto.h"
#include "proto/selection_request.h"

struct view_file {
    char name[256];
    enum file_kind kind;
    uint64_t size;
    int fd;                           /* sidecar: sealed memfd, owned; else -1 */
    const struct format_view *stream; /* stream: the format that makes it; else NULL */
    const struct format_view *maker;  /* lazy: the format that makes it; else NULL */
    size_t sidecar;                   /* lazy: which of the maker's */
};

struct view {
    struct vcz *vcz;
    struct selection selection;
    struct format_view formats[PROTO_FORMATS_MAX];
    size_t nformats;
    struct view_file files[PROTO_FILES_MAX];
    size_t nfiles;
    uint8_t fingerprint[PROTO_FINGERPRINT];
    int64_t mtime;          /* of the store, as store_mtime has it */
    struct notices notices; /* messages for the user, besides selection.notices */
    int state_fd;           /* sealed memfd that a resume needs, owned; -1: none needed */
};

/*
 * Opens `store` as options say. selection_fd comes with options->has_selection (borrowed; else -1).
 * With `resume`, the view's fingerprint must begin with `mark` (PROTO_MARK bytes; else
 * ERR_CHANGED), state_fd is its saved state or -1 (borrowed), and no sidecar is made: each keeps
 * its index in files, with fd -1 and size 0.
 */
struct view_resume {
    const uint8_t *mark;
    int state_fd;
};
int view_open(const char *store, const struct view_options *options, int selection_fd,
              const struct pass_means *means, const struct view_resume *resume, struct view **out,
              struct err *err);
void view_free(struct view *view);

/* The arguments of selection_open, from those of the front. Everything is borrowed from both. */
struct selection_options view_selection_options(const struct view_options *options,
                                                const struct selection_request *request);

/* How many bytes of a file programs should read at a time, a power of two; 0: any number. */
uint64_t view_buffer(const struct view_file *file);

/* The flags for store_open_with. */
unsigned view_store_flags(const struct view_options *options);

/* ERR_FORM if a setting is not accepted by a format of the view. view_open calls this. */
int view_settings_check(const struct view_options *options, struct err *err);

/* The options for format->open; they borrow from `options`, whose settings must be checked. */
struct format_options view_format_options(const struct view_options *options);

#endif
