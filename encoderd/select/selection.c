#include "encoderd/select/selection.h"

#include "common/buf.h"

#include <inttypes.h>

/* The variants of one range that are kept: uint64 each. */
struct kept {
    struct buf variants;
};

struct allele_filter {
    const struct selection_options *options;
    struct rows *rows;
};

static bool wanted(const struct selection_options *options, const struct site *site)
{
    return (options->min_alleles == 0 || site->nalleles >= options->min_alleles) &&
           (options->max_alleles == 0 || site->nalleles <= options->max_alleles);
}

static int filter_site(const struct site *site, void *piece, void *arg, struct err *err)
{
    const struct allele_filter *filter = arg;
    struct kept *kept = piece;

    if (!wanted(filter->options, site))
        return 0;
    buf_append(&kept->variants, &site->variant, sizeof site->variant);
    if (kept->variants.failed)
        return err_set(err, ERR_MEMORY, "out of memory while choosing variants");
    return 0;
}

static int filter_take(void *piece, void *arg, struct err *err)
{
    const struct allele_filter *filter = arg;
    const struct kept *kept = piece;
    const uint64_t *variants = (const uint64_t *)(const void *)kept->variants.data;

    (void)err;
    for (size_t i = 0; i < kept->variants.len / sizeof *variants; i++)
        rows_keep(filter->rows, variants[i]);
    return 0;
}

static void filter_clear(void *piece)
{
    buf_free(&((struct kept *)piece)->variants);
}

static int filter_rows(const struct vcz *vcz, const struct selection_options *options,
                       const struct pass_means *means, struct rows *rows, struct err *err)
{
    struct allele_filter filter = {.options = options, .rows = rows};
    struct pass pass = {
        .vcz = vcz,
        .what = "choosing variants",
        .piece_size = sizeof(struct kept),
        .site = filter_site,
        .take = filter_take,
        .clear = filter_clear,
        .arg = &filter,
    };

    if (rows_init_none(rows, vcz->nvariants, err) != 0)
        return -1;
    if (pass_run(&pass, means, err) == 0 && rows_finish(rows, err) == 0)
        return 0;
    rows_free(rows);
    return -1;
}

static void choose_samples(const struct vcz *vcz, struct selection *selection)
{
    selection->nsamples = vcz->nsamples;
    selection->sample_column = vcz->sample_column;
    selection->sample_id = vcz->sample_id;
    selection->first_column = vcz->nsamples > 0 ? vcz->sample_column[0] : 0;
    /* Columns ascend, so the ends tell whether any is left out between them. */
    selection->sorted_column = selection->sample_column;
    selection->contiguous =
        vcz->nsamples == 0 ||
        vcz->sample_column[vcz->nsamples - 1] - selection->first_column == vcz->nsamples - 1;
}

int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int rows_fd, struct selection *out,
                   struct err *err)
{
    uint64_t least = options->min_alleles, most = options->max_alleles;

    *out = (struct selection){.vcz = vcz};
    if (most != 0 && least > most)
        return err_set(err, ERR_USAGE,
                       "--min-alleles %" PRIu64 " is more than --max-alleles %" PRIu64
                       ": no variant could be shown",
                       least, most);
    choose_samples(vcz, out);
    if (rows_fd >= 0)
        return rows_load(&out->rows, vcz->nvariants, rows_fd, err);
    if (!resume && (least != 0 || most != 0))
        return filter_rows(vcz, options, means, &out->rows, err);
    rows_init_all(&out->rows, vcz->nvariants);
    return 0;
}

void selection_close(struct selection *selection)
{
    rows_free(&selection->rows);
}
