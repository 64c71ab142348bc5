/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen: a view as BGEN v1.2: .bgen (the stream), .sample and .bgen.bgi (sidecars).
 *
 * doc/FORMATS.md, "Out: BGEN".
 */
#include "common/cleanup.h"
#include "common/notices.h"
#include "common/size.h"
#include "encoderd/format/bgen_impl.h"
#include "encoderd/format/each.h"
#include "encoderd/format/refuse.h"
#include "encoderd/format/sample_table.h"

#include <inttypes.h>
#include <string.h>

static void bgen_header(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out)
{
    const struct bgen *bgen = view->state;

    bgen_header_write(&bgen->header, begin, end, out);
}

static uint64_t option(const struct format_options *options, const char *name)
{
    return format_option(options, &declared_bgen, name);
}

static void add_sidecar(struct format_view *view, const struct format_sidecar *sidecar)
{
    view->sidecars[view->nsidecars++] = *sidecar;
}

/* Four columns: GCTA needs exactly these, SAIGE one or four. `missing` is 0 for every sample: the
 * true rate would need a pass over the genotypes. */
static int make_sample_file(const struct format_options *options, struct format_view *view,
                            struct err *err)
{
    const struct sample_table table = {
        .place = IN_SAMPLE_FILE,
        .suffix = ".sample",
        .without = "--no-sample-file",
        .head = "ID_1 ID_2 missing sex\n0 0 0 D\n",
        .separator = ' ',
        .rest = " 0 NA\n",
        .fid_zero = option(options, "fid") != 0,
    };
    struct format_sidecar sidecar = {.suffix = ".sample"};

    if (sample_table_make(&table, view->selection, &sidecar.fd, &sidecar.size, err) != 0)
        return -1;
    add_sidecar(view, &sidecar);
    return 0;
}

static void bgen_close(struct format_view *view)
{
    struct bgen *bgen = view->state;

    for (size_t i = 0; i < view->nsidecars; i++)
        cleanup_close(&view->sidecars[i].fd);
    if (bgen != NULL)
        bgen_header_clear(&bgen->header);
    free(bgen);
    *view = (struct format_view){0};
}

/* The .sample is made first: it is quick, so a bad ID is reported before a long scan. */
static int make_sidecars(const struct format_options *options, bool resume,
                         struct format_view *view, struct err *err)
{
    const bool want = !option(options, "no-sample-file");

    if (want && resume)
        add_sidecar(view, &(struct format_sidecar){".sample", -1, 0, false});
    else if (want && make_sample_file(options, view, err) != 0)
        return -1;
    if (!option(options, "no-bgi"))
        add_sidecar(view, &(struct format_sidecar){".bgen.bgi", -1, 0, true});
    return 0;
}

static int load_strings(const struct format_saved *saved, uint64_t asked, struct bgen *bgen,
                        struct err *err)
{
    uint64_t strings = 0;

    if (saved->nbytes == sizeof strings)
        memcpy(&strings, saved->bytes, sizeof strings);
    if (strings == 0 || strings > BGEN_STRINGS_MAX || (asked != 0 && strings != asked))
        return err_set(err, ERR_PEER, "the saved state of the .bgen contradicts the view");
    bgen->shape.strings = strings;
    return 0;
}

static int find_strings(const struct format_options *options, const struct pass_means *means,
                        bool resume, struct format_view *view, struct err *err)
{
    struct bgen *bgen = view->state;
    const uint64_t asked = option(options, "total-string-length");

    if (resume)
        return load_strings(&view->saved, asked, bgen, err);
    if (options->no_scan)
        bgen->shape.strings = asked != 0 ? asked : BGEN_STRINGS_DEFAULT;
    else if (bgen_scan(view->selection, asked, means, bgen, err) != 0)
        return -1;
    memcpy(view->saved.bytes, &bgen->shape.strings, sizeof bgen->shape.strings);
    view->saved.nbytes = sizeof bgen->shape.strings;
    return 0;
}

static int check_counts(const struct selection *selection, struct err *err)
{
    const char *path = store_path(selection->vcz->store);

    if (row_map_nrows(&selection->rows) > UINT32_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: a .bgen holds at most %" PRIu32 " variants, not %" PRIu64, path,
                       UINT32_MAX, row_map_nrows(&selection->rows));
    if (selection->nsamples > BGEN_SAMPLES_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: a .bgen holds at most %" PRIu32 " samples, not %" PRIu64, path,
                       BGEN_SAMPLES_MAX, selection->nsamples);
    return 0;
}

static int check_ids(const struct format_options *options, const struct selection *selection,
                     struct err *err)
{
    if (option(options, "no-header-samples"))
        return 0;
    return refuse_samples(selection, IN_BGEN_SAMPLE, ".bgen", "--no-header-samples", err);
}

static int make_layout(struct format_view *view, struct err *err)
{
    const struct bgen *bgen = view->state;
    const uint64_t nrows = row_map_nrows(&view->selection->rows);
    uint64_t size;

    view->layout = (struct stream_layout){.header_nbytes = bgen->header.nbytes,
                                          .row_nbytes = bgen_row_nbytes(&bgen->shape),
                                          .nrows = nrows};
    if (!size_mul(nrows, view->layout.row_nbytes, &size) ||
        !size_add(size, view->layout.header_nbytes, &size) || size > INT64_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: the .bgen would be longer than a file can be",
                       store_path(view->selection->vcz->store));
    return 0;
}

