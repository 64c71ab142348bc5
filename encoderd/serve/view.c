/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/view.h"

#include "common/abreast.h"
#include "common/nearest.h"
#include "encoderd/format/formats.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/serve/view_state.h"
#include "encoderd/vcz/holes.h"
#include "encoderd/vcz/vcz_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A view's fingerprint has two parts. The first is the time from which changes of the store count
 * (store_watch_from). The second is the store's own fingerprint, with a hash of the user's options
 * mixed into its first eight bytes. The time and these eight bytes come back with a resume, so that
 * the encoder continues from the same time and sees whether the store changed. The other sixteen
 * bytes do not come back. */
#define SINCE_AT 0
#define STORE_AT sizeof(int64_t)
_Static_assert(PROTO_FINGERPRINT == STORE_AT + VCZ_FINGERPRINT_NBYTES, "one on the wire");
_Static_assert(PROTO_MARK == STORE_AT + sizeof(uint64_t), "what is mixed comes back");

/* Mixes in what determines the view besides the store's state, with FNV-1a. */
static void mix(uint8_t fingerprint[PROTO_FINGERPRINT], const void *data, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325), word;
    const uint8_t *bytes = data;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    memcpy(&word, fingerprint + STORE_AT, sizeof word);
    word = (word << 7 | word >> 57) ^ hash;
    memcpy(fingerprint + STORE_AT, &word, sizeof word);
}

static void mix_text(uint8_t fingerprint[PROTO_FINGERPRINT], const char *text)
{
    mix(fingerprint, text, strlen(text) + 1);
}

static int make_fingerprint(struct view *view, const struct view_options *options, struct err *err)
{
    const uint64_t numbers[] = {
        options->min_alleles,  options->max_alleles, options->formats_optional,
        options->follow_links, options->absent_fill,
    };

    if (vcz_fingerprint(view->vcz, view->fingerprint + STORE_AT, err) != 0)
        return -1;
    mix(view->fingerprint, numbers, sizeof numbers);
    for (size_t i = 0; i < options->nformats; i++)
        mix_text(view->fingerprint, options->formats[i]);
    for (size_t i = 0; i < options->nsettings; i++) {
        mix_text(view->fingerprint, options->settings[i].format);
        mix_text(view->fingerprint, options->settings[i].key);
        mix_text(view->fingerprint, options->settings[i].value);
    }
    return 0;
}

struct recognised {
    struct view *view;
    const struct view_options *options;
};

static int look_at_one(void *arg, uint64_t i, struct err *err)
{
    struct recognised *look = arg;

    if (i == 0)
        return make_fingerprint(look->view, look->options, err);
    look->view->mtime = store_mtime(look->view->vcz->store);
    return 0;
}

/* What names and times tell of the store, side by side if it is far. */
static int look_at_times(struct view *view, const struct view_options *options, struct err *err)
{
    bool waits = store_is_far(view->vcz->store);
    struct recognised look = {view, options};

    return abreast_run(2, true, &waits, look_at_one, &look, err);
}

static struct view_file *add_file(struct view *view, const char *basename, const char *suffix,
                                  struct err *err)
{
    struct view_file *file = &view->files[view->nfiles];
    int n;

    if (view->nfiles == PROTO_FILES_MAX) {
        err_set(err, ERR_FORM, "this view would have more than %d files", PROTO_FILES_MAX);
        return NULL;
    }
    n = snprintf(file->name, sizeof file->name, "%s%s", basename, suffix);
    if (n < 0 || (size_t)n >= sizeof file->name) {
        err_set(err, ERR_FORM, "the base name '%.32s...' is too long for a file name", basename);
        return NULL;
    }
    view->nfiles++;
    file->fd = -1;
    return file;
}

static int add_files(struct view *view, struct format_view *format, const char *basename,
                     struct err *err)
{
    struct view_file *file = add_file(view, basename, format->format->declared->suffixes[0], err);

