/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/contigs.h"

#include "common/notices.h"
#include "encoderd/vcz/text.h"

#include <inttypes.h>
#include <stdlib.h>

int contigs_init(struct contigs *contigs, const struct vcz *vcz, enum misread_place place,
                 struct err *err)
{
    const size_t n = vcz->contigs.nitems;

    *contigs = (struct contigs){.vcz = vcz};
    contigs->facts = calloc(n + 1, sizeof *contigs->facts);
    contigs->used = calloc(n + 1, 1);
    if (contigs->facts == NULL || contigs->used == NULL)
        return err_nomem(err, "the contigs of %s", store_path(vcz->store));
    for (size_t i = 0; i < n; i++) {
        const struct str *name = &vcz->contigs.items[i];

        contigs->facts[i] = (struct contig_facts){{-1, *name}, misread_why(place, name)};
    }
    return 0;
}

void contigs_give_codes(struct contigs *contigs, unsigned nautosomes)
{
    for (size_t i = 0; i < contigs->vcz->contigs.nitems; i++) {
        struct contig_facts *facts = &contigs->facts[i];

        if (!chromosome_of(&contigs->vcz->contigs.items[i], nautosomes, &facts->chromosome) &&
            facts->why == NULL)
            facts->why = nautosomes == 0 ? "is no human chromosome: plink2 refuses it; --chr-set N "
                                           "is for species with N pairs of autosomes"
                                         : "is no chromosome of the species that --chr-set says: "
                                           "plink2 refuses it";
    }
}

const struct contig_facts *contigs_use(struct contigs *contigs, const struct site *site)
{
    uint8_t *used = &contigs->used[site->contig_index];

    if (__atomic_load_n(used, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(used, 1, __ATOMIC_RELAXED);
    return &contigs->facts[site->contig_index];
}

int contigs_check_codes(const struct contigs *contigs, struct err *err)
{
    const struct str *first[CHROMOSOME_CODES] = {NULL};
    char one[TEXT_SHOW_MAX], other[TEXT_SHOW_MAX];

    for (size_t i = 0; i < contigs->vcz->contigs.nitems; i++) {
        const struct chromosome *chromosome = &contigs->facts[i].chromosome;
        const struct str *name = &contigs->vcz->contigs.items[i];

        if (contigs->used[i] == 0 || chromosome->code < 0)
            continue;
        if (first[chromosome->code] != NULL)
            return err_set(err, ERR_DATA,
                           "%s: contigs %s and %s are both chromosome %.*s to PLINK. Choose one of "
                           "them with --targets, or use --no-bim to do without the .bim",
                           store_path(contigs->vcz->store), text_show(first[chromosome->code], one),
                           text_show(name, other), (int)chromosome->text.len, chromosome->text.at);
        first[chromosome->code] = name;
    }
    return 0;
}

void contigs_notice(const struct contigs *contigs, const char *file, struct notices *notices)
{
    const struct str *first = NULL;
    char shown[TEXT_SHOW_MAX];
    uint64_t n = 0;

    for (size_t i = 0; i < contigs->vcz->contigs.nitems; i++) {
        if (contigs->used[i] == 0 || !misread_as_number(&contigs->facts[i].chromosome.text))
            continue;
        if (n++ == 0)
            first = &contigs->vcz->contigs.items[i];
    }
    if (n > 0 && notices != NULL)
        notices_add(notices,
                    "REGENIE and BOLT-LMM take %" PRIu64
                    " contig%s of the %s for a numbered chromosome, by the digits that the name "
                    "begins with (first: %s)",
                    n, n == 1 ? "" : "s", file, text_show(first, shown));
}

void contigs_clear(struct contigs *contigs)
{
    free(contigs->facts);
    free(contigs->used);
    *contigs = (struct contigs){0};
}