static int open_parts(const struct format_options *options, const struct pass_means *means,
                      bool resume, struct format_view *view, struct err *err)
{
    struct bgen *bgen = view->state;

    if (check_counts(view->selection, err) != 0 || check_ids(options, view->selection, err) != 0 ||
        bgen_header_init(&bgen->header, view->selection, !option(options, "no-header-samples"),
                         err) != 0 ||
        make_sidecars(options, resume, view, err) != 0 ||
        find_strings(options, means, resume, view, err) != 0)
        return -1;
    return make_layout(view, err);
}

/* Phase is shown if the user asked for it and the store has it. A notice says so, because some
 * programs cannot read it. */
static int find_phase(const struct selection *selection, const struct format_options *options,
                      struct notices *notices, bool *phased, struct err *err)
{
    const bool wanted = option(options, "phased");

    if (wanted && vcz_need(selection->vcz, VCZ_PHASE, err) != 0)
        return -1;
    *phased = wanted && selection->vcz->phased != NULL;
    if (*phased && notices != NULL)
        notices_add(notices, "the .bgen has phase, as --phased asks: REGENIE, which looks at the "
                             "first variant only, aborts or misreads it without a word; SAIGE, "
                             "bgenix -v11 and some analyses of GCTA refuse it");
    return 0;
}

static int bgen_open(const struct selection *selection, const struct format_options *options,
                     const struct pass_means *means, bool resume, struct format_view *out,
                     struct err *err)
{
    const bool haploid = option(options, "haploid");
    const struct format_saved saved = out->saved;
    struct bgen *bgen;
    bool phased;

    if (find_phase(selection, options, resume ? NULL : means->notices, &phased, err) != 0)
        return -1;
    bgen = calloc(1, sizeof *bgen);
    *out = (struct format_view){.format = &format_bgen,
                                .selection = selection,
                                .wants_phase = phased,
                                .wants_sites = true,
                                .wants_sums = true,
                                .state = bgen};
    if (bgen == NULL)
        return err_nomem(err, "a BGEN view");
    if (resume)
        out->saved = saved;
    bgen->scratch_max = means->scratch_max;
    bgen->shape = (struct bgen_shape){.nsamples = selection->nsamples,
                                      .ploidy = bgen_nvalues(selection->vcz->ploidy, haploid),
                                      .pad = (char)option(options, "pad-byte"),
                                      .id_in_varid = option(options, "variant-id-field") != 0,
                                      .phased = phased,
                                      .haploid = haploid};
    if (open_parts(options, means, resume, out, err) == 0)
        return 0;
    bgen_close(out);
    return -1;
}

/* Writes n calls of a run, from call `done` of it on. */
static bool put_piece(const struct call_run *run, uint64_t done, uint64_t n,
                      const struct bgen_out *out, struct bgen_sums *sums)
{
    const unsigned axis = run->ploidy;

    if (run->planes.at != NULL)
        return bgen_from_planes(&run->planes, run->first + done * axis, axis, n, out, sums);
    return bgen_from_alleles(run->alleles + done * axis, axis, n, out, sums);
}

_Static_assert((int)BGEN_NSUMS <= ROW_SUMS, "a row's sums do not fit");

static int bgen_put(const struct format_view *view, const struct call_run *run, uint8_t *at,
                    struct err *err)
{
    const struct bgen *bgen = view->state;
    uint64_t row_sums[BGEN_NSUMS] = {0};
    bool ok = true;

    for (uint64_t done = 0, n; done < run->ncalls; done += n) {
        const uint64_t sample = run->sample + done;
        const struct bgen_piece piece =
            bgen_row_piece(&bgen->shape, at, sample, run->ncalls - done);
        uint8_t pair[2] = {0};
        const struct bgen_out out = {.ploidies = piece.ploidies,
                                     .values = piece.second != NULL ? pair : piece.values,
                                     .phased = bgen->shape.phased,
                                     .haploid = bgen->shape.haploid};
        struct bgen_sums sums = {0};

        n = piece.ncalls;
        ok &= put_piece(run, done, n, &out, &sums);
        if (piece.second != NULL) {
            *piece.values = pair[0];
            *piece.second = pair[1];
        }
        bgen_row_add(&bgen->shape, sample, &sums, row_sums);
    }
    for (unsigned i = 0; i < BGEN_NSUMS; i++)
        __atomic_fetch_add(&run->sums->words[i], row_sums[i], __ATOMIC_RELAXED);
    return ok ? 0 : refuse_call(view, bgen->scratch_max, run, err);
}

static int bgen_finish_row(const struct format_view *view, const struct row_facts *facts,
                           uint8_t *row_bytes, struct err *err)
{
    const struct bgen *bgen = view->state;
    const struct site *site = facts->site;

    /* This was checked when the view was opened, but the store may have changed since. */
    if (bgen_row_strings_needed(site) > bgen->shape.strings || site->id.len > UINT16_MAX ||
        site->contig.len > UINT16_MAX || site->position > UINT32_MAX || site->nalleles > 2)
        return err_set(err, ERR_DATA,
                       "%s: variant %" PRIu64 " is not what it was when the store was mounted",
                       store_path(view->selection->vcz->store), facts->variant);
    bgen_row_finish(&bgen->shape, site, facts->phased, facts->sums->words, row_bytes);
    return 0;
}

const struct format format_bgen = {
    .declared = &declared_bgen,
    .open = bgen_open,
    .close = bgen_close,
    .header = bgen_header,
    .put = bgen_put,
    .make_sidecar = bgen_make_index,
    .finish_row = bgen_finish_row,
};