    if (file == NULL)
        return -1;
    file->kind = FILE_STREAM;
    file->size = format_stream_size(&format->layout);
    file->stream = format;
    for (size_t i = 0; i < format->nsidecars; i++) {
        file = add_file(view, basename, format->sidecars[i].suffix, err);
        if (file == NULL)
            return -1;
        file->kind = format->sidecars[i].lazy ? FILE_LAZY : FILE_SIDECAR;
        file->size = format->sidecars[i].size;
        file->fd = format->sidecars[i].fd;
        format->sidecars[i].fd = -1;
        file->maker = format->sidecars[i].lazy ? format : NULL;
        file->sidecar = i;
    }
    return 0;
}

/* The size of stdio buffers that stat suggests to programs. A row that is made whole begins with
 * its site, and programs skip from site to site with fread and fseek (plink2 does so before it
 * reads a .bgen). A buffer should hold several rows. With a page, each short row would be a read of
 * its own, and would leave gaps between the kernel's pages, each of which is another read when the
 * program comes back. Longer rows should be skipped. */
#define BUFFER_NBYTES UINT64_C(131072)

uint64_t view_buffer(const struct view_file *file)
{
    if (file->stream == NULL || file->stream->layout.samples_per_byte != 0 ||
        file->stream->layout.row_nbytes > BUFFER_NBYTES / 2)
        return 0;
    return BUFFER_NBYTES;
}

unsigned view_store_flags(const struct view_options *options)
{
    return options->follow_links ? STORE_FOLLOW_LINKS : 0;
}

struct format_options view_format_options(const struct view_options *options)
{
    return (struct format_options){.settings = options->settings, .nsettings = options->nsettings};
}

int view_settings_check(const struct view_options *options, struct err *err)
{
    return declared_check(options->settings, options->nsettings, options->formats,
                          options->nformats, err);
}

static int unknown_format(const char *name, struct err *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    nearest_begin(&nearest, name, strlen(name));
    for (size_t i = 0; format_at(i) != NULL; i++)
        nearest_consider(&nearest, "", format_at(i)->declared->name,
                         strlen(format_at(i)->declared->name));
    return err_set(err, ERR_FORM, "this encoder knows no format '%s'%s", name,
                   nearest_hint(&nearest, hint));
}

/* Opens one format and adds its files; `saved` is input or output, as for format->open. */
static int open_format(struct view *view, const char *name, const struct view_options *options,
                       const struct pass_means *means, bool resume, struct format_saved *saved,
                       struct err *err)
{
    const struct format_options asked = view_format_options(options);
    const struct format *format = format_find(name);
    struct format_view *opened = &view->formats[view->nformats];

    if (format == NULL)
        return unknown_format(name, err);
    opened->saved = *saved;
    if (format->open(&view->selection, &asked, means, resume, opened, err) != 0)
        return -1;
    *saved = opened->saved;
    view->nformats++;
    return add_files(view, opened, options->basename, err);
}

/* All formats refused the store: the message has each different reason once. */
static int refuse_view(const struct view_options *options, const struct err *refusals,
                       struct err *err)
{
    struct buf reasons = {0};
    bool same = true;

    for (size_t i = 0; i < options->nformats; i++) {
        same &= strcmp(refusals[i].msg, refusals[0].msg) == 0;
        buf_printf(&reasons, "%s%s: %s", i > 0 ? "; " : "", options->formats[i], refusals[i].msg);
    }
    *err = refusals[0];
    if (!same && !reasons.failed)
        err_set(err, err->code, "no format is left. %.*s", (int)reasons.len,
                (const char *)reasons.data);
    buf_free(&reasons);
    return -1;
}

static int open_formats(struct view *view, const struct view_options *options,
                        const struct pass_means *means, bool resume, struct view_state *state,
                        struct err *err)
{
    struct err refusals[PROTO_FORMATS_MAX] = {0};

    for (size_t i = 0; i < options->nformats; i++) {
        if (!state->formats[i].open)
            continue;
        if (open_format(view, options->formats[i], options, means, resume, &state->formats[i].saved,
                        &refusals[i]) == 0)
            continue;
        *err = refusals[i];
        if (resume || !options->formats_optional || !err_is_of_store(err))
            return -1;
        state->formats[i].open = false;
    }
    if (options->nformats == 0)
        return err_set(err, ERR_FORM, "no format was asked for");
    if (view->nformats == 0)
        return refuse_view(options, refusals, err);
    for (size_t i = 0; i < options->nformats; i++)
        if (refusals[i].code != ERR_NONE)
            notices_add(&view->notices, "without the files of %s: %s", options->formats[i],
                        refusals[i].msg);
    *err = (struct err){0};
    return 0;
}

