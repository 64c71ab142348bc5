/*
 * plink: a view as PLINK 1 files: .bed (the stream), .bim and .fam (sidecars).
 *
 * FORMATS.md, "Out: PLINK 1".
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "common/memfd.h"
#include "common/size.h"
#include "encoderd/format/bed.h"
#include "encoderd/format/format.h"
#include "encoderd/format/refuse.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#define SAMPLES_PER_BYTE 4

static const uint8_t bed_header[] = {0x6c, 0x1b, 0x01};

/* What a view needs after open: means to look a site up for a message. */
struct plink {
    size_t scratch_max;
};

static void plink_layout(const struct selection *selection, struct stream_layout *out)
{
    *out = (struct stream_layout){
        .header_nbytes = sizeof bed_header,
        .row_nbytes = size_div_up(selection->nsamples, SAMPLES_PER_BYTE),
        .nrows = selection->rows.nrows,
        .samples_per_byte = SAMPLES_PER_BYTE,
    };
}

static void plink_header(const struct format_view *view, uint64_t begin, uint64_t end, uint8_t *out)
{
    (void)view;
    memcpy(out, bed_header + begin, end - begin);
}

/* 1 to 22, X, Y, MT: the names that PLINK knows without "chr". */
static bool is_human_name(const struct str *name)
{
    const char *at = name->at;

    if (name->len == 1)
        return (at[0] >= '1' && at[0] <= '9') || at[0] == 'X' || at[0] == 'Y';
    if (name->len != 2)
        return false;
    if (at[0] == '1')
        return at[1] >= '0' && at[1] <= '9';
    if (at[0] == '2')
        return at[1] >= '0' && at[1] <= '2';
    return at[0] == 'M' && at[1] == 'T';
}

static struct str chromosome(const struct str *contig)
{
    struct str rest;

    if (contig->len <= 3 || memcmp(contig->at, "chr", 3) != 0)
        return *contig;
    rest = (struct str){.at = contig->at + 3, .len = contig->len - 3};
    if (rest.len == 1 && rest.at[0] == 'M')
        return (struct str){.at = "MT", .len = 2};
    return is_human_name(&rest) ? rest : *contig;
}

/* The pass over the sites: one piece per range. */

struct bim_piece {
    struct buf lines;
    struct refuse_tally refused;
};

struct bim {
    const struct vcz *vcz;
    const struct selection *selection;
    bool want;     /* lines are wanted, not only the count */
    int fd;        /* owned */
    uint64_t size; /* written */
    struct refuse_tally refused;
};

/* `name` is the store's word for what `text` is. */
static int check_column(const struct bim *bim, const struct site *site, const char *name,
                        const struct str *text, struct err *err)
{
    char shown[TEXT_SHOW_MAX], contig[TEXT_SHOW_MAX];

    if (text_is_column(text))
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: variant %" PRIu64 " (contig %s, position %" PRId64
                   ") has %s %s, and %s would break the columns of the .bim; use --no-bim to do "
                   "without it",
                   store_path(bim->vcz->store), site->variant, text_show(&site->contig, contig),
                   site->position, name, text_show(text, shown),
                   text->len == 0 ? "an empty string" : "white space or a control character");
}

static uint8_t *put_str(uint8_t *to, const struct str *text)
{
    memcpy(to, text->at, text->len);
    return to + text->len;
}

static uint8_t *put_u64(uint8_t *to, uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

static int bim_line(const struct bim *bim, const struct site *site, struct buf *lines,
                    struct err *err)
{
    const struct str none = {.at = ".", .len = 1};
    const struct str *alt = site->nalleles > 1 ? &site->alleles[1] : &none;
    struct str chrom = chromosome(&site->contig);
    uint8_t *begin, *to;

    if (check_column(bim, site, "contig", &site->contig, err) != 0 ||
        check_column(bim, site, "ID", &site->id, err) != 0 ||
        check_column(bim, site, "REF", &site->alleles[0], err) != 0 ||
        check_column(bim, site, "ALT", alt, err) != 0)
        return -1;
    /* 32: the position's digits, "0", tabs and the line's end. */
    begin = buf_reserve(lines, chrom.len + site->id.len + alt->len + site->alleles[0].len + 32);
    if (begin == NULL)
        return err_set(err, ERR_MEMORY, "out of memory while making the .bim");
    to = put_str(begin, &chrom);
    *to++ = '\t';
    to = put_str(to, &site->id);
    memcpy(to, "\t0\t", 3);
    to = put_u64(to + 3, (uint64_t)site->position);
    *to++ = '\t';
    to = put_str(to, alt);
    *to++ = '\t';
    to = put_str(to, &site->alleles[0]);
    *to++ = '\n';
    lines->len += (size_t)(to - begin);
    return 0;
}

static int bim_site(const struct site *site, void *arg_piece, void *arg, struct err *err)
{
    const struct bim *bim = arg;
    struct bim_piece *piece = arg_piece;

    if (site->nalleles > 2) {
        refuse_count(&piece->refused, site);
        return 0;
    }
    /* After a multi-allelic site the view is refused anyway; what is left to do is to count. */
    if (!bim->want || piece->refused.nmulti > 0)
        return 0;
    return bim_line(bim, site, &piece->lines, err);
}

static int bim_take(void *arg_piece, void *arg, struct err *err)
{
    struct bim_piece *piece = arg_piece;
    struct bim *bim = arg;

    refuse_add(&bim->refused, &piece->refused);
    if (!bim->want || bim->refused.nmulti > 0)
        return 0;
    bim->size += piece->lines.len;
    return io_write_all(bim->fd, piece->lines.data, piece->lines.len, "the .bim", err);
}

static void bim_clear(void *arg_piece)
{
    struct bim_piece *piece = arg_piece;

    buf_free(&piece->lines);
    refuse_clear_tally(&piece->refused);
}

/* Looks at every site, writes the .bim if it is wanted. */
static int scan_sites(struct bim *bim, const struct pass_means *means, struct err *err)
{
    const struct pass pass = {
        .vcz = bim->vcz,
        .rows = &bim->selection->rows,
        .parts = bim->want ? VCZ_SITES : VCZ_ALLELES,
        .what = "reading sites",
        .piece_size = sizeof(struct bim_piece),
        .site = bim_site,
        .take = bim_take,
        .clear = bim_clear,
        .arg = bim,
    };

    if (pass_run(&pass, means, err) != 0)
        return -1;
    if (bim->refused.nmulti > 0)
        return refuse_multiallelic(bim->selection, &bim->refused, err);
    return 0;
}

static void add_sidecar(struct format_view *view, const char *suffix, int fd, uint64_t size)
{
    view->sidecars[view->nsidecars++] =
        (struct format_sidecar){.suffix = suffix, .fd = fd, .size = size};
}

/* The least that a line has: one character for each of five columns, "0", tabs and the line's end. */
#define BIM_LINE_NBYTES_MIN 12

/* A store's metadata can claim any number of variants in a few bytes; a .bim that this machine cannot hold is
 * refused before it fills the memory of everybody. */
static int check_bim_size(const struct selection *selection, struct err *err)
{
    const uint64_t nrows = selection->rows.nrows;
    struct sysinfo info;
    uint64_t nbytes;

    if (sysinfo(&info) != 0 ||
        size_mul(info.totalram + info.totalswap, info.mem_unit, &nbytes) == 0 ||
        nrows <= nbytes / BIM_LINE_NBYTES_MIN)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "%s: the .bim of %" PRIu64 " variants does not fit the %" PRIu64
                   " MiB of memory of this machine; use --no-bim to do without it, or choose fewer "
                   "variants",
                   store_path(selection->vcz->store), nrows, nbytes >> 20);
}

