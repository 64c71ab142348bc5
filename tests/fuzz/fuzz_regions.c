/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and files of regions, as anyone may write them, compressed or not: what is taken is in
 * order and on contigs that are there.
 *
 * The first byte says whether the rest is a list or a file, and of which format; see
 * make_corpus.py.
 */
#include "encoderd/select/regions.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct str contig_names[] = {{"chr1", 4}, {"2", 1}, {"HLA:1:2", 7}};

#define NCONTIGS (sizeof contig_names / sizeof contig_names[0])

static void require_regions(const struct regions *regions)
{
    REQUIRE(regions->contig_begin[0] == 0 && regions->contig_begin[NCONTIGS] == regions->n);
    for (size_t i = 0; i < regions->n; i++) {
        const struct region *region = &regions->items[i], *next = region + 1;

        REQUIRE(region->contig < NCONTIGS && region->first <= region->last);
        REQUIRE(regions_meet(regions, region->contig, region->first, region->first));
        REQUIRE(regions_meet(regions, region->contig, region->last, region->last));
        if (i + 1 < regions->n)
            REQUIRE(region->contig < next->contig ||
                    (region->contig == next->contig && region->last < next->first));
    }
}

static int parse(const struct vcz *vcz, uint8_t how, const char *text, size_t len,
                 struct regions *out, struct err *err)
{
    const struct option_file file = {
        .name = (how & 8) != 0 ? "x.bed" : "x", .text = text, .len = len};

    if ((how & 4) != 0)
        return regions_parse_list(vcz, text, "-r", out, err);
    return regions_parse_file(vcz, &file, (enum region_format)(how & 3), "-R", out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct vcz vcz = {
        .contigs = {.items = (struct str *)(uintptr_t)contig_names, .nitems = NCONTIGS}};
    struct regions regions;
    struct err err = {0};
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (parse(&vcz, data[0], text, size - 1, &regions, &err) == 0) {
        require_regions(&regions);
        regions_free(&regions);
    } else {
        REQUIRE(err.code == ERR_USAGE && err.msg[0] != '\0');
    }
    free(text);
    return 0;
}