struct selection_options view_selection_options(const struct view_options *options,
                                                const struct selection_request *request)
{
    return (struct selection_options){
        .min_alleles = options->min_alleles,
        .max_alleles = options->max_alleles,
        .regions = request->regions,
        .targets = request->targets,
        .samples = request->samples,
        .regions_file = request->regions_file,
        .regions_format = request->regions_format,
        .targets_format = request->targets_format,
        .targets_file = request->targets_file,
        .samples_file = request->samples_file,
        .force_samples = request->force_samples,
        .include = request->include,
        .exclude = request->exclude,
        .include_types = request->include_types,
        .exclude_types = request->exclude_types,
        .files = request->files,
        .nfiles = request->nfiles,
    };
}

static int save_state(struct view *view, struct view_state *state, struct err *err)
{
    if (selection_save(&view->selection, &state->selection_fd, err) != 0)
        return -1;
    return view_state_save(state, &view->state_fd, err);
}

/* The arguments of opening a view. */
struct opening {
    const char *store;
    const struct view_options *options;
    const struct pass_means *means;
    const struct view_resume *resume;
    struct selection_request request;
    struct selection_memory *memory; /* owned; has what `request` points to, or NULL */
};

/* Checks the sites before anything is made of them, or the selected genotypes. After a restart of
 * the encoder this is not repeated. */
static int look_for_holes(struct view *view, const struct opening *opening, bool sites,
                          struct err *err)
{
    struct holes *holes = view->vcz->holes;
    const struct selection *selection = &view->selection;

    if (opening->resume != NULL)
        return 0;
    if (sites)
        return holes_look_sites(holes, err);
    if (holes_look_samples(holes, selection->sample_column, selection->nsamples, err) != 0)
        return -1;
    return holes_look_calls(holes, &view->notices, err);
}

static int open_with(struct view *view, const struct opening *opening,
                     const struct pass_means *means, struct view_state *state, struct err *err)
{
    const struct selection_options selection_options =
        view_selection_options(opening->options, &opening->request);
    const bool resume = opening->resume != NULL;

    if (look_for_holes(view, opening, true, err) != 0 ||
        selection_open(view->vcz, &selection_options, opening->means, resume, state->selection_fd,
                       &view->selection, err) != 0 ||
        look_for_holes(view, opening, false, err) != 0 ||
        open_formats(view, opening->options, means, resume, state, err) != 0)
        return -1;
    return resume ? 0 : save_state(view, state, err);
}

static int open_parts(struct view *view, const struct opening *opening, struct view_state *state,
                      struct err *err)
{
    struct pass_means means = *opening->means;

    means.notices = &view->notices;
    return open_with(view, opening, &means, state, err);
}

/* The time from which the first encoder watched for changes. */
static int64_t watched_since(const struct view_resume *resume)
{
    int64_t since;

    memcpy(&since, resume->mark + SINCE_AT, sizeof since);
    return since;
}

static int open_store(const struct opening *opening, int64_t since, struct vcz **out,
                      struct err *err)
{
    const struct selection_request *request = &opening->request;
    const struct vcz_opening how = {
        .store_flags = view_store_flags(opening->options),
        .spill = opening->means->spill,
        .since = since,
        .scratch_max = opening->means->scratch_max,
        /* What regions leave out is not read. */
        .sites_soon = opening->resume == NULL && request->regions == NULL &&
                      request->regions_file.text == NULL && request->targets == NULL &&
                      request->targets_file.text == NULL,
    };

    if (vcz_open_with(opening->store, &how, out, err) != 0)
        return -1;
    if (vcz_need(*out, VCZ_CALLS | VCZ_SAMPLES, err) == 0)
        return 0;
    vcz_free(*out);
    *out = NULL;
    return -1;
}

/* On a resume, a store that cannot be opened any more may be unreachable for a while, or may have
 * been replaced. It is opened a second time with watching for changes, to find out. The first time
 * is without, because files that the view does not need may have been added to the store. */
