/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy: a format that no program reads, for tests/e2e/test_toy_format.py, which builds it in: .toy
 * (the stream), how many ALT alleles each sample has, a digit each, without anything between rows;
 * .toys (a sidecar), the samples and what stands for a missing call.
 */
#include "common/cleanup.h"
#include "encoderd/format/bed.h"
#include "encoderd/format/each.h"
#include "encoderd/format/refuse.h"
#include "encoderd/format/sample_table.h"

#include <stdio.h>
#include <string.h>

#define CALLS_AT_ONCE 64

struct toy {
    size_t scratch_max;
    char digits[4]; /* of the codes of a .bed */
};

static void toy_header(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out)
{
    (void)view, (void)begin, (void)end, (void)out; /* there is none */
}

static void toy_close(struct format_view *view)
{
    for (size_t i = 0; i < view->nsidecars; i++)
        cleanup_close(&view->sidecars[i].fd);
    free(view->state);
    *view = (struct format_view){0};
}

static int make_toys(const struct format_options *options, bool resume, struct format_view *view,
                     struct err *err)
{
    const struct toy *toy = view->state;
    const char rest[] = {' ', toy->digits[1], '\n', '\0'};
    const struct sample_table table = {
        .place = IN_SAMPLE_FILE,
        .suffix = ".toys",
        .without = "--no-toys",
        .head = "",
        .separator = ' ',
        .rest = rest,
        .fid_zero = format_option(options, &declared_toy, "fid") != 0,
    };
    struct format_sidecar sidecar = {.suffix = ".toys", .fd = -1};

    if (format_option(options, &declared_toy, "no-toys"))
        return 0;
    if (!resume && sample_table_make(&table, view->selection, &sidecar.fd, &sidecar.size, err) != 0)
        return -1;
    view->sidecars[view->nsidecars++] = sidecar;
    return 0;
}

static int toy_open(const struct selection *selection, const struct format_options *options,
                    const struct pass_means *means, bool resume, struct format_view *out,
                    struct err *err)
{
    const char missing = (char)format_option(options, &declared_toy, "toy-missing");
    struct toy *toy = calloc(1, sizeof *toy);

    *out = (struct format_view){
        .format = &format_toy,
        .selection = selection,
        .layout = {.row_nbytes = selection->nsamples,
                   .nrows = row_map_nrows(&selection->rows),
                   .samples_per_byte = 1},
        .state = toy,
    };
    if (toy == NULL)
        return err_nomem(err, "a toy view");
    *toy = (struct toy){means->scratch_max, {'2', missing, '1', '0'}};
    if (make_toys(options, resume, out, err) == 0)
        return 0;
    toy_close(out);
    return -1;
}

static int toy_put(const struct format_view *view, const struct call_run *run, uint8_t *at,
                   struct err *err)
{
    const struct toy *toy = view->state;
    uint8_t codes[CALLS_AT_ONCE / 4];
    bool ok = true;

    for (uint64_t done = 0; done < run->ncalls; done += CALLS_AT_ONCE) {
        const uint64_t left = run->ncalls - done, n = left < CALLS_AT_ONCE ? left : CALLS_AT_ONCE;
        const uint64_t first = done * run->ploidy;

        memset(codes, 0, sizeof codes);
        ok &=
            run->planes.at != NULL
                ? bed_from_planes(&run->planes, run->first + first, run->ploidy, n, 0, true, codes)
                : bed_from_alleles(run->alleles + first, run->ploidy, n, 0, true, codes);
        for (uint64_t i = 0; i < n; i++)
            at[done + i] = (uint8_t)toy->digits[codes[i / 4] >> 2 * (i % 4) & 3];
    }
    return ok ? 0 : refuse_call(view, toy->scratch_max, run, err);
}

const struct format format_toy = {
    .declared = &declared_toy,
    .open = toy_open,
    .close = toy_close,
    .header = toy_header,
    .put = toy_put,
};