static int make_bim(const struct pass_means *means, bool want, struct format_view *view,
                    struct err *err)
{
    struct bim bim = {
        .vcz = view->selection->vcz, .selection = view->selection, .want = want, .fd = -1};
    int rc = want ? check_bim_size(view->selection, err) : 0;

    if (rc == 0 && want)
        rc = bim.fd = memfd_open("vczfs-bim", err);
    if (rc >= 0)
        rc = scan_sites(&bim, means, err);
    if (rc == 0 && want)
        rc = memfd_seal(bim.fd, err);
    if (rc == 0 && want)
        add_sidecar(view, ".bim", steal_fd(&bim.fd), bim.size);
    cleanup_close(&bim.fd);
    refuse_clear_tally(&bim.refused);
    return rc < 0 ? -1 : 0;
}

static int fam_lines(const struct selection *selection, struct buf *out, struct err *err)
{
    for (uint64_t i = 0; i < selection->nsamples; i++) {
        const struct str *id = &selection->sample_id[i];

        if (!text_is_column(id))
            return refuse_sample(selection, i, ".fam", "--no-fam", err);
        buf_append(out, id->at, id->len);
        buf_append_char(out, '\t');
        buf_append(out, id->at, id->len);
        buf_append_str(out, "\t0\t0\t0\t-9\n");
    }
    if (out->failed)
        return err_set(err, ERR_MEMORY, "out of memory while making the .fam");
    return 0;
}

static int make_fam(struct format_view *view, struct err *err)
{
    struct buf lines = {0};
    AUTO_CLOSE int fd = -1;
    int rc = fam_lines(view->selection, &lines, err);

    if (rc == 0)
        rc = fd = memfd_open("vczfs-fam", err);
    if (rc >= 0)
        rc = io_write_all(fd, lines.data, lines.len, "the .fam", err);
    if (rc == 0)
        rc = memfd_seal(fd, err);
    if (rc == 0)
        add_sidecar(view, ".fam", steal_fd(&fd), lines.len);
    buf_free(&lines);
    return rc < 0 ? -1 : 0;
}

static void plink_close(struct format_view *view)
{
    for (size_t i = 0; i < view->nsidecars; i++)
        cleanup_close(&view->sidecars[i].fd);
    free(view->state);
    *view = (struct format_view){0};
}

/* The .fam comes first: it is quick, so a bad sample ID is reported before a long scan. */
static int make_sidecars(const struct format_options *options, const struct pass_means *means,
                         bool resume, struct format_view *view, struct err *err)
{
    if (resume) {
        if (!options->no_fam)
            add_sidecar(view, ".fam", -1, 0);
        if (!options->no_bim && !options->no_scan)
            add_sidecar(view, ".bim", -1, 0);
        return 0;
    }
    if (!options->no_fam && make_fam(view, err) != 0)
        return -1;
    if (options->no_scan)
        return 0;
    return make_bim(means, !options->no_bim, view, err);
}

static int plink_open(const struct selection *selection, const struct format_options *options,
                      const struct pass_means *means, bool resume, struct format_view *out,
                      struct err *err)
{
    struct plink *plink = calloc(1, sizeof *plink);

    *out = (struct format_view){
        .format = &format_plink, .selection = selection, .stream_suffix = ".bed", .state = plink};
    if (plink == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a PLINK view");
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
    .name = "plink",
    .open = plink_open,
    .close = plink_close,
    .header = plink_header,
    .put = plink_put,
};