static int open_vcz(const struct opening *opening, struct vcz **out, struct err *err)
{
    struct err second = {0};

    if (open_store(opening, INT64_MAX, out, err) == 0)
        return 0;
    if (opening->resume == NULL)
        return -1;
    if (open_store(opening, watched_since(opening->resume), out, &second) == 0)
        return 0;
    if (second.code == ERR_CHANGED)
        *err = second;
    return -1;
}

/* Watches from now on; after a restart, from the time at which the first encoder began. */
static void watch_store(struct view *view, const struct opening *opening)
{
    struct store *store = view->vcz->store;
    int64_t ahead, since = store_opened(store, &ahead);

    if (opening->resume != NULL)
        since = watched_since(opening->resume);
    else if (ahead > 0)
        notices_add(&view->notices,
                    "%s has files that were changed up to %.3f s after this moment: it is being "
                    "written, or its file system's clock is ahead; changes before that time will "
                    "not be noticed",
                    opening->store, (double)ahead / 1e9);
    memcpy(view->fingerprint + SINCE_AT, &since, sizeof since);
    store_watch_from(store, since);
    vcz_watched(view->vcz, ahead > 0);
}

/* If a part of the store cannot be read, the store may be unreachable for a while, and the error is
 * that of reading. If it can be read, but is different or invalid, it is another store. */
static int check_unchanged(const struct view *view, const struct opening *opening, struct err *err)
{
    if (opening->resume == NULL ||
        memcmp(view->fingerprint, opening->resume->mark, PROTO_MARK) == 0)
        return 0;
    if (vcz_need(view->vcz, VCZ_ALL, err) != 0 && !err_is_of_store(err))
        return -1;
    return err_set(err, ERR_CHANGED,
                   "%s is not the store that was mounted: it was changed since. Unmount, and "
                   "mount again",
                   opening->store);
}

static int open_view(struct view *view, const struct opening *opening, struct err *err)
{
    const int state_fd = opening->resume != NULL ? opening->resume->state_fd : -1;
    struct view_state state;
    int rc;

    if (open_vcz(opening, &view->vcz, err) != 0)
        return -1;
    view->vcz->fill = opening->options->absent_fill;
    if ((!opening->options->absent_fill &&
         holes_new(view->vcz, opening->means->scratch_max, &view->vcz->holes, err) != 0) ||
        look_at_times(view, opening->options, err) != 0)
        return -1;
    if (opening->memory != NULL) {
        size_t len;
        const uint8_t *bytes = selection_memory_bytes(opening->memory, &len);

        mix(view->fingerprint, bytes, len);
    }
    watch_store(view, opening);
    if (check_unchanged(view, opening, err) != 0 ||
        view_state_load(state_fd, opening->options->nformats, &state, err) != 0)
        return -1;
    rc = open_parts(view, opening, &state, err);
    view_state_clear(&state);
    vcz_forget(view->vcz);
    if (rc == 0 && opening->resume == NULL)
        store_settle(view->vcz->store);
    return rc;
}

int view_open(const char *store, const struct view_options *options, int selection_fd,
              const struct pass_means *means, const struct view_resume *resume, struct view **out,
              struct err *err)
{
    struct opening opening = {store, options, means, resume, {0}, NULL};
    struct view *view = calloc(1, sizeof *view);
    int failed;

    *out = NULL;
    if (view == NULL)
        return err_nomem(err, "a view");
    view->state_fd = -1;
    failed = view_settings_check(options, err) != 0 ||
             (selection_fd >= 0 &&
              selection_request_unpack(selection_fd, &opening.request, &opening.memory, err) != 0);
    if (!failed)
        failed = open_view(view, &opening, err) != 0;
    selection_memory_free(opening.memory);
    if (failed) {
        view_free(view);
        return -1;
    }
    *out = view;
    return 0;
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    for (size_t i = 0; i < view->nfiles; i++)
        if (view->files[i].fd >= 0)
            close(view->files[i].fd);
    for (size_t i = 0; i < view->nformats; i++)
        view->formats[i].format->close(&view->formats[i]);
    selection_close(&view->selection);
    notices_clear(&view->notices);
    vcz_free(view->vcz);
    if (view->state_fd >= 0)
        close(view->state_fd);
    free(view);
}
