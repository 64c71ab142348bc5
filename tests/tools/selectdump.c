/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selectdump: what a selection leaves of a store, without a mount.
 *
 *   selectdump STORE [options of vczfs info]
 *
 * The options go the way of a mount's: parsed as vczfs does, packed into a request, and unpacked.
 * Prints "#samples" and the sample IDs, then CHROM POS ID REF ALT of every variant kept; notices go
 * to stderr. Ends with 1 and a message where a mount would.
 */
#include "common/cleanup.h"
#include "encoderd/select/selection.h"
#include "encoderd/select/selection_open.h"
#include "encoderd/serve/view.h"
#include "encoderd/vcz/vcz_open.h"
#include "fused/cli/option_parse.h"
#include "fused/cli/select_options.h"
#include "proto/selection_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a thread has of --memory: little at its least. */
#define SCRATCH_PART 64

static int fail(const struct err *err)
{
    fprintf(stderr, "selectdump: %s\n", err->msg);
    return 1;
}

static void print_str(const struct str *str)
{
    fwrite(str->at, 1, str->len, stdout);
}

static int print_site(struct sites_reader *reader, uint64_t variant, struct err *err)
{
    struct site site;

    if (sites_get(reader, variant, &site, err) != 0)
        return -1;
    print_str(&site.contig);
    printf("\t%" PRId64 "\t", site.position);
    print_str(&site.id);
    putchar('\t');
    print_str(&site.alleles[0]);
    putchar('\t');
    for (unsigned i = 1; i < site.nalleles; i++) {
        if (i > 1)
            putchar(',');
        print_str(&site.alleles[i]);
    }
    puts(site.nalleles == 1 ? "." : "");
    return 0;
}

static int print_selection(const struct selection *selection, size_t scratch_max, struct err *err)
{
    struct sites_reader *reader = sites_reader_new(selection->vcz, scratch_max, err);
    struct row_cursor row = row_map_from(&selection->rows, 0);
    int rc = reader != NULL ? 0 : -1;

    for (size_t i = 0; i < selection->notices.n; i++)
        fprintf(stderr, "notice: %s\n", selection->notices.text[i]);
    printf("#samples");
    for (uint64_t i = 0; i < selection->nsamples; i++) {
        putchar('\t');
        print_str(&selection->sample_id[i]);
    }
    putchar('\n');
    for (; rc == 0 && row.at.index < row_map_nrows(&selection->rows); row_cursor_next(&row))
        rc = print_site(reader, row.at.variant, err);
    sites_reader_free(reader);
    return rc;
}

static int dump_store(const struct options *opt, const struct selection_options *options,
                      struct err *err)
{
    const size_t scratch = opt->memory / SCRATCH_PART;
    const struct pass_means means = {.nthreads = opt->threads, .scratch_max = scratch};
    struct selection selection;
    struct vcz *vcz = NULL;
    int rc;

    if (vcz_open(opt->store, scratch, &vcz, err) != 0)
        return -1;
    rc = selection_open(vcz, options, &means, false, -1, &selection, err);
    if (rc == 0) {
        rc = print_selection(&selection, scratch, err);
        selection_close(&selection);
    }
    vcz_free(vcz);
    return rc;
}

/* What the front would send, as the encoder has it. */
static int dump(const struct options *opt, struct err *err)
{
    struct selection_request request = {0};
    struct selection_memory *memory = NULL;
    struct selection_options options;
    struct view_options view;
    AUTO_CLOSE int fd = -1;
    int rc;

    if (select_options_gather(&opt->select, &fd, err) != 0 ||
        (fd >= 0 && selection_request_unpack(fd, &request, &memory, err) != 0))
        return -1;
    options_view(opt, &view);
    options = view_selection_options(&view, &request);
    rc = dump_store(opt, &options, err);
    selection_memory_free(memory);
    return rc;
}

/* As `vczfs info STORE [options]`. */
static int dump_as_info(int argc, char **argv, char **words, struct err *err)
{
    struct options opt;
    int rc;

    words[0] = argv[0];
    words[1] = (char *)(uintptr_t) "info";
    memcpy(words + 2, argv + 1, (size_t)argc * sizeof *words);
    rc = options_parse(argc + 1, words, &opt, err);
    if (rc == 0)
        rc = dump(&opt, err);
    options_free(&opt);
    return rc;
}

int main(int argc, char **argv)
{
    char **words = calloc((size_t)argc + 2, sizeof *words);
    struct err err = {0};
    int status = 1;

    if (words != NULL)
        status = dump_as_info(argc, argv, words, &err) == 0 ? 0 : fail(&err);
    free(words);
    return status;
}
