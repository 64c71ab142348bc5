/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/selection_state.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/memfd.h"
#include "common/size.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* Precedes the saved samples; a saved choice of rows may follow them. It is written and read by the
 * same program on the same machine. */
struct saved_samples {
    char magic[8];
    uint64_t nstored; /* vcz->nsamples */
    uint64_t n;       /* uint64 each: numbers in vcz->sample_id */
};

static const char saved_magic[8] = {'v', 'c', 'z', 's', 'm', 'p', 'l', '1'};

struct sorting {
    uint64_t column, sample;
};

static int compare_columns(const void *a, const void *b)
{
    const struct sorting *x = a, *y = b;

    return (x->column > y->column) - (x->column < y->column);
}

static int sort_samples(struct selection *selection, struct err *err)
{
    const uint64_t n = selection->nsamples;
    AUTO_FREE struct sorting *sorting = calloc(n + 1, sizeof *sorting);

    selection->sorted_column = calloc(n + 1, sizeof *selection->sorted_column);
    selection->sorted_sample = calloc(n + 1, sizeof *selection->sorted_sample);
    if (sorting == NULL || selection->sorted_column == NULL || selection->sorted_sample == NULL)
        return err_nomem(err, "%" PRIu64 " samples", n);
    for (uint64_t i = 0; i < n; i++)
        sorting[i] = (struct sorting){.column = selection->sample_column[i], .sample = i};
    qsort(sorting, n, sizeof *sorting, compare_columns);
    for (uint64_t i = 0; i < n; i++) {
        selection->sorted_column[i] = sorting[i].column;
        selection->sorted_sample[i] = sorting[i].sample;
    }
    return 0;
}

static int order_samples(struct selection *selection, const uint64_t *order, uint64_t n,
                         struct err *err)
{
    const struct vcz *vcz = selection->vcz;
    uint64_t *columns = calloc(n + 1, sizeof *columns);
    struct str *ids = calloc(n + 1, sizeof *ids);

    selection->own_column = columns;
    selection->own_id = ids;
    if (columns == NULL || ids == NULL)
        return err_nomem(err, "%" PRIu64 " samples", n);
    for (uint64_t i = 0; i < n; i++) {
        columns[i] = vcz->sample_column[order[i]];
        ids[i] = vcz->sample_id[order[i]];
    }
    selection->sample_column = columns;
    selection->sample_id = ids;
    return 0;
}

int selection_set_samples(struct selection *selection, const uint64_t *order, uint64_t n,
                          struct err *err)
{
    const uint64_t *columns;

    if (order != NULL && order_samples(selection, order, n, err) != 0)
        return -1;
    if (order == NULL) {
        selection->sample_column = selection->vcz->sample_column;
        selection->sample_id = selection->vcz->sample_id;
    }
    columns = selection->sample_column;
    selection->nsamples = n;
    selection->contiguous = selection->store_order = true;
    for (uint64_t i = 1; i < n; i++) {
        selection->store_order = selection->store_order && columns[i] > columns[i - 1];
        selection->contiguous = selection->contiguous && columns[i] == columns[0] + i;
    }
    selection->first_column = n > 0 ? columns[0] : 0;
    return selection->contiguous ? 0 : sort_samples(selection, err);
}

static bool has_all_samples(const struct selection *selection)
{
    const struct vcz *vcz = selection->vcz;

    for (uint64_t i = 0; i < selection->nsamples && i < vcz->nsamples; i++)
        if (selection->sample_column[i] != vcz->sample_column[i])
            return false;
    return selection->nsamples == vcz->nsamples;
}

