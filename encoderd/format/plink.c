/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plink: a view as PLINK 1 files: .bed (the stream), .bim and .fam (sidecars).
 *
 * doc/FORMATS.md, "Out: PLINK 1".
 */
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/format/bed.h"
#include "encoderd/format/bim.h"
#include "encoderd/format/each.h"
#include "encoderd/format/refuse.h"
#include "encoderd/format/sample_table.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLES_PER_BYTE 4

static const uint8_t bed_header[] = {0x6c, 0x1b, 0x01};

/* What a view needs after open: memory for finding a site's name for a message. */
struct plink {
    size_t scratch_max;
};

static void plink_layout(const struct selection *selection, struct stream_layout *out)
{
    *out = (struct stream_layout){
        .header_nbytes = sizeof bed_header,
        .row_nbytes = size_div_up(selection->nsamples, SAMPLES_PER_BYTE),
        .nrows = row_map_nrows(&selection->rows),
        .samples_per_byte = SAMPLES_PER_BYTE,
    };
}

static void plink_header(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out)
{
    (void)view;
    memcpy(out, bed_header + begin, end - begin);
}

static uint64_t option(const struct format_options *options, const char *name)
{
    return format_option(options, &declared_plink, name);
}

static void add_sidecar(struct format_view *view, const char *suffix, int fd, uint64_t size)
{
    view->sidecars[view->nsidecars++] =
        (struct format_sidecar){.suffix = suffix, .fd = fd, .size = size};
}

static int make_bim(const struct format_options *options, const struct pass_means *means,
                    struct format_view *view, struct err *err)
{
    const bool want = !option(options, "no-bim");
    const unsigned nautosomes = (unsigned)option(options, "chr-set");
    uint64_t size = 0;
    int fd = -1;

    if (bim_make(view->selection, means, nautosomes, want ? &fd : NULL, &size, err) != 0)
        return -1;
    if (want)
        add_sidecar(view, ".bim", fd, size);
    return 0;
}

static int make_fam(const struct format_options *options, struct format_view *view, struct err *err)
{
    const bool fid_zero = option(options, "fid") != 0;
    const struct sample_table fam = {
        .place = fid_zero ? IN_FAM_SAMPLE_ONLY : IN_FAM_SAMPLE,
        .suffix = ".fam",
        .without = "--no-fam",
        .head = "",
        .separator = '\t',
        .rest = "\t0\t0\t0\t-9\n",
        .fid_zero = fid_zero,
    };
    uint64_t size;
    int fd;

    if (sample_table_make(&fam, view->selection, &fd, &size, err) != 0)
        return -1;
    add_sidecar(view, ".fam", fd, size);
    return 0;
}

static void plink_close(struct format_view *view)
{
    for (size_t i = 0; i < view->nsidecars; i++)
        cleanup_close(&view->sidecars[i].fd);
    free(view->state);
    *view = (struct format_view){0};
}

/* The .fam is made first: it is quick, so a bad sample ID is reported before a long scan. */
static int make_sidecars(const struct format_options *options, const struct pass_means *means,
                         bool resume, struct format_view *view, struct err *err)
{
    if (resume) {
        if (!option(options, "no-fam"))
            add_sidecar(view, ".fam", -1, 0);
        if (!option(options, "no-bim") && !options->no_scan)
            add_sidecar(view, ".bim", -1, 0);
        return 0;
    }
    if (!option(options, "no-fam") && make_fam(options, view, err) != 0)
        return -1;
    if (options->no_scan)
        return 0;
    return make_bim(options, means, view, err);
}

static int plink_open(const struct selection *selection, const struct format_options *options,
                      const struct pass_means *means, bool resume, struct format_view *out,
                      struct err *err)
{
    struct plink *plink = calloc(1, sizeof *plink);

    *out = (struct format_view){.format = &format_plink, .selection = selection, .state = plink};
    if (plink == NULL)
        return err_nomem(err, "a PLINK view");
    plink->scratch_max = means->scratch_max;
    plink_layout(selection, &out->layout);
    if (make_sidecars(options, means, resume, out, err) == 0)
        return 0;
    plink_close(out);
    return -1;
}

static int plink_put(const struct format_view *view, const struct call_run *run, uint8_t *at,
                     struct err *err)
{
    unsigned shift = (unsigned)(run->sample % SAMPLES_PER_BYTE);
    bool last = run->sample + run->ncalls == view->selection->nsamples;
    bool ok;

    if (run->planes.at != NULL)
        ok = bed_from_planes(&run->planes, run->first, run->ploidy, run->ncalls, shift, last, at);
    else
        ok = bed_from_alleles(run->alleles, run->ploidy, run->ncalls, shift, last, at);
    if (ok)
        return 0;
    return refuse_call(view, ((const struct plink *)view->state)->scratch_max, run, err);
}

const struct format format_plink = {
    .declared = &declared_plink,
    .open = plink_open,
    .close = plink_close,
    .header = plink_header,
    .put = plink_put,
};
