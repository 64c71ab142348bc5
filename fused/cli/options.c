/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/options.h"

#include "common/nearest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BASENAME_MAX 240 /* leaves room for a suffix in a 255-byte name */

static bool basename_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= BASENAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int choose_basename(struct options *opt, struct err *err)
{
    if (opt->basename_given != NULL && !basename_ok(opt->basename_given))
        return err_set(err, ERR_FORM,
                       "--basename takes the beginning of a file name (not empty, no '/', at most "
                       "%d bytes), not '%s'",
                       BASENAME_MAX, opt->basename_given);
    if (opt->basename_given != NULL)
        opt->basename = strdup(opt->basename_given);
    else if (opt->store != NULL)
        opt->basename = options_basename(opt->store);
    else
        return 0;
    if (opt->basename == NULL && opt->basename_given == NULL)
        return err_set(err, ERR_FORM,
                       "the store's path '%s' has no name to call the files by: give --basename",
                       opt->store);
    return opt->basename == NULL ? err_nomem(err, "the base name") : 0;
}

static int unknown_format(const char *name, struct err *err)
{
    const struct declared_format *format;
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    nearest_begin(&nearest, name, strlen(name));
    for (size_t i = 0; (format = declared_at(i)) != NULL; i++)
        nearest_consider(&nearest, "", format->name, strlen(format->name));
    return err_set(err, ERR_FORM, "--formats: there is no format '%s'%s", name,
                   nearest_hint(&nearest, hint));
}

/* "plink,bgen" */
static int take_formats(struct options *opt, struct err *err)
{
    char *rest = opt->formats_text = strdup(opt->formats_given);

    if (rest == NULL)
        return err_nomem(err, "the formats");
    for (char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ",")) {
        bool again = false;

        for (size_t i = 0; i < opt->nformats; i++)
            again |= strcmp(opt->formats[i], word) == 0;
        if (word[0] == '\0' || again || opt->nformats == PROTO_FORMATS_MAX)
            return err_set(err, ERR_FORM,
                           "--formats takes names such as plink,bgen, each once, not '%s'",
                           opt->formats_given);
        if (declared_find(word) == NULL)
            return unknown_format(word, err);
        opt->formats[opt->nformats++] = word;
    }
    return 0;
}

/* The formats of --formats, or else those that the command shows. */
static int choose_formats(struct options *opt, struct err *err)
{
    const struct declared_format *format;

    if (opt->formats_given != NULL)
        return take_formats(opt, err);
    for (size_t i = 0; (format = declared_at(i)) != NULL && opt->nformats < PROTO_FORMATS_MAX; i++)
        if (opt->command.format == NULL || opt->command.format == format)
            opt->formats[opt->nformats++] = format->name;
    opt->formats_optional = opt->command.format == NULL;
    return 0;
}

/* Drops settings of formats that are not shown, because they have no effect. */
static int choose_settings(struct options *opt, struct err *err)
{
    size_t n = 0;

    for (size_t i = 0; i < opt->nsettings; i++) {
        bool shown = false;

        for (size_t j = 0; j < opt->nformats; j++)
            shown |= strcmp(opt->formats[j], opt->settings[i].format) == 0;
        if (shown)
            opt->settings[n++] = opt->settings[i];
    }
    opt->nsettings = n;
    return declared_check(opt->settings, n, opt->formats, opt->nformats, err);
}

static int check_encoder(const struct options *opt, struct err *err)
{
    if (opt->encoder != NULL && opt->encoder_socket != NULL)
        return err_set(err, ERR_FORM, "--encoder and --encoder-socket exclude each other");
    if (opt->encoder_user != NULL && opt->encoder_socket == NULL)
        return err_set(err, ERR_FORM,
                       "--encoder-user is for an encoder that runs already: --encoder-socket says "
                       "where");
    if (opt->no_sandbox && opt->encoder_socket != NULL)
        return err_set(
            err, ERR_FORM,
            "--no-sandbox is for an encoder that vczfs starts: give it to the one behind "
            "--encoder-socket instead");
    return 0;
}

static int check_selection(const struct options *opt, struct err *err)
{
    if ((opt->select.regions_format != NULL && opt->select.regions_file == NULL) ||
        (opt->select.targets_format != NULL && opt->select.targets_file == NULL))
        return err_set(err, ERR_FORM,
                       "--regions-format is about --regions-file, and --targets-format about "
                       "--targets-file: no such file is given");
    if (opt->max_alleles != 0 && opt->min_alleles > opt->max_alleles)
        return err_set(err, ERR_FORM,
                       "--min-alleles %" PRIu64 " is more than --max-alleles "
                       "%" PRIu64 ": no variant could be shown",
                       opt->min_alleles, opt->max_alleles);
    return 0;
}

static void choose_log_level(struct options *opt)
{
    if (opt->log_level_given != NULL)
        log_level_parse(opt->log_level_given, &opt->log_level);
    else if (opt->log_file != NULL || opt->background)
        opt->log_level = LOG_LEVEL_INFO;
    else
        opt->log_level = LOG_LEVEL_WARNING;
}

int options_check(struct options *opt, struct err *err)
{
    choose_log_level(opt);
    if (check_encoder(opt, err) != 0 || check_selection(opt, err) != 0 ||
        choose_formats(opt, err) != 0 || choose_settings(opt, err) != 0)
        return -1;
    return choose_basename(opt, err);
}

void options_free(struct options *opt)
{
    free(opt->basename);
    opt->basename = NULL;
    free(opt->formats_text);
    opt->formats_text = NULL;
}

void options_view(const struct options *opt, struct view_options *out)
{
    *out = (struct view_options){
        .nformats = opt->nformats,
        .formats_optional = opt->formats_optional,
        .basename = opt->basename,
        .nsettings = opt->nsettings,
        .min_alleles = opt->min_alleles,
        .max_alleles = opt->max_alleles,
        .follow_links = opt->follow_links,
        .absent_fill = opt->absent_chunks != NULL && strcmp(opt->absent_chunks, "fill") == 0,
    };
    memcpy(out->formats, opt->formats, sizeof out->formats);
    memcpy(out->settings, opt->settings, sizeof out->settings);
}

static bool strip_suffix(char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);

    if (len <= n || strcmp(name + len - n, suffix) != 0)
        return false;
    name[len - n] = '\0';
    return true;
}

char *options_basename(const char *store)
{
    size_t end = strlen(store);
    size_t begin;
    char *name;

    while (end > 0 && store[end - 1] == '/')
        end--;
    begin = end;
    while (begin > 0 && store[begin - 1] != '/')
        begin--;
    name = strndup(store + begin, end - begin);
    if (name == NULL)
        return NULL;
    strip_suffix(name, ".zip");
    while (strip_suffix(name, ".vcz") || strip_suffix(name, ".zarr"))
        ;
    if (!basename_ok(name)) {
        free(name);
        return NULL;
    }
    return name;
}