/* The number in vcz->sample_id of the sample in this column, which has one. */
static uint64_t sample_of_column(const struct vcz *vcz, uint64_t column)
{
    uint64_t low = 0, high = vcz->nsamples;

    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;

        if (vcz->sample_column[middle] <= column)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int write_samples(const struct selection *selection, int fd, struct err *err)
{
    const uint64_t n = selection->nsamples;
    struct saved_samples header = {.nstored = selection->vcz->nsamples, .n = n};
    AUTO_FREE uint64_t *order = calloc(n + 1, sizeof *order);

    memcpy(header.magic, saved_magic, sizeof header.magic);
    if (order == NULL)
        return err_nomem(err, "%" PRIu64 " samples", n);
    for (uint64_t i = 0; i < n; i++)
        order[i] = sample_of_column(selection->vcz, selection->sample_column[i]);
    if (io_write_all(fd, &header, sizeof header, "the choice of samples", err) != 0)
        return -1;
    return io_write_all(fd, order, n * sizeof *order, "the choice of samples", err);
}

int selection_save(const struct selection *selection, int *fd, struct err *err)
{
    AUTO_CLOSE int memfd = -1;

    *fd = -1;
    if (has_all_samples(selection))
        return row_map_save(&selection->rows, fd, err);
    memfd = memfd_open("vczfs-selection", err);
    if (memfd < 0 || write_samples(selection, memfd, err) != 0 ||
        row_map_write(&selection->rows, memfd, err) != 0 || memfd_seal(memfd, err) != 0)
        return -1;
    *fd = steal_fd(&memfd);
    return 0;
}

static int contradicts(struct err *err)
{
    return err_set(err, ERR_PEER, "the saved choice of samples contradicts itself");
}

/* Reads the samples at `data`, and checks them, because they come from another process. */
static int parse_samples(struct selection *selection, const uint8_t *data,
                         const struct saved_samples *header, struct err *err)
{
    AUTO_FREE uint64_t *order = calloc(header->n + 1, sizeof *order);
    AUTO_FREE uint8_t *seen = calloc(header->nstored + 1, 1);

    if (order == NULL || seen == NULL)
        return err_nomem(err, "%" PRIu64 " samples", header->n);
    memcpy(order, data, header->n * sizeof *order);
    for (uint64_t i = 0; i < header->n; i++)
        if (order[i] >= header->nstored || seen[order[i]]++ != 0)
            return contradicts(err);
    return selection_set_samples(selection, order, header->n, err);
}

/* *taken: bytes of samples before the rows; 0 if all samples are shown. */
static int load_samples(struct selection *selection, const uint8_t *data, uint64_t size,
                        uint64_t *taken, struct err *err)
{
    struct saved_samples header;

    *taken = 0;
    if (size < sizeof header || memcmp(data, saved_magic, sizeof saved_magic) != 0)
        return selection_set_samples(selection, NULL, selection->vcz->nsamples, err);
    memcpy(&header, data, sizeof header);
    if (header.nstored != selection->vcz->nsamples)
        return err_set(err, ERR_PEER, "the saved choice of samples belongs to another store");
    if (header.n == 0 || header.n > header.nstored ||
        header.n > (size - sizeof header) / sizeof(uint64_t))
        return contradicts(err);
    *taken = sizeof header + header.n * sizeof(uint64_t);
    return parse_samples(selection, data + sizeof header, &header, err);
}

int selection_load(struct selection *selection, int state_fd, struct err *err)
{
    const uint64_t nvariants = selection->vcz->nvariants;
    const uint8_t *map = NULL;
    uint64_t size, taken = 0;
    struct stat st;
    int rc;

    row_map_init_all(&selection->rows, nvariants);
    if (state_fd < 0)
        return selection_set_samples(selection, NULL, selection->vcz->nsamples, err);
    if (fstat(state_fd, &st) != 0)
        return err_sys(err, ERR_PEER, errno, "the saved selection cannot be read");
    size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    if (memfd_map(state_fd, size, &map, err) != 0)
        return err_prefix(err, "the saved selection");
    rc = load_samples(selection, map, size, &taken, err);
    if (rc == 0 && taken < size)
        rc = row_map_read(&selection->rows, nvariants, map + taken, size - taken, err);
    memfd_unmap(map, size);
    return rc;
}
