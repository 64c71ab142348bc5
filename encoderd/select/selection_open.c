/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/selection_open.h"

#include "encoderd/select/choose.h"
#include "encoderd/select/samples.h"
#include "encoderd/select/selection_state.h"
#include "encoderd/select/types.h"

#include <inttypes.h>
#include <stdlib.h>

/* Parsed options, kept while the rows are chosen. */
struct parsed {
    struct choice choice;
    struct regions regions, targets;
    struct expr *expr;
};

static void parsed_free(struct parsed *parsed)
{
    regions_free(&parsed->regions);
    regions_free(&parsed->targets);
    expr_free(parsed->expr);
}

static int exclude_each_other(bool both, const char *a, const char *b, struct err *err)
{
    return both ? err_set(err, ERR_FORM, "%s and %s exclude each other", a, b) : 0;
}

static int check_options(const struct selection_options *options, struct err *err)
{
    uint64_t least = options->min_alleles, most = options->max_alleles;

    if (most != 0 && least > most)
        return err_set(err, ERR_FORM,
                       "--min-alleles %" PRIu64 " is more than --max-alleles %" PRIu64
                       ": no variant could be shown",
                       least, most);
    if (exclude_each_other(options->regions != NULL && options->regions_file.text != NULL,
                           "--regions", "--regions-file", err) != 0 ||
        exclude_each_other(options->targets != NULL && options->targets_file.text != NULL,
                           "--targets", "--targets-file", err) != 0 ||
        exclude_each_other(options->include != NULL && options->exclude != NULL, "--include",
                           "--exclude", err) != 0 ||
        exclude_each_other(options->include_types != NULL && options->exclude_types != NULL,
                           "--types", "--exclude-types", err) != 0)
        return -1;
    return 0;
}

/* Parses a list or, if none was given, a file; `options` has the names of both options. */
static int parse_places(const struct vcz *vcz, const char *list, const struct option_file *file,
                        const char *format, const char *const options[2], struct regions *out,
                        struct err *err)
{
    enum region_format how = REGION_AUTO;

    if (list != NULL)
        return regions_parse_list(vcz, list, options[0], out, err);
    if (format != NULL && !region_format_named(format, &how))
        return err_set(err, ERR_FORM, "%s: there is no format '%s'", options[1], format);
    return regions_parse_file(vcz, file, how, options[1], out, err);
}

static int parse_regions(const struct selection *selection, const struct selection_options *options,
                         struct parsed *parsed, struct err *err)
{
    static const char *const names[2] = {"--regions", "--regions-file"};

    if (options->regions == NULL && options->regions_file.text == NULL)
        return 0;
    parsed->choice.regions = &parsed->regions;
    return parse_places(selection->vcz, options->regions, &options->regions_file,
                        options->regions_format, names, &parsed->regions, err);
}

static int parse_targets(const struct selection *selection, const struct selection_options *options,
                         struct parsed *parsed, struct err *err)
{
    static const char *const names[2] = {"--targets", "--targets-file"};
    const char *list = options->targets;
    const char *given = list != NULL ? list : options->targets_file.name;

    if (list == NULL && options->targets_file.text == NULL)
        return 0;
    parsed->choice.targets = &parsed->targets;
    parsed->choice.targets_outside = given[0] == '^';
    return parse_places(selection->vcz, list != NULL ? list + (list[0] == '^') : NULL,
                        &options->targets_file, options->targets_format, names, &parsed->targets,
                        err);
}

static int parse_expression(const struct selection *selection,
                            const struct selection_options *options, size_t scratch_max,
                            struct parsed *parsed, struct err *err)
{
    const struct expr_context context = {
        .vcz = selection->vcz,
        .option = options->include != NULL ? "--include" : "--exclude",
        .files = options->files,
        .nfiles = options->nfiles,
        .scratch_max = scratch_max,
        .sample_column = selection->sample_column,
        .sample_id = selection->sample_id,
        .nsamples = selection->nsamples,
        .samples_chosen = options->samples != NULL || options->samples_file.text != NULL,
    };
    const char *text = options->include != NULL ? options->include : options->exclude;

    if (text == NULL)
        return 0;
    if (expr_open(text, &context, &parsed->expr, err) != 0)
        return -1;
    parsed->choice.expr = parsed->expr;
    parsed->choice.expr_excludes = options->exclude != NULL;
    return 0;
}

static int parse(const struct selection *selection, const struct selection_options *options,
                 size_t scratch_max, struct parsed *parsed, struct err *err)
{
    struct choice *choice = &parsed->choice;

    choice->min_alleles = options->min_alleles;
    choice->max_alleles = options->max_alleles;
    if ((options->include_types != NULL &&
         types_parse(options->include_types, "--types", &choice->include_types, err) != 0) ||
        (options->exclude_types != NULL && types_parse(options->exclude_types, "--exclude-types",
                                                       &choice->exclude_types, err) != 0) ||
        parse_regions(selection, options, parsed, err) != 0 ||
        parse_targets(selection, options, parsed, err) != 0)
        return -1;
    return parse_expression(selection, options, scratch_max, parsed, err);
}

static int choose_variants(const struct selection_options *options, const struct pass_means *means,
                           struct selection *selection, struct err *err)
{
    const struct vcz *vcz = selection->vcz;
    struct parsed parsed = {0};
    int rc = parse(selection, options, means->scratch_max, &parsed, err);

    if (rc == 0 && choice_is_all(&parsed.choice))
        row_map_init_all(&selection->rows, vcz->nvariants);
    else if (rc == 0)
        rc = choose_rows(vcz, &parsed.choice, means, &selection->rows, err);
    if (rc == 0 && row_map_nrows(&selection->rows) == 0 && vcz->nvariants > 0)
        notices_add(&selection->notices,
                    "no variant is left: none of the %" PRIu64 " of %s is what the options ask for",
                    vcz->nvariants, store_path(vcz->store));
    parsed_free(&parsed);
    return rc;
}

static int choose_samples(const struct selection_options *options, struct selection *selection,
                          struct err *err)
{
    const struct sample_choice choice = {
        .list = options->samples, .file = options->samples_file, .force = options->force_samples};
    uint64_t *order, n;
    int rc;

    if (samples_choose(selection->vcz, &choice, &order, &n, &selection->notices, err) != 0)
        return -1;
    rc = selection_set_samples(selection, order, n, err);
    free(order);
    return rc;
}

int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int state_fd, struct selection *out,
                   struct err *err)
{
    *out = (struct selection){.vcz = vcz};
    if (resume ? selection_load(out, state_fd, err) == 0
               : check_options(options, err) == 0 && choose_samples(options, out, err) == 0 &&
                     choose_variants(options, means, out, err) == 0)
        return 0;
    selection_close(out);
    return -1;
}
