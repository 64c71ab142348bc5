/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_sites.h"

#include <inttypes.h>
#include <string.h>

/* The order of a range of sites: positions on a contig should ascend. */
struct site_order {
    uint64_t nsites, nunsorted;
    uint64_t first_unsorted; /* variant */
    int64_t first_contig, first_position;
    int64_t last_contig, last_position;
    uint64_t first_variant;
};

static void note_unsorted(struct site_order *order, uint64_t variant)
{
    if (order->nunsorted++ == 0)
        order->first_unsorted = variant;
}

static int see_site(const struct site *site, const struct output_row *row, void *piece, void *arg,
                    struct err *err)
{
    struct site_order *order = piece;

    (void)row;
    (void)arg;
    (void)err;
    if (order->nsites++ == 0) {
        order->first_variant = site->variant;
        order->first_contig = site->contig_index;
        order->first_position = site->position;
    } else if (site->contig_index == order->last_contig && site->position < order->last_position) {
        note_unsorted(order, site->variant);
    }
    order->last_contig = site->contig_index;
    order->last_position = site->position;
    return 0;
}

static int take_sites(void *piece, void *arg, struct err *err)
{
    const struct site_order *part = piece;
    struct site_order *whole = arg;

    (void)err;
    if (part->nsites == 0)
        return 0;
    if (whole->nsites > 0 && part->first_contig == whole->last_contig &&
        part->first_position < whole->last_position)
        note_unsorted(whole, part->first_variant);
    if (part->nunsorted > 0 && whole->nunsorted == 0)
        whole->first_unsorted = part->first_unsorted;
    whole->nunsorted += part->nunsorted;
    whole->nsites += part->nsites;
    whole->last_contig = part->last_contig;
    whole->last_position = part->last_position;
    return 0;
}

/* The columns that a site is read from. If one of them has a problem already, the pass would only
 * report it again. */
static bool sites_in_doubt(const struct check *check)
{
    static const char *const columns[] = {"", "variant_contig", "variant_position",
                                          "variant_allele", "variant_id"};

    for (size_t i = 0; i < check->problems.n; i++)
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            if (strcmp(check->problems.items[i].array, columns[c]) == 0)
                return true;
    return check->problems.total > check->problems.n;
}

int check_sites(struct check *check, const struct pass_means *means, struct err *err)
{
    struct site_order order = {0};
    const struct pass pass = {.vcz = check->vcz,
                              .what = "checking sites",
                              .piece_size = sizeof order,
                              .site = see_site,
                              .take = take_sites,
                              .arg = &order};
    struct err why = {0};

    if (check->vcz == NULL || sites_in_doubt(check))
        return 0;
    if (check->sites_sparse) {
        problems_add(
            &check->remarks, "", "",
            "next to nothing is stored of the variants: they are not looked at one by one");
        return 0;
    }
    if (pass_run(&pass, means, &why) != 0) {
        if (why.code == ERR_PEER) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        problems_add(&check->problems, "", "", "%s", why.msg);
    }
    if (order.nunsorted > 0)
        problems_add(&check->remarks, "variant_position", "",
                     "not sorted: variant %" PRIu64
                     " lies before the one that precedes it on its contig (%" PRIu64
                     " such variant%s)",
                     order.first_unsorted, order.nunsorted, order.nunsorted == 1 ? "" : "s");
    return 0;
}
