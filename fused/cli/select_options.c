/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/select_options.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/expr_lex.h"
#include "proto/selection_request.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define READ_AT_ONCE 65536

/* The files read so far. It owns their text until the request is packed. */
struct gathering {
    struct selection_request request;
    struct buf texts[3 + SELECTION_FILES_MAX];
    char *names[SELECTION_FILES_MAX]; /* of files in expressions; owned */
    size_t ntexts;
    struct err *err;
};

/* Reads to the end. The descriptor may be a file, or a pipe that the shell made. */
static int read_to_end(int fd, const char *path, struct buf *out, struct err *err)
{
    ssize_t n;

    do {
        uint8_t *to = buf_reserve(out, READ_AT_ONCE);

        if (to == NULL || out->len > SELECTION_NBYTES_MAX)
            return err_set(err, ERR_USAGE,
                           "%s is longer than the %" PRIu64 " bytes that are read; compress it, or "
                           "give the first columns only",
                           path, SELECTION_NBYTES_MAX);
        n = read(fd, to, READ_AT_ONCE);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n < 0 ? err_sys(err, ERR_IO, errno, "cannot read %s", path) : 0;
}

/* Reads the file at `path` and stores its text under `name`. */
static int read_path(struct gathering *gathering, const char *name, const char *path,
                     struct option_file *out)
{
    struct buf *text = &gathering->texts[gathering->ntexts++];
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(gathering->err, ERR_USAGE, errno, "cannot open %s", path);
    if (S_ISDIR(st.st_mode))
        return err_set(gathering->err, ERR_USAGE, "%s is a directory", path);
    if (read_to_end(fd, path, text, gathering->err) != 0)
        return -1;
    *out = (struct option_file){name, (const char *)text->data, text->len};
    return 0;
}

/* Expands "~/x" in an expression. The shell has not done so, because the '~' follows an '@'. */
static int read_expression_file(struct gathering *gathering, const char *name,
                                struct option_file *out)
{
    const char *home = name[0] == '~' && name[1] == '/' ? getenv("HOME") : NULL;
    AUTO_FREE char *path = NULL;

    if (home == NULL)
        return read_path(gathering, name, name, out);
    if (asprintf(&path, "%s%s", home, name + 1) < 0) {
        path = NULL;
        return err_nomem(gathering->err, "the options");
    }
    return read_path(gathering, name, path, out);
}

/* `name` is what the user typed; with `complement` a '^' may precede the path. */
static int read_if_given(struct gathering *gathering, const char *name, bool complement,
                         struct option_file *out)
{
    if (name == NULL)
        return 0;
    return read_path(gathering, name, complement && name[0] == '^' ? name + 1 : name, out);
}

/* Reads a file that an expression names, but each file only once. */
static int take_expression_file(const char *name, void *arg)
{
    struct gathering *gathering = arg;
    struct selection_request *request = &gathering->request;
    char *copy;

    for (size_t i = 0; i < request->nfiles; i++)
        if (strcmp(request->files[i].name, name) == 0)
            return 0;
    if (request->nfiles == SELECTION_FILES_MAX) {
        err_set(gathering->err, ERR_USAGE, "expressions name more than %d files",
                SELECTION_FILES_MAX);
        return 1;
    }
    copy = strdup(name);
    if (copy == NULL) {
        err_nomem(gathering->err, "the options");
        return 1;
    }
    gathering->names[request->nfiles] = copy;
    return read_expression_file(gathering, copy, &request->files[request->nfiles++]) != 0;
}

static int gather(struct gathering *gathering, const struct select_options *options)
{
    struct selection_request *request = &gathering->request;

    *request = (struct selection_request){
        .regions = options->regions,
        .targets = options->targets,
        .regions_format = options->regions_format,
        .targets_format = options->targets_format,
        .samples = options->samples,
        .force_samples = options->force_samples,
        .include = options->include,
        .exclude = options->exclude,
        .include_types = options->types,
        .exclude_types = options->exclude_types,
    };
    if (read_if_given(gathering, options->regions_file, false, &request->regions_file) != 0 ||
        read_if_given(gathering, options->targets_file, true, &request->targets_file) != 0 ||
        read_if_given(gathering, options->samples_file, true, &request->samples_file) != 0)
        return -1;
    gathering->err->code = ERR_NONE;
    if ((options->include != NULL &&
         expr_list_files(options->include, take_expression_file, gathering) != 0) ||
        (options->exclude != NULL &&
         expr_list_files(options->exclude, take_expression_file, gathering) != 0))
        return gathering->err->code != ERR_NONE ? -1 : err_nomem(gathering->err, "the options");
    return 0;
}

int select_options_gather(const struct select_options *options, int *fd, struct err *err)
{
    struct gathering gathering = {.err = err};
    int result = gather(&gathering, options);

    *fd = -1;
    if (result == 0 && !selection_request_is_empty(&gathering.request)) {
        *fd = selection_request_pack(&gathering.request, err);
        result = *fd < 0 ? -1 : 0;
    }
    for (size_t i = 0; i < gathering.ntexts; i++)
        buf_free(&gathering.texts[i]);
    for (size_t i = 0; i < SELECTION_FILES_MAX; i++)
        free(gathering.names[i]);
    return result;
}
