/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_impl: what the parts of the BGEN format share.
 */
#ifndef VCZFS_FORMAT_BGEN_IMPL_H
#define VCZFS_FORMAT_BGEN_IMPL_H

#include "encoderd/format/bgen_header.h"
#include "encoderd/format/bgen_row.h"
#include "encoderd/format/format.h"

/* One view's state. */
struct bgen {
    struct bgen_shape shape;
    struct bgen_header header;
    size_t scratch_max; /* for the reader that finds a site's name for a message */
};

/* Makes the pass over the sites. Sets bgen->shape.strings to what the user asked for (0: the
 * default) or, if the user did not, to what the longest strings need. Errors name the worst
 * site. */
int bgen_scan(const struct selection *selection, uint64_t asked_strings,
              const struct pass_means *means, struct bgen *bgen, struct err *err);

/* Makes the index as bgenix does: format->make_sidecar. */
int bgen_make_index(const struct format_view *view, size_t sidecar,
                    const struct stream_facts *stream, const struct pass_means *means,
                    int *temporary, struct made_sidecar *out, struct err *err);

#endif
