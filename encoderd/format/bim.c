/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bim.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/memfd.h"
#include "common/size.h"
#include "encoderd/format/contigs.h"
#include "encoderd/format/refuse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

/* The result of one range in the pass over the sites. */

struct bim_piece {
    struct buf lines;
    struct refuse_tally multi, names;
};

struct bim {
    const struct selection *selection;
    bool want;     /* lines are wanted, not only the count */
    int fd;        /* owned */
    uint64_t size; /* written */
    struct contigs contigs;
    struct refuse_tally multi, names;
};

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

static int put_line(const struct site *site, const struct str *chromosome, const struct str *alt,
                    struct buf *lines, struct err *err)
{
    uint8_t *begin, *to;

    /* 32: the position's digits, "0", tabs and the line's end. */
    begin =
        buf_reserve(lines, chromosome->len + site->id.len + alt->len + site->alleles[0].len + 32);
    if (begin == NULL)
        return err_nomem(err, "the .bim");
    to = put_str(begin, chromosome);
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

static int bim_site(const struct site *site, const struct output_row *row, void *arg_piece,
                    void *arg, struct err *err)
{
    const struct site_places places = {IN_BIM_ID, IN_BIM_ALLELE};
    const struct str none = {.at = ".", .len = 1};
    const struct str *alt = row->allele < site->nalleles ? &site->alleles[row->allele] : &none;
    struct bim *bim = arg;
    struct bim_piece *piece = arg_piece;
    const struct contig_facts *contig;

    if (site->nalleles > 2) {
        refuse_count(&piece->multi, site);
        return 0;
    }
    if (!bim->want)
        return 0;
    contig = contigs_use(&bim->contigs, site);
    /* If a site is refused, so is the view: from then on sites are only counted. */
    if (refuse_count_names(&piece->names, site, contig->why, &places) || piece->multi.n > 0 ||
        piece->names.n > 0)
        return 0;
    return put_line(site, &contig->chromosome.text, alt, &piece->lines, err);
}

static int bim_take(void *arg_piece, void *arg, struct err *err)
{
    struct bim_piece *piece = arg_piece;
    struct bim *bim = arg;

    refuse_add(&bim->multi, &piece->multi);
    refuse_add(&bim->names, &piece->names);
    if (!bim->want || bim->multi.n > 0 || bim->names.n > 0)
        return 0;
    bim->size += piece->lines.len;
    return io_write_all(bim->fd, piece->lines.data, piece->lines.len, "the .bim", err);
}

static void bim_clear(void *arg_piece)
{
    struct bim_piece *piece = arg_piece;

    buf_free(&piece->lines);
    refuse_clear_tally(&piece->multi);
    refuse_clear_tally(&piece->names);
}

/* Checks every site, and writes the lines if they are wanted. */
static int scan_sites(struct bim *bim, const struct pass_means *means, struct err *err)
{
    const struct pass pass = {
        .vcz = bim->selection->vcz,
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
    if (bim->multi.n > 0)
        return refuse_multiallelic(bim->selection, &bim->multi, err);
    if (bim->names.n > 0)
        return refuse_names(bim->selection, &bim->names, ".bim",
                            ", or use --no-bim to do without the .bim", err);
    return 0;
}

/* The least length of a line: one character for each of five columns, "0", tabs and the line's
 * end. */
#define LINE_NBYTES_MIN 12

/* A store's metadata can claim any number of variants in a few bytes. A .bim that does not fit this
 * machine's memory is refused before it fills that memory. */
static int check_size(const struct selection *selection, struct err *err)
{
    const uint64_t nrows = row_map_nrows(&selection->rows);
    struct sysinfo info;
    uint64_t nbytes;

    if (sysinfo(&info) != 0 ||
        size_mul(info.totalram + info.totalswap, info.mem_unit, &nbytes) == 0 ||
        nrows <= nbytes / LINE_NBYTES_MIN)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "%s: the .bim of %" PRIu64 " variants does not fit the %" PRIu64
                   " MiB of memory of this machine; use --no-bim to do without it, or choose fewer "
                   "variants",
                   store_path(selection->vcz->store), nrows, nbytes >> 20);
}

static int write_bim(struct bim *bim, const struct pass_means *means, unsigned nautosomes,
                     struct err *err)
{
    if (check_size(bim->selection, err) != 0 ||
        contigs_init(&bim->contigs, bim->selection->vcz, IN_BIM_CONTIG, err) != 0 ||
        (bim->fd = memfd_open("vczfs-bim", err)) < 0)
        return -1;
    contigs_give_codes(&bim->contigs, nautosomes);
    if (scan_sites(bim, means, err) != 0 || contigs_check_codes(&bim->contigs, err) != 0)
        return -1;
    contigs_notice(&bim->contigs, ".bim", means->notices);
    return memfd_seal(bim->fd, err);
}

int bim_make(const struct selection *selection, const struct pass_means *means, unsigned nautosomes,
             int *fd, uint64_t *size, struct err *err)
{
    struct bim bim = {.selection = selection, .want = fd != NULL, .fd = -1};
    int rc = bim.want ? write_bim(&bim, means, nautosomes, err) : scan_sites(&bim, means, err);

    if (rc == 0 && bim.want)
        *fd = steal_fd(&bim.fd);
    *size = bim.size;
    cleanup_close(&bim.fd);
    contigs_clear(&bim.contigs);
    refuse_clear_tally(&bim.multi);
    refuse_clear_tally(&bim.names);
    return rc;
}
