/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_scan: checks every site before a BGEN view is shown, and finds the length of its strings.
 */
#include "common/notices.h"
#include "encoderd/format/bgen_impl.h"
#include "encoderd/format/contigs.h"
#include "encoderd/format/refuse.h"

#include <inttypes.h>
#include <string.h>

#define ID_MAX UINT16_MAX

/* The longest strings so far. */
struct longest {
    uint64_t needed;
    uint64_t variant;
    char place[REFUSE_PLACE_MAX];
};

struct scan_piece {
    struct longest longest;
    struct refuse_tally multi, names;
};

struct scan {
    const struct selection *selection;
    struct contigs contigs;
    struct longest longest;
    struct refuse_tally multi, names;
};

static int check_field(const struct scan *scan, const struct site *site, const char *what,
                       uint64_t value, uint64_t most, struct err *err)
{
    char place[REFUSE_PLACE_MAX];

    if (value <= most)
        return 0;
    refuse_show_place(site, place);
    return err_set(err, ERR_DATA,
                   "%s: variant %" PRIu64 " (%s) has %s of %" PRIu64
                   ", and a BGEN file holds no more than %" PRIu64 "; leave the variant out",
                   store_path(scan->selection->vcz->store), site->variant, place, what, value,
                   most);
}

static int scan_site(const struct site *site, const struct output_row *row, void *arg_piece,
                     void *arg, struct err *err)
{
    const struct site_places places = {IN_BGEN_ID, IN_BGEN_ALLELE};
    struct scan *scan = arg;
    struct scan_piece *piece = arg_piece;
    uint64_t needed;

    (void)row;
    if (site->nalleles > 2) {
        refuse_count(&piece->multi, site);
        return 0;
    }
    refuse_count_names(&piece->names, site, contigs_use(&scan->contigs, site)->why, &places);
    needed = bgen_row_strings_needed(site);
    if (check_field(scan, site, "an ID with a length", site->id.len, ID_MAX, err) != 0 ||
        check_field(scan, site, "a contig name with a length", site->contig.len, ID_MAX, err) !=
            0 ||
        check_field(scan, site, "a position", (uint64_t)site->position, UINT32_MAX, err) != 0 ||
        check_field(scan, site, "strings with a length together", needed, BGEN_STRINGS_MAX, err) !=
            0)
        return -1;
    if (needed > piece->longest.needed) {
        piece->longest.needed = needed;
        piece->longest.variant = site->variant;
        refuse_show_place(site, piece->longest.place);
    }
    return 0;
}

static int scan_take(void *arg_piece, void *arg, struct err *err)
{
    const struct scan_piece *piece = arg_piece;
    struct scan *scan = arg;

    (void)err;
    refuse_add(&scan->multi, &piece->multi);
    refuse_add(&scan->names, &piece->names);
    if (piece->longest.needed > scan->longest.needed)
        scan->longest = piece->longest;
    return 0;
}

static void scan_clear(void *arg_piece)
{
    struct scan_piece *piece = arg_piece;

    refuse_clear_tally(&piece->multi);
    refuse_clear_tally(&piece->names);
}

static int choose_strings(const struct scan *scan, uint64_t asked, const struct pass_means *means,
                          struct bgen *bgen, struct err *err)
{
    const struct longest *longest = &scan->longest;
    const char *path = store_path(scan->selection->vcz->store);

    if (asked != 0 && longest->needed > asked)
        return err_set(err, ERR_USAGE,
                       "%s: --total-string-length %" PRIu64 " is too small: variant %" PRIu64
                       " (%s) needs %" PRIu64 " (contig, ID and alleles, and 1 for the padding); "
                       "give %" PRIu64 " or more, or leave the option out",
                       path, asked, longest->variant, longest->place, longest->needed,
                       longest->needed);
    if (asked == 0 && longest->needed > BGEN_STRINGS_DEFAULT && means->notices != NULL)
        notices_add(means->notices,
                    "every variant of the .bgen has room for strings of %" PRIu64
                    " bytes, not %d, because of variant %" PRIu64
                    " (%s); --total-string-length %" PRIu64 " says so without this notice",
                    longest->needed, BGEN_STRINGS_DEFAULT, longest->variant, longest->place,
                    longest->needed);
    bgen->shape.strings = asked;
    if (asked == 0)
        bgen->shape.strings =
            longest->needed > BGEN_STRINGS_DEFAULT ? longest->needed : BGEN_STRINGS_DEFAULT;
    return 0;
}

static int judge(const struct scan *scan, struct err *err)
{
    if (scan->multi.n > 0)
        return refuse_multiallelic(scan->selection, &scan->multi, err);
    if (scan->names.n > 0)
        return refuse_names(scan->selection, &scan->names, ".bgen", "", err);
    return 0;
}

int bgen_scan(const struct selection *selection, uint64_t asked_strings,
              const struct pass_means *means, struct bgen *bgen, struct err *err)
{
    struct scan scan = {.selection = selection};
    const struct pass pass = {
        .vcz = selection->vcz,
        .rows = &selection->rows,
        .what = "measuring strings",
        .piece_size = sizeof(struct scan_piece),
        .site = scan_site,
        .take = scan_take,
        .clear = scan_clear,
        .arg = &scan,
    };
    int rc = contigs_init(&scan.contigs, selection->vcz, IN_BGEN_CONTIG, err);

    if (rc == 0)
        rc = pass_run(&pass, means, err);
    if (rc == 0)
        rc = judge(&scan, err);
    if (rc == 0)
        rc = choose_strings(&scan, asked_strings, means, bgen, err);
    if (rc == 0)
        contigs_notice(&scan.contigs, ".bgen", means->notices);
    contigs_clear(&scan.contigs);
    refuse_clear_tally(&scan.multi);
    refuse_clear_tally(&scan.names);
    return rc;
}
