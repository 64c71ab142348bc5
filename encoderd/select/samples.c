/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/samples.h"

#include "common/cleanup.h"
#include "common/nearest.h"
#include "encoderd/select/names.h"
#include "encoderd/select/unpack.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How many unknown IDs a message names. */
#define NAMED_MAX 5

struct samples_named {
    const struct vcz *vcz;
    const char *option;
    struct names names;
    uint8_t *chosen; /* owned; per sample of the store */
    uint64_t *order; /* owned; samples in the order in which they were named */
    uint64_t n;
    bool others; /* the named samples are left out; naming one twice is then no error */
    uint64_t nunknown;
    char unknown[NAMED_MAX * (TEXT_SHOW_MAX + 2)];
    char hint[NEAREST_HINT_MAX]; /* a known sample with a name similar to the first unknown one */
    struct err *err;
};

static void find_hint(struct samples_named *choosing, const struct str *id)
{
    struct nearest nearest;

    nearest_begin(&nearest, id->at, id->len);
    for (uint64_t i = 0; i < choosing->vcz->nsamples; i++)
        nearest_consider(&nearest, "", choosing->vcz->sample_id[i].at,
                         choosing->vcz->sample_id[i].len);
    nearest_hint(&nearest, choosing->hint);
}

static void note_unknown(struct samples_named *choosing, const struct str *id)
{
    size_t used = strlen(choosing->unknown);
    char shown[TEXT_SHOW_MAX];

    if (choosing->nunknown == 0)
        find_hint(choosing, id);
    if (choosing->nunknown++ < NAMED_MAX)
        snprintf(choosing->unknown + used, sizeof choosing->unknown - used, "%s%s",
                 used > 0 ? ", " : "", text_show(id, shown));
}

static int choose_one(struct samples_named *choosing, const char *at, size_t len)
{
    const struct str id = {.at = at, .len = len};
    uint64_t sample = names_find(&choosing->names, at, len);
    char shown[TEXT_SHOW_MAX];

    if (sample == choosing->names.n) {
        note_unknown(choosing, &id);
        return 0;
    }
    if (choosing->chosen[sample] && choosing->others)
        return 0;
    if (choosing->chosen[sample])
        return err_set(choosing->err, ERR_USAGE, "%s: sample %s is given twice", choosing->option,
                       text_show(&id, shown));
    choosing->chosen[sample] = 1;
    choosing->order[choosing->n++] = sample;
    return 0;
}

static int choose_list(struct samples_named *choosing, const char *list)
{
    for (const char *at = list; *at != '\0';) {
        size_t len = strcspn(at, ",");

        if (len > 0 && choose_one(choosing, at, len) != 0)
            return -1;
        at += len + (at[len] != '\0');
    }
    return 0;
}

static int choose_lines(struct samples_named *choosing, const struct option_file *file)
{
    struct option_line line = {0};

    for (size_t at = 0; option_file_line(file, &at, &line);)
        if (line.len > 0 && choose_one(choosing, line.at, line.len) != 0)
            return err_prefix(choosing->err, "%s, line %zu", file->name, line.number);
    return 0;
}

static int choose_file(struct samples_named *choosing, const struct option_file *packed)
{
    struct option_file file;
    struct buf text = {0};
    int rc = unpack_whole(packed, &text, &file, choosing->err);

    if (rc == 0)
        rc = choose_lines(choosing, &file);
    buf_free(&text);
    return rc;
}

static int judge_unknown(const struct samples_named *choosing, bool force, struct notices *notices)
{
    const char *more = choosing->nunknown > NAMED_MAX ? ", ..." : "";

    if (choosing->nunknown == 0)
        return 0;
    if (force) {
        notices_add(notices, "%s: not in the store, left out: %s%s", choosing->option,
                    choosing->unknown, more);
        return 0;
    }
    return err_set(choosing->err, ERR_USAGE,
                   "%s: %s has no sample %s%s%s --force-samples leaves unknown samples out",
                   choosing->option, store_path(choosing->vcz->store), choosing->unknown, more,
                   choosing->hint[0] != '\0' ? choosing->hint : ";");
}

/* All others, in the store's order. */
static void complement(struct samples_named *choosing)
{
    choosing->n = 0;
    for (uint64_t i = 0; i < choosing->vcz->nsamples; i++)
        if (!choosing->chosen[i])
            choosing->order[choosing->n++] = i;
}

static bool is_all_in_order(const struct samples_named *choosing)
{
    for (uint64_t i = 0; i < choosing->n; i++)
        if (choosing->order[i] != i)
            return false;
    return choosing->n == choosing->vcz->nsamples;
}

static int choose(struct samples_named *choosing, const struct sample_choice *choice,
                  struct notices *notices)
{
    const char *list = choice->list != NULL ? choice->list : choice->file.name;
    const bool others = list[0] == '^';
    int rc;

    choosing->others = others;
    rc = choice->list != NULL ? choose_list(choosing, list + others)
                              : choose_file(choosing, &choice->file);
    if (rc != 0 || judge_unknown(choosing, choice->force, notices) != 0)
        return -1;
    if (choosing->n == 0 && choosing->nunknown == 0)
        return err_set(choosing->err, choice->list != NULL ? ERR_FORM : ERR_USAGE,
                       "%s: no sample given; a view needs at least one", choosing->option);
    if (others)
        complement(choosing);
    if (choosing->n == 0)
        return err_set(choosing->err, ERR_USAGE, "%s leaves no sample; a view needs at least one",
                       choosing->option);
    return 0;
}

int samples_choose(const struct vcz *vcz, const struct sample_choice *choice, uint64_t **out,
                   uint64_t *n, struct notices *notices, struct err *err)
{
    struct samples_named choosing = {
        .vcz = vcz, .option = choice->list != NULL ? "--samples" : "--samples-file", .err = err};
    int rc = -1;

    *out = NULL;
    *n = vcz->nsamples;
    if (choice->list == NULL && choice->file.text == NULL)
        return 0;
    if (choice->list != NULL && choice->file.text != NULL)
        return err_set(err, ERR_FORM, "--samples and --samples-file exclude each other");
    choosing.chosen = calloc(vcz->nsamples + 1, 1);
    choosing.order = calloc(vcz->nsamples + 1, sizeof *choosing.order);
    if (choosing.chosen == NULL || choosing.order == NULL)
        err_nomem(err, "%" PRIu64 " samples", vcz->nsamples);
    else if (names_init(&choosing.names, vcz->sample_id, vcz->nsamples, err) == 0)
        rc = choose(&choosing, choice, notices);
    if (rc == 0 && !is_all_in_order(&choosing)) {
        *n = choosing.n;
        *out = steal_ptr(&choosing.order);
    }
    names_free(&choosing.names);
    free(choosing.chosen);
    free(choosing.order);
    return rc;
}
