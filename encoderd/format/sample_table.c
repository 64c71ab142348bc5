/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/sample_table.h"

#include "common/memfd.h"
#include "encoderd/format/refuse.h"

static void put_lines(const struct sample_table *table, const struct selection *selection,
                      struct buf *out)
{
    const struct str zero = {"0", 1};

    buf_append_str(out, table->head);
    for (uint64_t i = 0; i < selection->nsamples; i++) {
        const struct str *id = &selection->sample_id[i], *fid = table->fid_zero ? &zero : id;

        buf_append(out, fid->at, fid->len);
        buf_append_char(out, table->separator);
        buf_append(out, id->at, id->len);
        buf_append_str(out, table->rest);
    }
}

int sample_table_make(const struct sample_table *table, const struct selection *selection, int *fd,
                      uint64_t *size, struct err *err)
{
    struct buf lines = {0};
    int memfd = -1;

    if (refuse_samples(selection, table->place, table->suffix, table->without, err) != 0)
        return -1;
    put_lines(table, selection, &lines);
    if (lines.failed)
        err_nomem(err, "the %s", table->suffix);
    else
        memfd = memfd_of("vczfs-samples", lines.data, lines.len, table->suffix, err);
    *size = lines.len;
    buf_free(&lines);
    if (memfd < 0)
        return -1;
    *fd = memfd;
    return 0;
}
